import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { bottleError } from '../system/bottle-error.ts'

/** From `out/main`, from `out/main/chunks`, and from the sources. */
const PLACES = ['../renderer', '../../renderer', '../../out/renderer']

/**
 * The folder of the built page.
 * @throws BottleError `not-found` when it was not built
 */
export async function findRendererDir(): Promise<string> {
  for (const place of PLACES) {
    const dir = join(import.meta.dirname, place)
    const isThere = await access(join(dir, 'index.html')).then(
      () => true,
      () => false,
    )
    if (isThere) return dir
  }
  throw bottleError('not-found', 'The window has not been built. Build it with: npm run build')
}
