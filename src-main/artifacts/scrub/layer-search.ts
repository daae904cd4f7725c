import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { readJsonObject, writeDurable } from '../../state/durable-file.ts'
import type { Workers } from '../../workers/types.ts'
import type { ArtifactStore, StoredLayer } from '../store/types.ts'
import { makeNeedles } from './finder.ts'
import { RULES_VERSION } from './rules.ts'
import { createTarWatch, type TarFinding, type TarSearch } from './tar-watch.ts'
import type { SecretValue } from './values.ts'

export interface SearchTools {
  readonly store: ArtifactStore
  readonly workers: Workers
  readonly values: readonly SecretValue[]
}

const Remembered = z.object({
  findings: z.array(
    z.object({ path: z.string(), rule: z.string(), action: z.enum(['removed', 'replaced']) }),
  ),
})

/**
 * Secrets in one layer or volume. What known forms and files give is remembered by content, never what the values
 * of secrets give: from that a value could be guessed.
 */
export async function searchLayer(
  tools: SearchTools,
  layer: StoredLayer,
  signal: AbortSignal,
): Promise<readonly TarFinding[]> {
  const file = cacheFile(tools.store, layer.diffId)
  const read = await readJsonObject(file)
  const known = read.kind === 'ok' ? Remembered.safeParse(read.value).data : undefined
  if (known && tools.values.length === 0) return known.findings
  const { findings } = await searchTar(tools, layer, known === undefined, signal)
  const isOfValue = (finding: TarFinding) => finding.rule.startsWith('declared secret ')
  if (known) return [...findings, ...known.findings]
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  // Paths are shown without what was found in them, but only what this search looked for: a name may hold a value.
  if (!findings.some(isOfValue)) await writeDurable(file, `${JSON.stringify({ findings })}\n`)
  return findings
}

/** Reads a layer through, with everything that a later change of it needs. */
export async function searchTar(
  { store, workers, values }: SearchTools,
  layer: StoredLayer,
  withRules: boolean,
  signal: AbortSignal,
): Promise<TarSearch> {
  const watch = createTarWatch(makeNeedles(values, withRules), withRules)
  // The watch keeps copies only.
  for await (const chunk of workers.skim(store.blobPath(layer.digest), layer.codec, signal)) watch.push(chunk)
  return watch.finish()
}

/** Beside the other caches of the state root, of which the store is a folder. */
function cacheFile(store: ArtifactStore, diffId: string): string {
  const name = `${diffId.slice('sha256:'.length)}.${RULES_VERSION}.json`
  return join(dirname(store.dir), 'icebox', 'cache', 'secrets', name)
}
