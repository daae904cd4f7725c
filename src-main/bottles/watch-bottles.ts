import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Backend, RuntimeChange } from '../backends/backend.ts'
import { watchChanges } from '../state/changes.ts'
import { latestRun, readMetadata } from '../state/metadata.ts'
import { isSlug } from '../state/slug.ts'
import type { BottleDeps } from './deps.ts'
import { readSlugs } from './read-slugs.ts'
import { recordExit } from './run-lifecycle.ts'

/** Milliseconds between looks at everything, in case a change made no event. */
const SLOW_POLL_MS = 60_000
/** Milliseconds before an engine that can't be watched is tried again. */
const RETRY_MS = 5_000

/**
 * Slugs as they change, whoever changed them; null asks to look at everything. Ends of runs that nobody waits
 * for are recorded on the way.
 */
export async function* watchBottles(deps: BottleDeps, signal: AbortSignal): AsyncIterable<string | null> {
  const pending = new Set<string | null>()
  const wake = new EventTarget()
  const push = (slug: string | null) => {
    pending.add(slug !== null && isSlug(slug) ? slug : null)
    wake.dispatchEvent(new Event('change'))
  }
  void watchChanges(deps.root, push, signal).catch(() => push(null))
  const watchNewEngines = onceEach(
    deps.backends.installed,
    (backend) => void watchEngine(deps, backend, push, signal),
  )
  await watchNewEngines()
  void poll(push, watchNewEngines, signal)
  while (!signal.aborted) {
    if (pending.size === 0) await once(wake as never, 'change', { signal }).catch(() => undefined)
    const batch = [...pending]
    pending.clear()
    for (const slug of batch) yield slug
  }
}

/** A look at the installed engines that begins to watch those that no earlier look had found. */
export function onceEach(
  installed: () => Promise<readonly Backend[]>,
  begin: (backend: Backend) => void,
): () => Promise<void> {
  const begun = new Set<string>()
  return async () => {
    for (const backend of await installed()) {
      if (begun.has(backend.name)) continue
      begun.add(backend.name)
      begin(backend)
    }
  }
}

/** Also looks whether an engine was installed meanwhile; one that is not there costs nothing else. */
async function poll(
  push: (slug: null) => void,
  watchNewEngines: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await delay(SLOW_POLL_MS, undefined, { signal, ref: false }).catch(() => undefined)
    if (signal.aborted) return
    push(null)
    await watchNewEngines().catch(() => undefined)
  }
}

async function watchEngine(
  deps: BottleDeps,
  backend: Backend,
  push: (slug: string | null) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const change of backend.watch(signal)) {
        push(change.slug)
        if (change.kind === 'exited') void settle(deps, backend, change, push, signal).catch(() => push(null))
      }
    } catch {
      // An engine that is away shows in the list as unknown; here it is only tried again.
    }
    await delay(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

/** Records the exit of a run that ended, once, whoever else waits for it too. */
async function settle(
  deps: BottleDeps,
  backend: Backend,
  change: RuntimeChange,
  push: (slug: string | null) => void,
  signal: AbortSignal,
): Promise<void> {
  const slugs = change.slug ? [change.slug] : await readSlugs(deps)
  for (const slug of slugs.filter(isSlug)) {
    const read = await readMetadata(deps.root, slug)
    const run = read.kind === 'ok' ? latestRun(read.metadata) : null
    if (!run?.ref || run.exit || run.ref.backend !== backend.name) continue
    if (!(await backend.isThere(run.ref, signal))) continue
    const exit = await backend
      .wait(run.ref, AbortSignal.any([signal, AbortSignal.timeout(2000)]))
      .catch(() => null)
    if (exit) await recordExit(deps, backend, slug, run, exit, signal)
    push(slug)
  }
}
