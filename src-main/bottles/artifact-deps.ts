import type { ArtifactStore } from '../artifacts/store/types.ts'
import type { SettingsStore } from '../state/settings.ts'
import type { Workers } from '../workers/types.ts'
import type { BottleDeps } from './deps.ts'

/** What the artifact services stand on; made once in icebox.ts, each part on first need. */
export interface ArtifactDeps extends BottleDeps {
  readonly store: () => Promise<ArtifactStore>
  readonly workers: () => Promise<Workers>
  readonly settings: () => Promise<SettingsStore>
}
