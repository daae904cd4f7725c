import type { ReadImage } from '../artifacts/import/read-staged.ts'
import type { Backend } from '../backends/backend.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import { defaultEngine } from './default-engine.ts'

/**
 * Where an imported bottle lives: on this machine when its files were frozen on one, else on the engine that it comes
 * from if that is here, else on the one that new bottles take.
 * @throws BottleError `engine-missing`, `engine-down`
 */
export async function chooseImportBackend(
  deps: ArtifactDeps,
  image: ReadImage,
  signal: AbortSignal,
): Promise<Backend> {
  const from = image.facts?.snapshot.backend ?? null
  if (from === 'host') return deps.backends.get('host')
  const found = await defaultEngine(deps.backends, from, signal)
  if (found?.report.state === 'ready' || found?.report.state === 'unknown') return found.backend
  const report = found?.report ?? (await (await deps.backends.get('docker')).probe(signal))
  const fix = report.fix ? ` Try: ${report.fix}` : ''
  throw report.state === 'missing'
    ? bottleError('engine-missing', `This artifact is an image, and no container engine is installed.${fix}`)
    : bottleError('engine-down', `${report.title} does not answer, so nothing can be imported into it.${fix}`)
}
