import { bottleError } from '../../system/bottle-error.ts'
import { containerName } from '../labels.ts'

export {
  committedPrefix,
  containerName,
  hasBottleName,
  isImageName,
  LABEL,
  labelOf,
  ownerLabels,
  RUN_DIR,
  slugFromName,
  snapshotTag,
} from '../labels.ts'

export const previousName = (slug: string, runId: string) =>
  `${containerName(slug)}.prev-${runId || 'legacy'}`
export const sidecarName = (slug: string, runId: string, name: string) =>
  `${containerName(slug)}.${runId}.${name}`
export const networkName = (slug: string, runId: string) => `${containerName(slug)}.${runId}`
export const runVolumeName = (runId: string, sidecar?: string) =>
  sidecar === undefined ? `icebox-run-${runId}` : `icebox-run-${runId}-${sidecar}`
export const ownVolumeName = (runId: string, index: number) => `icebox-vol-${runId}-${index}`
export const ownVolumePrefix = 'icebox-vol-'
export const buildRepository = (slug: string) => `${containerName(slug)}-build`
export const scratchMark = (rootId: string, slug: string) => `${rootId}.${slug}`

/** Refuses run ids and sidecar names that would make a name the engine reads differently. */
export function requireNamePart(part: string, what: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_-]*$/.test(part)) return
  throw bottleError(
    'manifest-invalid',
    `"${part}" can't be used as ${what}: use letters, digits, "-" and "_".`,
  )
}

/** True for text that can be a container's name or id; the client library puts names into paths as they are. */
export const isContainerName = (text: string) => /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(text)
