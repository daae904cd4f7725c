import { homedir } from 'node:os'
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
  const facts = read.kind === 'ok' ? read.metadata.icebox : null
  const names = facts?.secretNames ?? []
  const files = facts?.runs.findLast(({ order }) => order)?.order?.envFiles ?? []
  const found: KnownSecret[] = [...(await fromFiles(deps, files, notice))]
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

/** What the files of variables hold now; they may have changed since, and an empty value gives nothing away. */
async function fromFiles(
  deps: BottleDeps,
  files: readonly string[],
  notice: (text: string) => void,
): Promise<readonly KnownSecret[]> {
  if (files.length === 0) return []
  try {
    const { readEnvFiles } = await import('../agents/env-file.ts')
    const values = await readEnvFiles(files, deps.env.HOME || homedir())
    return Object.entries(values).flatMap(([name, value]) => (value === '' ? [] : [{ name, value }]))
  } catch (error) {
    notice(`The values of the env files can't be searched for: ${toFailure(error).message}`)
    return []
  }
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
