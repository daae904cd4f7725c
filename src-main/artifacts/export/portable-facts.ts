import type { Snapshot } from '../../../src-preload/contract/index.ts'
import type { SnapshotFacts } from '../facts.ts'

/** What the bottle's own files tell; text comes from callers that know where it lies. */
export type BottleFacts = Pick<SnapshotFacts, 'bottle' | 'definitions'>

/**
 * A record as it travels: what captured content means, and nothing of the machine (reference, engine ids, host paths).
 * Too long texts are cut to what an import accepts. Pure.
 */
export function portableFacts(snapshot: Snapshot, bottle: BottleFacts, baseLayers: number): SnapshotFacts {
  return {
    version: 1,
    snapshot: {
      id: snapshot.id,
      parent: snapshot.parent,
      backend: snapshot.backend.slice(0, 40),
      createdAt: snapshot.createdAt.slice(0, 40),
      fidelity: snapshot.fidelity,
      leftOut: snapshot.leftOut.slice(0, 10_000).map(withoutHostPath),
      reason: snapshot.reason,
      note: snapshot.note.slice(0, 500),
      label: snapshot.label.slice(0, 500),
      ...(snapshot.session === undefined ? {} : { session: snapshot.session }),
      facts: withoutEngineIds(snapshot.facts),
    },
    ...bottle,
    volumes: snapshot.volumes.map(({ destination, kind, name, bytes, sha256 }) => ({
      destination,
      kind,
      name,
      bytes,
      sha256,
    })),
    baseLayers,
    scrub: null,
  }
}

/** `bind /home/me/code → /workspace` without its first path, which is nobody's business elsewhere. */
function withoutHostPath(line: string): string {
  return line.replace(/^bind .* → (?=\/)/s, 'bind → ').slice(0, 4096)
}

/** Keys that name things of one engine, and times that a freeze took there. */
const ENGINE_KEYS: ReadonlySet<string> = new Set([
  'containerId',
  'containerFinishedAt',
  'changesFingerprint',
  'pausedMs',
])

function withoutEngineIds(facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).filter(([key]) => !ENGINE_KEYS.has(key)))
}
