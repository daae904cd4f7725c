import type { Command } from 'commander'
import type { Bind } from './bind.ts'

const AGENTS = 'Agents:'
/** Heading of the commands that are about the machine and this program. */
export const MACHINE = 'This machine:'

/** Definitions, secrets, engines, the browser face and the shell. */
export function defineMachineCommands(program: Command, bind: Bind): void {
  program
    .command('agents')
    .helpGroup(AGENTS)
    .description('the agents that can be started from here')
    .option('--cwd <path>', 'folder that project agents are read from')
    .action(
      bind(async (face, flags: { readonly cwd?: string }) =>
        (await import('../commands/agents.ts')).agents(face, flags),
      ),
    )

  program
    .command('validate')
    .helpGroup(AGENTS)
    .description('check manifests and list every error at once')
    .argument('[name...]', 'agents, bottle definitions or files (default: all that can be found)')
    .option('--cwd <path>', 'folder that project agents are read from')
    .action(
      bind(async (face, names: readonly string[], flags: { readonly cwd?: string }) =>
        (await import('../commands/validate.ts')).validate(face, names, flags),
      ),
    )

  program
    .command('check')
    .helpGroup(AGENTS)
    .description('whether a start of an agent would find what it needs here; changes nothing')
    .argument('<agent>', 'its name, or the path of its file')
    .option('--backend <name>', 'as if it were started there')
    .option('--cwd <path>', 'folder that project agents are read from')
    .action(
      bind(async (face, agent: string, flags: { readonly cwd?: string; readonly backend?: string }) =>
        (await import('../commands/check.ts')).check(face, agent, flags),
      ),
    )

  program
    .command('init')
    .helpGroup(AGENTS)
    .description('write a first agent, to be changed to taste')
    .argument('[name]', 'its name (default: the sample)')
    .option('--project', 'into this folder (.bot-bottle/agents) instead of the state root')
    .action(
      bind(async (face, name: string | undefined, flags: { readonly project?: boolean }) =>
        (await import('../commands/init.ts')).init(face, name, flags),
      ),
    )

  program
    .command('edit')
    .helpGroup(AGENTS)
    .description('open a manifest in $VISUAL or $EDITOR and check it afterwards')
    .argument('[name]', 'an agent, or bottle/NAME')
    .action(
      bind(async (face, name: string | undefined) => (await import('../commands/edit.ts')).edit(face, name)),
    )

  defineSecrets(program, bind)

  program
    .command('doctor')
    .helpGroup(MACHINE)
    .description('every engine with version, state and what would mend it')
    .action(bind(async (face) => (await import('../commands/doctor.ts')).doctor(face)))

  program
    .command('serve')
    .helpGroup(MACHINE)
    .description('show the window in a browser, on this machine only')
    .option('--port <n>', 'port to listen on (default: any that is free)')
    .option('--no-open', 'do not open a browser')
    .option('--new-link', 'a new link for a server that runs already')
    .action(
      bind(
        async (
          face,
          flags: { readonly port?: string; readonly open?: boolean; readonly newLink?: boolean },
        ) => (await import('../commands/serve.ts')).serveCommand(face, flags),
      ),
    )

  program
    .command('completion')
    .helpGroup(MACHINE)
    .description('print the completion script of a shell')
    .argument('<shell>', 'bash, zsh or fish')
    .action(
      bind(async (face, shell: string) =>
        (await import('../commands/completion.ts')).completion(face, shell),
      ),
    )

  program
    .command('supervise', { hidden: true })
    .description('look after agents until the last of them has ended')
    .action(bind(async (face) => (await import('../commands/supervise.ts')).supervise(face)))

  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .action(
      bind(async (face, words: readonly string[]) =>
        (await import('../complete.ts')).complete(face, words, program),
      ),
    )
}

function defineSecrets(program: Command, bind: Bind): void {
  const secret = program
    .command('secret')
    .helpGroup(MACHINE)
    .description('values that agents may need, kept in the keychain of this machine')
  secret
    .command('set')
    .description('keep a value; it is asked for, or read from stdin')
    .argument('<name>')
    .action(bind(async (face, name: string) => (await import('../commands/secret.ts')).secretSet(face, name)))
  secret
    .command('list')
    .description('the names that have a value; never the values')
    .action(bind(async (face) => (await import('../commands/secret.ts')).secretList(face)))
  secret
    .command('remove')
    .description('forget a value')
    .argument('<name>')
    .action(
      bind(async (face, name: string) => (await import('../commands/secret.ts')).secretRemove(face, name)),
    )
}
