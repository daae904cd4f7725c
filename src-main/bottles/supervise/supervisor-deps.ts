import type { StateRoot } from '../../state/root.ts'
import type { ArtifactDeps } from '../artifact-deps.ts'
import type { Bottles } from '../services.ts'
import type { Lease } from './lease.ts'
import type { Parts } from './parts.ts'
import type { Clock, Wheel } from './wheel.ts'

/** What supervision stands on; made once in icebox.ts. */
export interface SupervisorDeps {
  readonly services: ArtifactDeps
  readonly bottles: Pick<Bottles, 'freeze' | 'restart' | 'watch' | 'waitForExit'>
  /** Told what could not be done, once for each cause as far as that can be known. */
  readonly warn: (error: unknown) => void
  /** The parts of other folders; tests give their own. */
  readonly parts: Parts
  readonly clock: Clock
  /** 0 to 1. */
  readonly random: () => number
}

/** What all agents of one supervisor share while its lease holds. */
export interface Session extends SupervisorDeps {
  readonly root: StateRoot
  readonly lease: Lease
  readonly wheel: Wheel
  /** Aborted when the lease is lost or the process ends. */
  readonly signal: AbortSignal
  /** Asks for a look at the bottle's records. */
  readonly recheck: (slug: string) => void
}
