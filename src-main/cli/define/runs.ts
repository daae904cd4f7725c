import { type Command, Option } from 'commander'
import { BACKENDS } from '../../backends/registry.ts'
import type { ForkFlags } from '../commands/fork.ts'
import type { ResumeFlags } from '../commands/resume.ts'
import type { StartFlags } from '../commands/start.ts'
import { type Bind, collect } from './bind.ts'

const GROUP = 'Run agents:'

/** `start`, `resume` and `fork`: everything that brings an agent to life. */
export function defineRunCommands(program: Command, bind: Bind): void {
  const start = program
    .command('start')
    .helpGroup(GROUP)
    .description('start a new bottle with an agent in it')
    .argument('[agent]', 'name of an agent; on a terminal you can pick one')
    .option('--label <text>', 'name of the bottle; its slug is made from it')
    .option('--color <color>', 'colour of the bottle in lists: a name or #rrggbb')
    .option('--bottle <name>', 'bottle definition; may be repeated, later ones win', collect)
  addRunFlags(start, BACKENDS.join(', '))
    .option('--force', 'a bottle of that name is stopped, frozen and put into the trash first')
    .option('--no-preflight', 'do not ask the engine first whether it can')
    .option('--copy-cwd', "copy the working folder into the bottle's workspace")
    .action(
      bind(async (face, agent: string | undefined, flags: StartFlags) =>
        (await import('../commands/start.ts')).start(face, agent, flags),
      ),
    )

  const resume = program
    .command('resume')
    .helpGroup(GROUP)
    .description('go on from a snapshot; newer work is frozen first, never dropped')
    .argument('[bottle]', 'SLUG, SLUG@ID or SLUG@latest')
    .option('--rebuild-ok', 'when there is no snapshot, build anew from the manifest')
    .addOption(refused('--label <text>'))
    .addOption(refused('--color <color>'))
    .addOption(refused('--bottle <name>'))
  addRunFlags(resume, 'another one than before carries the snapshot there')
    .option('--copy-cwd', 'copy the working folder into a rebuilt workspace')
    .option('-y, --yes', 'go on without asking what is different on another backend')
    .option('--force', 'stop the bottle first if it runs')
    .addOption(refused('--no-preflight'))
    .action(
      bind(async (face, bottle: string | undefined, flags: ResumeFlags) =>
        (await import('../commands/resume.ts')).resume(face, bottle, flags),
      ),
    )

  program
    .command('fork')
    .helpGroup(GROUP)
    .description('start new bottles from a snapshot of this one')
    .argument('[bottle]', 'SLUG, SLUG@ID or SLUG@latest')
    .option('-n, --count <n>', 'how many; the result is then a list')
    .option('--headless', 'run the agent without a terminal and wait for its end')
    .option('--prompt <text>', 'what the agent shall do; - reads it from stdin')
    .option('--agent <name>', 'another agent than the one of the bottle')
    .option(
      '--backend <name>',
      'where the new bottles run; another one than before carries the snapshot there',
    )
    .option('-y, --yes', 'go on without asking what is different on another backend')
    .option('--label <text>', 'name of the new bottle; several are numbered')
    .option('--cwd <path>', 'folder that project agents are read from')
    .option('--allow-missing-secrets', 'start even when a secret has no value')
    .action(
      bind(async (face, bottle: string | undefined, flags: ForkFlags) =>
        (await import('../commands/fork.ts')).fork(face, bottle, flags),
      ),
    )
}

function addRunFlags(command: Command, backends: string): Command {
  return command
    .option('--headless', 'run the agent without a terminal and wait for its end')
    .option('--prompt <text>', 'what the agent shall do; - reads it from stdin')
    .option('--backend <name>', `where the bottle runs: ${backends}`)
    .option('--cwd <path>', 'folder that project agents are read from (default: this one)')
    .option(
      '--secret <name>',
      'name of a further secret; its value comes from environment or keychain',
      collect,
    )
    .option('--allow-missing-secrets', 'start even when a secret has no value')
    .option('--unenforced-egress', 'give network although the rules of the bottle cannot be enforced yet')
    .option('--dry-run', 'show what would be done and do nothing')
    .option('--session <mode>', 'continue-or-new, continue, new, or resume with --resume-id')
    .option('--resume-id <id>', 'the conversation to go on with')
    .option('--foreground', 'stay with an agent that is kept running, until it ends or you leave')
}

/** Known by name, so that it gets the sentence that says why it can't be had, but not offered. */
function refused(flags: string): Option {
  return new Option(flags).hideHelp()
}
