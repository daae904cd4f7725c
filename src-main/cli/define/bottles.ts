import type { Command } from 'commander'
import type { DestroyFlags } from '../commands/destroy.ts'
import type { FreezeFlags } from '../commands/freeze.ts'
import type { ListFlags } from '../commands/list.ts'
import type { LogFlags } from '../commands/logs.ts'
import type { Bind } from './bind.ts'

const GROUP = 'Bottles:'

/** Everything that is done to, or asked about, a bottle that exists. */
export function defineBottleCommands(program: Command, bind: Bind): void {
  program
    .command('list')
    .helpGroup(GROUP)
    .description('show the bottles of this machine')
    .option('--all', 'every bottle, whatever its state (the default)')
    .option('--active', 'only bottles that run')
    .option('--agents', 'the agent definitions instead')
    .action(bind(async (face, flags: ListFlags) => (await import('../commands/list.ts')).list(face, flags)))

  program
    .command('freeze')
    .alias('commit')
    .helpGroup(GROUP)
    .description('keep the state of a bottle as a snapshot; it goes on running')
    .argument('[slug]')
    .option('--note <text>', 'a note on the snapshot')
    .option('--pin', 'never thin out this snapshot')
    .option('--yes', 'agree to all questions')
    .action(
      bind(async (face, slug: string | undefined, flags: FreezeFlags) =>
        (await import('../commands/freeze.ts')).freeze(face, slug, flags),
      ),
    )

  program
    .command('info')
    .helpGroup(GROUP)
    .description('everything about a bottle, or about an agent definition')
    .argument('[name]', 'slug of a bottle, or name of an agent')
    .action(
      bind(async (face, name: string | undefined) => (await import('../commands/info.ts')).info(face, name)),
    )

  program
    .command('status')
    .helpGroup(GROUP)
    .description('the state of one bottle and of its agent, as last seen')
    .argument('[slug]')
    .action(
      bind(async (face, slug: string | undefined) =>
        (await import('../commands/status.ts')).status(face, slug),
      ),
    )

  program
    .command('logs')
    .helpGroup(GROUP)
    .description("the agent's output, as it came")
    .argument('[slug]')
    .option('--run <n>', 'number or id of a run (default: the last)')
    .option('--all', 'all runs, oldest first')
    .option('-f, --follow', 'go on until the agent ends')
    .option('-n, --lines <n>', 'only the last lines')
    .action(
      bind(async (face, slug: string | undefined, flags: LogFlags) =>
        (await import('../commands/logs.ts')).logs(face, slug, flags),
      ),
    )

  program
    .command('attach')
    .helpGroup(GROUP)
    .description("connect this terminal to a bottle's agent")
    .argument('[slug]')
    .option('--read-only', 'only watch')
    .action(
      bind(async (face, slug: string | undefined, flags: { readonly readOnly?: boolean }) =>
        (await import('../commands/attach.ts')).attach(face, slug, flags),
      ),
    )

  program
    .command('send')
    .helpGroup(GROUP)
    .description('give a running agent something to do')
    .argument('<slug>')
    .argument('<text...>', '- reads it from stdin')
    .option('--now', 'type it whatever the agent does at the moment')
    .action(
      bind(async (face, slug: string, words: readonly string[], flags: { readonly now?: boolean }) =>
        (await import('../commands/send.ts')).send(face, slug, words, flags),
      ),
    )

  defineHooks(program, bind)

  defineEndings(program, bind)
}

function defineHooks(program: Command, bind: Bind): void {
  const hooks = program
    .command('hooks')
    .helpGroup(GROUP)
    .description('the hooks a bottle was started with, and what came of them')
    .argument('[slug]')
    .option('-n, --lines <n>', 'so many of the last runs')
    .action(
      bind(async (face, slug: string | undefined, flags: { readonly lines?: string }) =>
        (await import('../commands/hooks.ts')).hooks(face, slug, flags),
      ),
    )
  hooks
    .command('try')
    .description('run the hooks of a point with what they were told last')
    .argument('<slug>')
    .argument('<point>', 'pre_start, post_freeze, …')
    .action(
      bind(async (face, slug: string, point: string) =>
        (await import('../commands/hooks.ts')).tryHook(face, slug, point),
      ),
    )
}

function defineEndings(program: Command, bind: Bind): void {
  const simple = (name: 'stop' | 'restart', description: string) =>
    program
      .command(name)
      .helpGroup(GROUP)
      .description(description)
      .argument('[slug]')
      .option('--yes', 'agree to all questions')

  simple('stop', 'stop a bottle; its files stay')
    .option('--force', 'neither wait for the agent to end by itself nor heed a hook that is against it')
    .action(
      bind(
        async (face, slug: string | undefined, flags: { readonly yes?: boolean; readonly force?: boolean }) =>
          (await import('../commands/stop.ts')).stop(face, slug, flags),
      ),
    )
  simple('restart', 'start a stopped bottle again as it was').action(
    bind(async (face, slug: string | undefined, flags: { readonly yes?: boolean }) =>
      (await import('../commands/stop.ts')).restart(face, slug, flags),
    ),
  )

  program
    .command('stop-all')
    .helpGroup(GROUP)
    .description('stop every bottle that runs')
    .option('--force', 'neither wait for the agents to end by themselves nor heed hooks that are against it')
    .action(
      bind(async (face, flags: { readonly force?: boolean }) =>
        (await import('../commands/stop.ts')).stopAll(face, flags),
      ),
    )

  program
    .command('destroy')
    .helpGroup(GROUP)
    .description('remove a bottle; its state and snapshots wait 7 days in the trash')
    .argument('[slug]')
    .option('--freeze', 'freeze first, so that the trash holds the newest work')
    .option('--purge', 'no trash: everything goes at once')
    .option('--force', 'remove the records even when the engine cannot be reached')
    .option('--yes', 'do not ask')
    .action(
      bind(async (face, slug: string | undefined, flags: DestroyFlags) =>
        (await import('../commands/destroy.ts')).destroy(face, slug, flags),
      ),
    )
}
