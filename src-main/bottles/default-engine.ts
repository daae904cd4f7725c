import type { BackendName, EngineReport } from '../../src-preload/contract/index.ts'
import type { Backend } from '../backends/backend.ts'
import { BACKENDS, type Backends } from '../backends/registry.ts'

export interface FoundEngine {
  readonly backend: Backend
  readonly report: EngineReport
}

/** Backends that run images, in the order in which they are taken when nobody names one. Pure. */
export function imageBackends(first: string | null, known: readonly BackendName[] = BACKENDS): BackendName[] {
  const able = known.filter((name) => name !== 'host')
  return [...able.filter((name) => name === first), ...able.filter((name) => name !== first)]
}

/**
 * The container engine for a bottle that names none: the first that is installed, where `first` goes before the others
 * if it answers. One that is installed but does not answer is never replaced in silence. Null when there is none.
 */
export async function defaultEngine(
  backends: Pick<Backends, 'get' | 'isInstalled'>,
  first: string | null,
  signal: AbortSignal,
): Promise<FoundEngine | null> {
  for (const name of imageBackends(first)) {
    if (!(await backends.isInstalled(name))) continue
    const backend = await backends.get(name)
    const report = await backend.probe(signal)
    if (report.state === 'missing') continue
    // What it came from is a wish; what is usual here is a choice.
    if (name === first && name !== 'docker' && report.state !== 'ready') continue
    return { backend, report }
  }
  return null
}
