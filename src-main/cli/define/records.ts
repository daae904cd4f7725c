import type { Command } from 'commander'
import type { Bind } from './bind.ts'

const GROUP = 'Snapshots and trash:'

/** Snapshots, the trash, and putting engines in order. */
export function defineRecordCommands(program: Command, bind: Bind): void {
  program
    .command('snapshots')
    .helpGroup(GROUP)
    .description('the snapshots of a bottle as a tree')
    .argument('[slug]')
    .action(
      bind(async (face, slug: string | undefined) =>
        (await import('../commands/snapshots.ts')).snapshots(face, slug),
      ),
    )

  program
    .command('pin')
    .helpGroup(GROUP)
    .description('keep a snapshot from being thinned out')
    .argument('<snapshot>', 'SLUG@ID or SLUG@latest')
    .option('--off', 'take the pin away')
    .action(
      bind(async (face, target: string, flags: { readonly off?: boolean }) =>
        (await import('../commands/snapshots.ts')).pin(face, target, flags),
      ),
    )

  program
    .command('note')
    .helpGroup(GROUP)
    .description('write a note on a snapshot; an empty one removes it')
    .argument('<snapshot>', 'SLUG@ID or SLUG@latest')
    .argument('<text...>')
    .action(
      bind(async (face, target: string, words: readonly string[]) =>
        (await import('../commands/snapshots.ts')).note(face, target, words),
      ),
    )

  const trash = program.command('trash').helpGroup(GROUP).description('destroyed bottles, kept for 7 days')
  trash
    .command('list')
    .description('what is in the trash')
    .action(bind(async (face) => (await import('../commands/trash.ts')).trashList(face)))
  trash
    .command('undo')
    .description('bring a destroyed bottle back')
    .argument('[entry]', 'id of the entry, or the slug for its newest')
    .action(
      bind(async (face, entry: string | undefined) =>
        (await import('../commands/trash.ts')).trashUndo(face, entry),
      ),
    )
  trash
    .command('empty')
    .description('delete everything in the trash for good')
    .option('--yes', 'do not ask')
    .action(
      bind(async (face, flags: { readonly yes?: boolean }) =>
        (await import('../commands/trash.ts')).trashEmpty(face, flags),
      ),
    )

  program
    .command('adopt')
    .helpGroup(GROUP)
    .description('make an existing foreign container a bottle')
    .argument('<container>', 'its name or id')
    .option('--label <text>', 'name of the bottle')
    .option('--backend <name>', 'the engine that has it')
    .option('--yes', 'do not ask')
    .action(
      bind(
        async (
          face,
          container: string,
          flags: { readonly label?: string; readonly backend?: string; readonly yes?: boolean },
        ) => (await import('../commands/adopt.ts')).adopt(face, container, flags),
      ),
    )

  program
    .command('cleanup')
    .helpGroup(GROUP)
    .description('remove what no record names; preserved bottles are never touched')
    .option('--yes', 'do not ask')
    .action(
      bind(async (face, flags: { readonly yes?: boolean }) =>
        (await import('../commands/adopt.ts')).cleanup(face, flags),
      ),
    )
}
