import { basename } from 'node:path'
import type { ImportResult, Snapshot } from '../../src-preload/contract/index.ts'
import type { Backend } from '../backends/backend.ts'
import type { Portable } from '../backends/portable.ts'
import { clearIntent } from '../state/intent.ts'
import { appendJournal } from '../state/journal.ts'
import { markPreserved, writeCommittedImage, writeSnapshot } from '../state/snapshot-files.ts'
import { toBottleError } from '../system/bottle-error.ts'
import { faultPoint } from '../system/fault.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import type { ImportOptions } from './import-bottle.ts'
import {
  draftUnderFreeId,
  freeSnapshotId,
  type ImportedImage,
  type ImportReservation,
  reserveImport,
} from './import-records.ts'
import { removeImport } from './recover-import.ts'
import type { OperationContext } from './services.ts'

/** Milliseconds that taking a failed import back may last. */
const TAKE_BACK_MS = 120_000
const NAME = 'smolmachines'

/**
 * Makes a frozen bottle of a file that smolvm wrote: a pack, or a checkpoint with memory. Null where smolvm is not
 * installed, since nobody else reads it. Whatever fails, nothing of it stays.
 * @throws BottleError `artifact-invalid`, `unsupported`, `disk-full`, …
 */
export async function importPack(
  deps: ArtifactDeps,
  file: string,
  options: ImportOptions,
  context: OperationContext,
): Promise<ImportResult | null> {
  if (!(await deps.backends.isInstalled(NAME))) return null
  const backend = await deps.backends.get(NAME)
  const { adopt } = await backend.portable()
  if (!adopt) return null
  const name = basename(file).replace(/\.(smolmachine|smolcheckpoint|checkpoint)$/i, '')
  const image: ImportedImage = { facts: null, volumes: [], staged: { name } }
  const notices = [
    `Imported from ${JSON.stringify(name)}, a machine of smolvm: it has no agent of its own, and runs its image's command.`,
  ]
  const id = await freeSnapshotId(deps, null, new Date())
  const make = (slug: string): Promise<Snapshot> =>
    draftUnderFreeId(deps, backend, image, slug, id, context.signal)
  const reservation = await reserveImport(deps, backend, image, options, notices, make, context.signal)
  try {
    return await fill(deps, backend, adopt, file, reservation, notices, context)
  } catch (thrown) {
    throw await takeBack(deps, reservation, thrown)
  } finally {
    await reservation.release()
  }
}

async function fill(
  deps: ArtifactDeps,
  backend: Backend,
  adopt: NonNullable<Portable['adopt']>,
  file: string,
  { slug, draft, wished, isRenamed }: ImportReservation,
  notices: readonly string[],
  context: OperationContext,
): Promise<ImportResult> {
  faultPoint('import:after-reserve')
  const adopted = await adopt({ file, snapshot: draft }, context.progress, context.signal)
  faultPoint('import:after-load')
  const snapshot: Snapshot = { ...draft, ...adopted }
  // From the switch of `committed-image` on the bottle is whole; before it, recovery takes everything back.
  await writeSnapshot(deps.root, snapshot)
  faultPoint('import:after-record')
  await writeCommittedImage(deps.root, slug, snapshot.reference)
  faultPoint('import:after-switch')
  await markPreserved(deps.root, slug)
  await clearIntent(deps.root, slug)
  const message = `Imported from ${JSON.stringify(basename(file))}, as ${snapshot.id}.`
  await appendJournal(deps.root, slug, { op: 'import', outcome: 'done', message })
  const all = isRenamed
    ? [`The name ${wished} is taken, so the bottle is called ${slug}.`, ...notices]
    : notices
  for (const notice of all) context.notice(notice)
  return { slug, snapshot: snapshot.id, backend: backend.name, notices: [...all] }
}

/** Undoes a failed import; what can't be undone now stays named by the intent, and recovery comes back to it. */
async function takeBack(
  deps: ArtifactDeps,
  { slug, draft }: ImportReservation,
  thrown: unknown,
): Promise<Error> {
  const failed = toBottleError(thrown)
  // The caller's signal may be what ended the import.
  const signal = AbortSignal.timeout(TAKE_BACK_MS)
  try {
    await removeImport(deps, slug, { draft, target: draft.reference }, signal)
  } catch (left) {
    await appendJournal(deps.root, slug, {
      op: 'import',
      outcome: 'failed',
      message: `${failed.message} What was made of it is removed later: ${toBottleError(left).message}`,
      code: failed.code,
    })
  }
  return failed
}
