import type { BackendName } from '../../src-preload/contract/index.ts'
import { clearIntent, intentText } from '../state/intent.ts'
import { appendJournal } from '../state/journal.ts'
import { METADATA_VERSION, type Metadata, metadataText, withRun, writeMetadata } from '../state/metadata.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import { readRuntimeIds } from './known-runtimes.ts'
import { reserveSlug } from './reserve-slug.ts'
import { newRunId } from './run-id.ts'
import type { OperationContext } from './services.ts'

/**
 * Makes an existing foreign container a bottle: it is known by its id from then on, never renamed and not
 * touched now.
 * @throws BottleError `not-found`, `exists` when it is a bottle already or another state root's
 */
export async function adopt(
  deps: BottleDeps,
  nameOrId: string,
  options: { readonly label?: string; readonly backend?: BackendName },
  context: OperationContext,
): Promise<{ readonly slug: string }> {
  const backend = await deps.backends.get(options.backend ?? '')
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/.test(nameOrId)) {
    throw bottleError('usage', `${JSON.stringify(nameOrId.slice(0, 60))} is no container name or id.`)
  }
  const ref = await backend.find(nameOrId, context.signal)
  if (!ref) throw bottleError('not-found', `${backend.name} has no container ${nameOrId}.`)
  const owner = ref.facts.root
  if (typeof owner === 'string' && owner !== '') {
    throw bottleError(
      'exists',
      `${nameOrId} belongs to a bottle already${owner === deps.root.id ? '' : ' of another state folder'}.`,
    )
  }
  if ((await readRuntimeIds(deps)).has(ref.id))
    throw bottleError('exists', `${nameOrId} was adopted already.`)
  const runId = newRunId()
  const label = options.label || ref.name.replace(/^bot-bottle-/, '')
  const reservation = await reserveSlug(
    deps.root,
    { label, agentName: 'adopted', mayNumber: true },
    // The container itself may have the name that a new bottle would get; that is no obstacle here.
    { isNameTaken: async () => false },
    async (slug) => ({
      'metadata.json': metadataText(adoptedMetadata(deps, slug, label, backend.name)),
      'intent.json': await intentText({
        op: 'adopt',
        runId,
        previous: null,
        runtime: null,
        snapshotId: null,
        target: null,
        draft: null,
      }),
    }),
    context.signal,
  )
  const { slug } = reservation
  try {
    const metadata = adoptedMetadata(deps, slug, label, backend.name)
    const run = {
      id: runId,
      startedAt: new Date().toISOString(),
      interactive: true,
      fromSnapshot: null,
      ref: { ...ref, slug, runId },
      exit: null,
      isStopped: false,
    }
    await writeMetadata(deps.root, slug, withRun(metadata, run))
    await clearIntent(deps.root, slug)
    await appendJournal(deps.root, slug, { op: 'adopt', outcome: 'done', message: `Adopted ${ref.name}.` })
  } finally {
    await reservation.release()
  }
  return { slug }
}

function adoptedMetadata(deps: BottleDeps, slug: string, label: string, backend: string): Metadata {
  return {
    identity: slug,
    agentName: '',
    cwd: '',
    copyCwd: false,
    startedAt: new Date().toISOString(),
    composeProject: '',
    backend,
    label,
    color: '',
    bottleNames: [],
    icebox: {
      version: METADATA_VERSION,
      root: deps.root.id,
      provider: '',
      agentSource: '',
      runs: [],
      policy: 'default',
      secretNames: [],
      forgeEnvNames: [],
      adopted: true,
      forkOf: null,
      // The container's own volumes are not ours: nothing of ours ever deletes them.
      volumes: [],
      notices: [],
    },
    raw: {},
  }
}
