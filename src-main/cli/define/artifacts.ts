import { type Command, Option } from 'commander'
import type { DiffFlags } from '../commands/diff.ts'
import type { ExportFlags } from '../commands/export.ts'
import type { PruneFlags } from '../commands/prune.ts'
import type { Bind } from './bind.ts'

const GROUP = 'Artifacts and space:'
const TARGET = 'SLUG, SLUG@ID or SLUG@latest'

/** Frozen bottles as files and in registries, what differs between them, and what they take up. */
export function defineArtifactCommands(program: Command, bind: Bind): void {
  program
    .command('export')
    .helpGroup(GROUP)
    .summary('write a snapshot as one file that every OCI tool reads')
    .description('write a snapshot as one portable file that every OCI tool can read')
    .argument('[bottle]', TARGET)
    .option('-o, --output <file>', 'where to write (default: standard output, which must not be a terminal)')
    .option('--thin', 'leave out the base image; importing then needs it')
    .addOption(
      new Option('--compress <how>', 'of the layers').choices(['gzip', 'zstd', 'none']).default('gzip'),
    )
    .addOption(scrubOption())
    .option('--force', 'replace the file when it is there')
    .action(
      bind(async (face, bottle: string | undefined, flags: ExportFlags) =>
        (await import('../commands/export.ts')).exportCommand(face, bottle, flags),
      ),
    )

  program
    .command('import')
    .helpGroup(GROUP)
    .summary('take in a .bottle file, or what docker or podman saved')
    .description('take in a .bottle file, or what docker, podman or skopeo saved, as a frozen bottle')
    .argument('<file...>', 'files, or - for standard input')
    .option('--label <text>', 'name of the bottle; its slug is made from it')
    .action(
      bind(async (face, files: readonly string[], flags: { readonly label?: string }) =>
        (await import('../commands/import.ts')).importCommand(face, files, flags),
      ),
    )

  program
    .command('push')
    .helpGroup(GROUP)
    .summary('put a snapshot into an OCI registry')
    .description('put a snapshot into an OCI registry; only what it lacks travels')
    .argument('<bottle>', TARGET)
    .argument('<reference>', 'registry/name:tag')
    .addOption(scrubOption())
    .action(
      bind(async (face, bottle: string, reference: string, flags: { readonly scrub?: string }) =>
        (await import('../commands/push.ts')).push(face, bottle, reference, flags),
      ),
    )

  program
    .command('pull')
    .helpGroup(GROUP)
    .summary('take an image of a registry in as a frozen bottle')
    .description('take an image of an OCI registry in as a frozen bottle')
    .argument('<reference>', 'registry/name:tag or registry/name@sha256:…')
    .option('--label <text>', 'name of the bottle; its slug is made from it')
    .action(
      bind(async (face, reference: string, flags: { readonly label?: string }) =>
        (await import('../commands/push.ts')).pull(face, reference, flags),
      ),
    )

  defineChecks(program, bind)
  defineSpace(program, bind)
}

function defineChecks(program: Command, bind: Bind): void {
  program
    .command('diff')
    .helpGroup(GROUP)
    .summary('what differs between snapshots, or since the last one')
    .description('what differs between two snapshots, or between a snapshot and the bottle as it is now')
    .argument('<from>', `${TARGET}; alone, SLUG compares its current snapshot with the bottle now`)
    .argument('[to]', 'SLUG@ID, or SLUG for the bottle as it is now')
    .option('--file <path>', 'the text of one file, line by line')
    .option('--names', 'every changed path, not only the sums of folders')
    .action(
      bind(async (face, from: string, to: string | undefined, flags: DiffFlags) =>
        (await import('../commands/diff.ts')).diff(face, from, to, flags),
      ),
    )

  program
    .command('verify')
    .helpGroup(GROUP)
    .summary('prove that a snapshot can be restored')
    .description('prove that a snapshot can be restored: boot it without network and run its health check')
    .argument('[bottle]', TARGET)
    .action(
      bind(async (face, bottle: string | undefined) =>
        (await import('../commands/verify.ts')).verify(face, bottle),
      ),
    )
}

function defineSpace(program: Command, bind: Bind): void {
  program
    .command('prune')
    .helpGroup(GROUP)
    .summary('thin out old snapshots, or delete named ones')
    .description('thin out old snapshots by age, or delete the ones that are named; they go to the trash')
    .argument(
      '[bottle...]',
      'SLUG to thin out only that bottle (default: all), SLUG@ID to delete that snapshot',
    )
    .option('--dry-run', 'only tell what would go')
    .option('--last <n>', 'keep the newest n')
    .option('--hourly <n>', 'and the last one of each of n hours')
    .option('--daily <n>', 'and the last one of each of n days')
    .option('--weekly <n>', 'and the last one of each of n weeks')
    .option('--yes', 'do not ask')
    .action(
      bind(async (face, targets: readonly string[], flags: PruneFlags) =>
        (await import('../commands/prune.ts')).prune(face, targets, flags),
      ),
    )

  program
    .command('du')
    .helpGroup(GROUP)
    .summary('what snapshots and portable copies take up')
    .description('what snapshots, portable copies and the trash take up; shared parts counted once')
    .action(bind(async (face) => (await import('../commands/du.ts')).du(face)))
}

function scrubOption(): Option {
  return new Option(
    '--scrub <what>',
    'when secrets are found: strip them, or keep them (default: ask, or refuse)',
  ).choices(['strip', 'keep'])
}
