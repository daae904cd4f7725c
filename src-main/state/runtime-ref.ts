import type { BackendName } from '../../src-preload/contract/index.ts'

/** Names one run on one engine; kept in metadata, so it must be plain JSON. */
export interface RuntimeRef {
  readonly backend: BackendName
  /** Container id, or the pid of the runner on the host. */
  readonly id: string
  /** `bot-bottle-<slug>` on engines with names. */
  readonly name: string
  readonly slug: string
  readonly runId: string
  /** Volumes, networks and sidecars that belong to the run, so that records name all that exists. */
  readonly volumes: readonly string[]
  readonly networks: readonly string[]
  readonly sidecars: readonly { readonly id: string; readonly name: string }[]
  /** Backend's own facts (process identity, isolation, base image id…). */
  readonly facts: Readonly<Record<string, unknown>>
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Reads a reference that any version has written; null when it names nothing. Pure. */
export function parseRuntimeRef(value: unknown): RuntimeRef | null {
  if (!isRecord(value)) return null
  const id = text(value.id)
  const name = text(value.name)
  if (!id && !name) return null
  return {
    ...value,
    backend: (text(value.backend) || 'docker') as BackendName,
    id,
    name,
    slug: text(value.slug),
    runId: text(value.runId),
    volumes: texts(value.volumes),
    networks: texts(value.networks),
    sidecars: (Array.isArray(value.sidecars) ? value.sidecars : [])
      .filter(isRecord)
      .map((sidecar) => ({ ...sidecar, id: text(sidecar.id), name: text(sidecar.name) })),
    facts: isRecord(value.facts) ? value.facts : {},
  }
}
