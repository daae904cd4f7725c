import { bottleError } from '../system/bottle-error.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import type { Artifacts } from './artifact-services.ts'

/**
 * Builds the artifact services. Modules are loaded on first use: no other command pays for them.
 */
export function createArtifacts(_deps: Omit<ArtifactDeps, 'store' | 'workers'>): Artifacts {
  const notYet = async (): Promise<never> => {
    throw bottleError('unsupported', 'This is not there yet.')
  }
  return {
    export: notYet,
    import: notYet,
    push: notYet,
    pull: notYet,
    searchSecrets: notYet,
    diff: notYet,
    diffFile: notYet,
    verify: notYet,
    deleteSnapshot: notYet,
    usage: notYet,
    prune: notYet,
  }
}
