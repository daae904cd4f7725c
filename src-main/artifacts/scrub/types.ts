import type { ScrubChoice, ScrubReport, SecretFinding } from '../../../src-preload/contract/index.ts'
import type { Workers } from '../../workers/types.ts'
import type { ArtifactStore, StoredSnapshot } from '../store/types.ts'

/** A declared secret's value, to be searched for literally. Never written anywhere. */
export interface KnownSecret {
  readonly name: string
  readonly value: string
}

export interface ScrubRequest {
  readonly store: ArtifactStore
  readonly workers: Workers
  readonly stored: StoredSnapshot
  readonly secrets: readonly KnownSecret[]
  readonly choice: ScrubChoice | undefined
  readonly ask: ((findings: readonly SecretFinding[]) => Promise<ScrubChoice | 'cancel'>) | undefined
}

/**
 * Searches, asks where something was found, and rebuilds what is to be stripped.
 * @throws BottleError `secrets-found` without a choice and nobody to ask, `cancelled`
 */
export type Scrub = (
  request: ScrubRequest,
  signal: AbortSignal,
) => Promise<{ readonly stored: StoredSnapshot; readonly report: ScrubReport }>
