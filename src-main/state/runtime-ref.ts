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
