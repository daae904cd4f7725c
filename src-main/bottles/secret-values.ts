import type { KnownSecret } from '../artifacts/scrub/types.ts'
import { readMetadata } from '../state/metadata.ts'
import { toFailure } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'

/**
 * The values, as far as they can still be had, of the secrets that a bottle was given: what a search looks for
 * literally. One that can't be had is named in a notice; without it only patterns can give it away.
 */
export async function secretValues(
  deps: BottleDeps,
  slug: string,
  notice: (text: string) => void,
): Promise<readonly KnownSecret[]> {
  const read = await readMetadata(deps.root, slug)
  const names = read.kind === 'ok' ? (read.metadata.icebox?.secretNames ?? []) : []
  const found: KnownSecret[] = []
  const missing: string[] = []
  for (const name of new Set(names)) {
    const value = deps.env[name] || (await stored(deps, name, notice))
    if (value) found.push({ name, value })
    else missing.push(name)
  }
  if (missing.length > 0)
    notice(`The values of ${missing.join(', ')} are not here, so they can't be searched for.`)
  return found
}

async function stored(
  deps: BottleDeps,
  name: string,
  notice: (text: string) => void,
): Promise<string | undefined> {
  try {
    return await (await deps.secrets()).get(name)
  } catch (error) {
    notice(`The keychain did not tell ${name}: ${toFailure(error).message}`)
    return undefined
  }
}
