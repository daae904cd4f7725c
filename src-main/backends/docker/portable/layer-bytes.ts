import { type Engine, SHORT_MS } from '../engine.ts'
import { chainIds, type ImageLayers } from './image-index.ts'

/** One line of `GET /images/{id}/history`; the newest comes first. */
export interface HistoryRow {
  readonly Size: number
  readonly CreatedBy?: string
}

const known = new WeakMap<Engine, Map<string, number>>()

/** Bytes of each layer of an image, bottom first; their sum is the image's. Looked up once per layer. @throws BottleError */
export async function layerBytesOf(
  engine: Engine,
  image: ImageLayers,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const cache = known.get(engine) ?? new Map<string, number>()
  known.set(engine, cache)
  const chain = chainIds(image.diffIds)
  const lacking = chain.filter((key) => !cache.has(key))
  if (lacking.length > 0) {
    // All but one are known already: that one is the difference.
    const sizes =
      lacking.length === 1
        ? null
        : splitBytes(await readHistory(engine, image.id, signal), chain, image.bytes, cache)
    const rest = image.bytes - sum(chain.map((key) => cache.get(key) ?? 0))
    for (const [at, key] of chain.entries())
      if (!cache.has(key)) cache.set(key, sizes?.[at] ?? Math.max(0, rest))
  }
  return chain.map((key) => cache.get(key) ?? 0)
}

async function readHistory(engine: Engine, id: string, signal: AbortSignal): Promise<readonly HistoryRow[]> {
  const path = `/images/${id}/history`
  return (await engine.get<HistoryRow[] | null>('read the history', path, signal, SHORT_MS)) ?? []
}

/** What a build writes for a step that makes no layer. */
const NO_LAYER =
  /#\(nop\)\s+(?!ADD|COPY|WORKDIR)|^(ENV|CMD|ENTRYPOINT|LABEL|EXPOSE|USER|VOLUME|ARG|STOPSIGNAL|HEALTHCHECK|ONBUILD|SHELL|MAINTAINER) /

/**
 * Pure: bytes of each layer. The history has lines without a layer, and the engine does not tell which: those with
 * bytes have one, and the empty ones are told by their words, by their number and by what is known of layers below.
 */
export function splitBytes(
  history: readonly HistoryRow[],
  chain: readonly string[],
  total: number,
  found: ReadonlyMap<string, number> = new Map(),
): readonly number[] {
  const lines = [...history].reverse()
  const sizes = align(lines, chain, found) ?? chain.map((key) => found.get(key) ?? 0)
  const told = sum(sizes)
  if (told === total || sizes.length === 0) return sizes
  if (told > 0 && told > total / 2) {
    // Engines that keep compressed content too count it in the whole only: each layer bears its share.
    const scaled = sizes.map((size) => Math.floor((size * total) / told))
    return withTop(scaled, total)
  }
  return withTop(sizes, total)
}

/** The rounding, or what no line tells, goes to the top layer. */
function withTop(sizes: readonly number[], total: number): readonly number[] {
  const top = total - sum(sizes.slice(0, -1))
  return [...sizes.slice(0, -1), Math.max(0, top)]
}

/** The cheapest way to give each layer a line, in order; null when there are fewer lines than layers. */
function align(
  lines: readonly HistoryRow[],
  chain: readonly string[],
  found: ReadonlyMap<string, number>,
): readonly number[] | null {
  const width = chain.length + 1
  // cost[line * width + layer]: of having given out so many lines and layers.
  const cost = new Float64Array((lines.length + 1) * width).fill(Number.POSITIVE_INFINITY)
  const isLayer = new Uint8Array(cost.length)
  cost[0] = 0
  for (const [at, line] of lines.entries()) {
    for (let layer = 0; layer < width; layer++) {
      const here = cost[at * width + layer] ?? Number.POSITIVE_INFINITY
      if (here === Number.POSITIVE_INFINITY) continue
      const reach = (next: number, price: number, flag: number) => {
        const to = (at + 1) * width + next
        if (here + price >= (cost[to] ?? 0)) return
        cost[to] = here + price
        isLayer[to] = flag
      }
      const looksEmpty = line.Size === 0 && NO_LAYER.test(line.CreatedBy ?? '')
      if (line.Size === 0) reach(layer, looksEmpty ? 0 : 1, 0)
      const key = chain[layer]
      if (key === undefined) continue
      const differs = found.has(key) && found.get(key) !== line.Size
      reach(layer + 1, (looksEmpty ? 1 : 0) + (differs ? 1000 : 0), 1)
    }
  }
  if (cost[lines.length * width + chain.length] === Number.POSITIVE_INFINITY) return null
  const sizes: number[] = []
  let layer = chain.length
  for (let at = lines.length; at > 0; at--) {
    if (isLayer[at * width + layer] !== 1) continue
    sizes.unshift(lines[at - 1]?.Size ?? 0)
    layer--
  }
  return sizes
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)
