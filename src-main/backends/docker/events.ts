import { setTimeout as sleep } from 'node:timers/promises'
import type { RuntimeChange } from '../backend.ts'
import type { Engine } from './engine.ts'
import { jsonLines } from './json-lines.ts'
import { hasBottleName, LABEL, labelOf, slugFromName } from './labels.ts'

const KINDS: Readonly<Record<string, RuntimeChange['kind']>> = {
  create: 'created',
  start: 'started',
  die: 'exited',
  destroy: 'removed',
  pause: 'paused',
  unpause: 'unpaused',
  rename: 'renamed',
}

const GAP: RuntimeChange = { backend: 'docker', slug: null, id: null, kind: 'engine' }
const MAX_PAUSE_MS = 10_000

/**
 * The engine's events until the signal aborts. Reconnects by itself; tells `engine` when it is connected, since
 * changes before that were missed, and when the connection is lost.
 */
export async function* watchEvents(
  engine: Engine,
  rootId: string,
  signal: AbortSignal,
): AsyncGenerator<RuntimeChange> {
  const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: Object.keys(KINDS) }))
  for (let pause = 250; !signal.aborted; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
    try {
      const stream = await engine.stream('watch events', `/events?filters=${filters}`, signal)
      // What happened before this connection, the first one too, was missed.
      yield GAP
      pause = 250
      for await (const event of jsonLines(stream)) {
        const change = toChange(event as unknown as ContainerEvent, rootId)
        if (change) yield change
      }
    } catch {
      // Whatever cut the connection, trying again is the answer.
    }
    if (signal.aborted) return
    if (pause === 250) yield GAP
    await sleep(pause, undefined, { signal }).catch(() => {})
  }
}

interface ContainerEvent {
  readonly Action?: string
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> }
}

/** Pure: null for other roots' containers and for ones that are no bottles. */
export function toChange(event: ContainerEvent, rootId: string): RuntimeChange | null {
  const kind = KINDS[event.Action ?? '']
  const attributes = event.Actor?.Attributes ?? {}
  const root = labelOf(attributes, LABEL.root)
  const name = attributes.name ?? ''
  if (!kind || (root !== null && root !== rootId)) return null
  const wasBottle = hasBottleName(attributes.oldName ?? '')
  if (root === null && !hasBottleName(name) && !wasBottle) return null
  return {
    backend: 'docker',
    slug: labelOf(attributes, LABEL.slug) ?? slugFromName(name),
    id: event.Actor?.ID ?? null,
    kind,
  }
}
