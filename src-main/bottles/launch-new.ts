import { writeLaunched } from '../agents/launched-agent.ts'
import type { LaunchPlan, RuntimeRef } from '../backends/backend.ts'
import { notifyChange } from '../state/changes.ts'
import { clearIntent, intentText } from '../state/intent.ts'
import { appendJournal } from '../state/journal.ts'
import {
  type IceboxFacts,
  METADATA_VERSION,
  type Metadata,
  metadataText,
  withRun,
  writeMetadata,
} from '../state/metadata.ts'
import { removeTree } from '../state/remove-tree.ts'
import { toBottleError } from '../system/bottle-error.ts'
import { faultPoint } from '../system/fault.ts'
import { copyDefinitions } from './carried-definitions.ts'
import type { BottleDeps } from './deps.ts'
import { countHooks } from './hooks/bottle-hooks.ts'
import { beforeLaunch } from './hooks/launch-hooks.ts'
import { isRunLeft } from './leftovers.ts'
import { type LaunchTarget, type PreparedRun, toLaunchPlan, writeBuildContext } from './prepare-run.ts'
import { reserveSlug, type SlugWish } from './reserve-slug.ts'
import { newRunId } from './run-id.ts'
import { ensureLogFolder, newRun, tellLaunchNotices } from './run-lifecycle.ts'
import { orderOf } from './run-order.ts'
import type { Launched, OperationContext } from './services.ts'

export interface NewBottle {
  readonly wish: SlugWish
  readonly op: 'start' | 'fork'
  readonly label: string
  readonly color: string
  readonly image: LaunchTarget['image']
  readonly forkOf: IceboxFacts['forkOf']
}

export interface LaunchedRun extends Launched {
  readonly plan: LaunchPlan
  readonly ref: RuntimeRef
}

/** The first metadata of a bottle, written before any runtime exists (invariant I5). Pure. */
export function firstMetadata(
  deps: BottleDeps,
  prepared: PreparedRun,
  bottle: NewBottle,
  slug: string,
  now: Date,
): Metadata {
  const { request, resolved, planned, backend } = prepared
  const copied = request.copyCwd && request.cwd ? request.cwd : ''
  return {
    identity: slug,
    agentName: request.agent ?? '',
    cwd: copied,
    copyCwd: request.copyCwd,
    startedAt: now.toISOString(),
    composeProject: backend.name === 'docker' ? `bot-bottle-${slug}` : '',
    backend: backend.name,
    label: bottle.label,
    color: bottle.color,
    bottleNames: resolved?.bottleNames ?? request.bottleNames,
    icebox: {
      version: METADATA_VERSION,
      root: deps.root.id,
      provider: resolved?.agent.provider ?? '',
      agentSource: resolved ? `${resolved.agent.source}: ${resolved.agent.file}` : '',
      runs: [],
      policy: planned.network === 'none' ? 'no-network' : planned.network,
      secretNames: planned.secretNames,
      forgeEnvNames: Object.keys(request.forgeEnv),
      adopted: false,
      forkOf: bottle.forkOf,
      volumes: [],
      notices: prepared.notices,
      hooksConfigured: countHooks(resolved),
    },
    raw: {},
  }
}

/**
 * Makes a new bottle and launches its first run: reserve → launch → record. After a failure nothing is left,
 * neither on the engine nor on disk.
 */
export async function launchNew(
  deps: BottleDeps,
  prepared: PreparedRun,
  bottle: NewBottle,
  context: OperationContext,
): Promise<LaunchedRun> {
  const { root } = deps
  const { backend, request } = prepared
  const runId = newRunId()
  const now = new Date()
  const order = orderOf(prepared)
  const launch = {
    interactive: request.mode === 'interactive',
    fromSnapshot: bottle.image?.kind === 'snapshot' ? bottle.image.snapshot.id : null,
    order,
  }
  const reservation = await reserveSlug(
    root,
    bottle.wish,
    backend,
    async (slug) => ({
      'metadata.json': metadataText(firstMetadata(deps, prepared, bottle, slug, now)),
      'intent.json': await intentText({
        op: bottle.op,
        runId,
        previous: null,
        runtime: null,
        snapshotId: null,
        target: null,
        draft: null,
        launch,
      }),
    }),
    context.signal,
  )
  const { slug } = reservation
  try {
    faultPoint(`${bottle.op}:after-reserve`)
    await ensureLogFolder(deps, slug)
    if (bottle.forkOf) await copyDefinitions(root, bottle.forkOf.slug, slug)
    const plan = toLaunchPlan(deps, prepared, { slug, runId, previous: null, image: bottle.image })
    try {
      await writeBuildContext(prepared, plan)
      await writeLaunched(root, slug, prepared.resolved, runId)
      const event = { slug, runId, label: bottle.label, cause: bottle.op, snapshot: launch.fromSnapshot }
      await beforeLaunch(deps, prepared, event, context)
      const startedAt = new Date()
      const ref = await backend.launch(plan, context.progress, context.signal)
      faultPoint(`${bottle.op}:after-launch`)
      tellLaunchNotices(ref, context.notice)
      const metadata = firstMetadata(deps, prepared, bottle, slug, now)
      await writeMetadata(root, slug, withRun(metadata, newRun(plan, ref, startedAt, order)))
      faultPoint(`${bottle.op}:after-record`)
      await clearIntent(root, slug)
      await journalLaunch(deps, slug, bottle, prepared)
      return { slug, runId, snapshot: launch.fromSnapshot, plan, ref }
    } catch (thrown) {
      throw await abandon(deps, prepared, slug, runId, thrown)
    }
  } finally {
    await reservation.release()
  }
}

/** Takes a failed launch back; what can't be taken back stays named by the intent, for recovery. */
async function abandon(
  deps: BottleDeps,
  prepared: PreparedRun,
  slug: string,
  runId: string,
  thrown: unknown,
): Promise<Error> {
  const failed = toBottleError(thrown)
  const left = await isRunLeft(deps, prepared.backend, runId)
  if (!left) {
    await removeTree(deps.root.path('state', slug))
    notifyChange(deps.root, slug)
  }
  return failed
}

async function journalLaunch(
  deps: BottleDeps,
  slug: string,
  bottle: NewBottle,
  prepared: PreparedRun,
): Promise<void> {
  await appendJournal(deps.root, slug, {
    op: bottle.op,
    outcome: 'done',
    message: `Started on ${prepared.backend.name}.`,
  })
  if (prepared.planned.network === 'unenforced') {
    await appendJournal(deps.root, slug, {
      op: bottle.op,
      outcome: 'notice',
      message: 'Started with its egress rules NOT enforced, as asked by --unenforced-egress.',
    })
  }
}
