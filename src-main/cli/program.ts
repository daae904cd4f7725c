import { Command, CommanderError } from 'commander'
import { defineArtifactCommands } from './define/artifacts.ts'
import type { Bind } from './define/bind.ts'
import { defineBottleCommands } from './define/bottles.ts'
import { defineMachineCommands, MACHINE } from './define/machine.ts'
import { defineRecordCommands } from './define/records.ts'
import { defineRunCommands } from './define/runs.ts'
import type { Face, GlobalFlags, Streams } from './face.ts'
import { usageError } from './usage.ts'
import { VERSION } from './version.ts'

/** The whole command line as data, so that parsing, help and completion never differ. */
export function buildProgram(bind: Bind, width: number | undefined): Command {
  const program = new Command('icebox')
    .description('Shows, freezes, resumes, forks and destroys the sandboxes that coding agents run in.')
    .version(VERSION, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpCommand(helpCommand())
    .enablePositionalOptions()
    .showHelpAfterError(false)
    .configureHelp({ showGlobalOptions: false, helpWidth: Math.min(width ?? 100, 120) })
    .exitOverride()
  defineRunCommands(program, bind)
  defineBottleCommands(program, bind)
  defineRecordCommands(program, bind)
  defineArtifactCommands(program, bind)
  defineMachineCommands(program, bind)
  for (const command of allCommands(program)) addGlobalFlags(command)
  return program
}

function helpCommand(): Command {
  return new Command('help')
    .argument('[command]')
    .helpOption(false)
    .helpGroup(MACHINE)
    .description('print the help of a command')
}

function addGlobalFlags(command: Command): void {
  command
    .option('--json', 'print one JSON value on stdout')
    .option('--home <dir>', 'the folder that holds all state (default: $ICEBOX_HOME, else ~/.bot-bottle)')
    .option('--quiet', 'print only the essential value')
}

/** Parses and runs one command line. @throws BottleError `usage`, and what the command throws */
export async function runProgram(
  argv: readonly string[],
  streams: Streams,
  opened: (flags: GlobalFlags) => Face,
): Promise<number> {
  let exitCode = 0
  const bind: Bind =
    <A extends readonly unknown[]>(command: (face: Face, ...args: A) => Promise<number>) =>
    async (...received: readonly unknown[]) => {
      const face = opened((received.at(-1) as Command).optsWithGlobals<GlobalFlags>())
      // The parser passes the arguments as the definition names them, then the flags, then the command.
      exitCode = await command(face, ...(received.slice(0, -1) as unknown as A))
    }
  const program = buildProgram(bind, streams.stdout.width)
  // Kept until the end: what the parser writes must be flushed before the process ends.
  const texts = { out: '', err: '' }
  for (const command of allCommands(program)) {
    command.configureOutput({
      writeOut: (text) => {
        texts.out += text
      },
      writeErr: (text) => {
        texts.err += text
      },
    })
  }
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown
    if (thrown.exitCode === 0) {
      await streams.stdout.write(texts.out)
      return 0
    }
    if (argv[0] === 'help' && argv[1] !== undefined) {
      throw usageError(usageSentence(`Unknown command '${argv[1]}'`, 'commander.unknownCommand'))
    }
    // A command that only groups others, or none at all: its help is the answer.
    if (thrown.code !== 'commander.help')
      throw usageError(usageSentence(texts.err || thrown.message, thrown.code))
    if (argv.includes('--json')) throw usageError('Name a command. See `icebox --help`.')
    await streams.stderr.write(texts.err)
    return 2
  }
}

/** A command and all below it. */
export function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap((below) => allCommands(below))]
}

/** The parser's own words as sentences: without its prefix, each with a full stop. */
export function usageSentence(text: string, code: string): string {
  const sentences = text
    .trim()
    .replace(/^error: /, '')
    .split('\n')
    .map((line) => line.trim().replace(/^\((.*)\)$/, '$1'))
    .filter((line) => line !== '')
    .map((line) => line.charAt(0).toUpperCase() + line.slice(1) + (/[.?!]$/.test(line) ? '' : '.'))
  if (code === 'commander.unknownCommand') sentences.push('See `icebox --help`.')
  return sentences.join(' ')
}
