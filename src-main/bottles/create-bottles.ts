import { requireSlug } from '../state/slug.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import type { BottleDeps } from './deps.ts'
import { readBottles, readRows } from './read-bottles.ts'
import type { Bottles } from './services.ts'

/**
 * Builds the services. Each operation on a bottle first reconciles what a dead process left of that bottle.
 * Modules are loaded on first use: a list must not pay for manifests, a freeze not for destroys.
 */
export function createBottles(deps: ArtifactDeps): Bottles {
  const settle = async (slug: string, signal: AbortSignal): Promise<void> => {
    await (await import('./settle.ts')).settleBottle(deps, slug, signal)
  }
  return {
    recover: async (context) => (await import('./recover.ts')).recoverAll(deps, context.signal),
    list: (signal) => readBottles(deps, signal),
    rows: (slugs, signal) => readRows(deps, slugs, signal),
    detail: async (slug, signal) => {
      await settle(slug, signal)
      return (await import('./detail.ts')).readDetail(deps, slug, signal)
    },
    status: async (slug, signal) => (await import('./agent-status.ts')).readAgentStatus(deps, slug, signal),
    journal: async (slug) => (await import('../state/journal.ts')).readJournal(deps.root, requireSlug(slug)),
    activity: async (options) => (await import('./activity.ts')).readActivity(deps, options),
    plan: async (request, signal) => (await import('./start.ts')).planStart(deps, request, signal),
    planResume: async (request, signal) => (await import('./resume.ts')).planResume(deps, request, signal),
    start: async (request, context) => {
      await (await import('./recover.ts')).recoverAll(deps, context.signal)
      return (await import('./start.ts')).start(deps, request, context)
    },
    resume: async (request, context) => {
      await settle(request.slug, context.signal)
      return (await import('./resume.ts')).resume(deps, request, context)
    },
    fork: async (request, context) => {
      await settle(request.slug, context.signal)
      return (await import('./fork.ts')).fork(deps, request, context)
    },
    freeze: async (request, context) => {
      await settle(request.slug, context.signal)
      return (await import('./freeze.ts')).freeze(deps, request, context)
    },
    stop: async (slug, options, context) => {
      await settle(slug, context.signal)
      const { GRACE_SECONDS, stop } = await import('./stop.ts')
      return stop(deps, slug, { ...options, graceSeconds: options.graceSeconds ?? GRACE_SECONDS }, context)
    },
    restart: async (slug, context, options) => {
      await settle(slug, context.signal)
      return (await import('./restart.ts')).restart(deps, slug, context, options)
    },
    destroy: async (request, context) => {
      await settle(request.slug, context.signal)
      return (await import('./destroy.ts')).destroy(deps, request, context)
    },
    cleanup: async (context) => (await import('./cleanup.ts')).cleanup(deps, context),
    adopt: async (nameOrId, options, context) =>
      (await import('./adopt.ts')).adopt(deps, nameOrId, options, context),
    hooks: async (slug) => (await import('./hooks/show-hooks.ts')).readAgentHooks(deps, slug),
    tryHook: async (slug, point, signal) =>
      (await import('./hooks/show-hooks.ts')).tryAgentHooks(deps, slug, point, signal),
    send: async (slug, text, options, signal) =>
      (await import('./send-text.ts')).sendText(deps, slug, text, options, signal),
    snapshots: async (slug) => (await import('./snapshots.ts')).listSnapshots(deps, requireSlug(slug)),
    editSnapshot: async (slug, id, edit) =>
      (await import('./snapshots.ts')).editSnapshot(deps, requireSlug(slug), id, edit),
    trash: async () => (await import('../state/trash.ts')).readTrash(deps.root),
    undo: async (idOrSlug, context) => (await import('./undo.ts')).undoDestroy(deps, idOrSlug, context),
    emptyTrash: async (context) => (await import('./purge.ts')).emptyTrash(deps, context.signal),
    logs: (slug, options, signal) => logsLazily(deps, slug, options, signal),
    attach: async (slug, size, signal) => {
      const { backend, runtime } = await liveRuntime(deps, slug, signal)
      return backend.attach(runtime, size, signal)
    },
    waitForExit: async (slug, signal) => {
      const { waitForExit } = await import('./run-lifecycle.ts')
      return waitForExit(deps, requireSlug(slug), signal)
    },
    engines: async (signal) => {
      const { readEngineReports } = await import('./engine-reports.ts')
      return readEngineReports(await deps.backends.all(), signal)
    },
    watch: (signal) => watchLazily(deps, signal),
  }
}

async function* logsLazily(
  ...args: Parameters<typeof import('./run-logs.ts').readLogs>
): AsyncIterable<Uint8Array> {
  requireSlug(args[1])
  yield* (await import('./run-logs.ts')).readLogs(...args)
}

async function* watchLazily(deps: BottleDeps, signal: AbortSignal): AsyncIterable<string | null> {
  yield* (await import('./watch-bottles.ts')).watchBottles(deps, signal)
}

async function liveRuntime(deps: BottleDeps, slug: string, signal: AbortSignal) {
  const [{ requireMetadata }, { ownedRuntime }] = await Promise.all([
    import('../state/metadata.ts'),
    import('./find-runtime.ts'),
  ])
  const metadata = await requireMetadata(deps.root, requireSlug(slug))
  const backend = await deps.backends.get(metadata.backend)
  const runtime = await ownedRuntime(deps, slug, backend, signal)
  if (!runtime) {
    throw bottleError('not-found', `${slug} does not run. icebox resume ${slug} starts it again.`, { slug })
  }
  return { backend, runtime }
}
