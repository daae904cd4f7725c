import type { ReadImage } from '../artifacts/import/read-staged.ts'
import type { Backend } from '../backends/backend.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { ArtifactDeps } from './artifact-deps.ts'

/**
 * Where an imported bottle lives: on this machine when its files were frozen on one, else in Docker.
 * @throws BottleError `engine-missing`, `engine-down`
 */
export async function chooseImportBackend(
  deps: ArtifactDeps,
  image: ReadImage,
  signal: AbortSignal,
): Promise<Backend> {
  if (image.facts?.snapshot.backend === 'host') return deps.backends.get('host')
  const docker = await deps.backends.get('docker')
  const report = await docker.probe(signal)
  if (report.state === 'ready' || report.state === 'unknown') return docker
  const fix = report.fix ? ` Try: ${report.fix}` : ''
  throw report.state === 'missing'
    ? bottleError('engine-missing', `This artifact is an image, and no container engine is installed.${fix}`)
    : bottleError('engine-down', `${report.title} does not answer, so nothing can be imported into it.${fix}`)
}
