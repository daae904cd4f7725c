import type { Backends } from '../backends/registry.ts'
import type { StateRoot } from '../state/root.ts'
import type { SecretStore } from '../state/secrets.ts'

/** What the services of this folder stand on; made once in icebox.ts. */
export interface BottleDeps {
  readonly root: StateRoot
  readonly backends: Backends
  /** Opened on first need: most commands need no secret. */
  readonly secrets: () => Promise<SecretStore>
  readonly env: NodeJS.ProcessEnv
}
