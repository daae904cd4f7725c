import { homedir } from 'node:os'
import { readEnvTemplates } from '../agents/launched-agent.ts'
import { secretsOfTemplates } from '../agents/yaml/env-templates.ts'
import type { KnownSecret } from '../artifacts/scrub/types.ts'
import { readMetadata } from '../state/metadata.ts'
import { toFailure } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'

/**
 * The values, as far as they can still be had, of the secrets that a bottle was given: what a search looks for
 * literally. One that can't be had is named in a notice; without it only patterns can give it away. `failed` is called
 * for what may be told at another time, as by a keychain that is locked now.
 */
export async function secretValues(
  deps: BottleDeps,
  slug: string,
  notice: (text: string) => void,
  failed: () => void = () => undefined,
): Promise<readonly KnownSecret[]> {
  const read = await readMetadata(deps.root, slug)
  const facts = read.kind === 'ok' ? read.metadata.icebox : null
  const names = facts?.secretNames ?? []
  const files = facts?.runs.findLast(({ order }) => order)?.order?.envFiles ?? []
  const templates = await readEnvTemplates(deps.root, slug)
  const filled = secretsOfTemplates(templates, deps.env)
  const found: KnownSecret[] = [...(await fromFiles(deps, files, notice, failed)), ...filled.found]
  const missing: string[] = [...filled.missing]
  // What a template is filled with was never a variable or a secret of its own name.
  const settled = new Set([...Object.keys(templates), ...filled.found.map(({ name }) => name)])
  for (const name of new Set(names)) {
    if (settled.has(name)) continue
    const value = deps.env[name] || (await stored(deps, name, notice, failed))
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
  failed: () => void,
): Promise<readonly KnownSecret[]> {
  if (files.length === 0) return []
  try {
    const { readEnvFiles } = await import('../agents/env-file.ts')
    const values = await readEnvFiles(files, deps.env.HOME || homedir())
    return Object.entries(values).flatMap(([name, value]) => (value === '' ? [] : [{ name, value }]))
  } catch (error) {
    const { code, message } = toFailure(error)
    if (code !== 'not-found') failed()
    notice(`The values of the env files can't be searched for: ${message}`)
    return []
  }
}

async function stored(
  deps: BottleDeps,
  name: string,
  notice: (text: string) => void,
  failed: () => void,
): Promise<string | undefined> {
  try {
    return await (await deps.secrets()).get(name)
  } catch (error) {
    failed()
    notice(`The keychain did not tell ${name}: ${toFailure(error).message}`)
    return undefined
  }
}
