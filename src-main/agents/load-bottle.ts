import type { BottleDefinition, BottleLayer } from './definitions.ts'
import { loadBottleLayer } from './load-manifest.ts'
import type { ManifestIndex } from './manifest-scan.ts'
import { finishBottle, mergeLayers } from './merge-bottles.ts'
import { didYouMean, type ManifestProblem, type Parsed, quoted } from './problems.ts'

/** Where a bottle is asked for: what an error about a missing one points at. */
interface Reference {
  readonly name: string
  readonly file: string
  readonly line: number
}

/** More parents than this are a mistake. */
const CHAIN_MAX = 30

/**
 * The effective bottle of a launch list: each with its parents, merged in order, over `own` where an agent brings one.
 * All problems come back at once.
 */
export async function loadBottles(
  index: ManifestIndex,
  references: readonly Reference[],
  own?: BottleLayer,
): Promise<Parsed<BottleDefinition>> {
  const problems: ManifestProblem[] = []
  const layers: BottleLayer[] = own ? [own] : []
  const loading: Loading = { index, problems, done: new Map() }
  for (const reference of references) {
    const layer = await loadWithParents(loading, reference, [])
    if (layer) layers.push(layer)
  }
  const [first, ...rest] = layers
  if (!first || problems.length > 0) return { ok: false, problems }
  const merged = rest.reduce(mergeLayers, first)
  const finished = finishBottle(
    merged,
    [...(own ? [own] : []), ...references].map(({ name }) => name).join(' + '),
  )
  return finished.problems.length > 0
    ? { ok: false, problems: finished.problems }
    : { ok: true, value: finished.bottle }
}

interface Loading {
  readonly index: ManifestIndex
  readonly problems: ManifestProblem[]
  /** Each bottle is read once, however many paths lead to it; undefined for a broken one. */
  readonly done: Map<string, BottleLayer | undefined>
}

async function loadWithParents(
  loading: Loading,
  reference: Reference,
  chain: readonly string[],
): Promise<BottleLayer | undefined> {
  const { index, problems, done } = loading
  const { name, file, line } = reference
  const refuse = (message: string, hint: string | null): undefined => {
    problems.push({ file, line, message, hint })
    return undefined
  }
  if (chain.includes(name)) {
    return refuse(`The bottles extend each other in a circle: ${[...chain, name].join(' → ')}.`, null)
  }
  if (chain.length >= CHAIN_MAX) return refuse(`More than ${CHAIN_MAX} bottles extend each other.`, null)
  if (done.has(name)) return done.get(name)
  const found = index.bottles.get(name)
  if (!found) return refuse(`There is no bottle ${quoted(name)}.`, didYouMean(name, index.bottles.keys()))
  const parsed = await loadBottleLayer(index, found)
  if (!parsed.ok) {
    problems.push(...parsed.problems)
    done.set(name, undefined)
    return undefined
  }
  let under: BottleLayer | undefined
  for (const parent of parsed.value.extends) {
    const at = { name: parent.name, file: found.file, line: parent.line }
    const layer = await loadWithParents(loading, at, [...chain, name])
    if (layer) under = under ? mergeLayers(under, layer) : layer
  }
  const merged = under ? mergeLayers(under, parsed.value) : parsed.value
  done.set(name, merged)
  return merged
}
