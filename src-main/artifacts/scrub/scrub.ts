import type { ScrubChoice, ScrubReport, SecretFinding } from '../../../src-preload/contract/index.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { StoredLayer, StoredSnapshot } from '../store/types.ts'
import { searchConfig, searchFacts } from './config-search.ts'
import { makeNeedles } from './finder.ts'
import { type SearchTools, searchLayer } from './layer-search.ts'
import { type StripTools, stripLayer } from './strip-layer.ts'
import type { TarFinding } from './tar-watch.ts'
import type { Scrub, ScrubRequest } from './types.ts'
import { searchableValues } from './values.ts'

type Action = ScrubReport['findings'][number]['action']

interface Found extends SecretFinding {
  /** What stripping makes of it. */
  readonly action: Action
}

interface Searched {
  readonly found: readonly Found[]
  /** Positions of what has to be rebuilt. */
  readonly layers: ReadonlySet<number>
  readonly volumes: ReadonlySet<number>
  readonly layersSearched: number
}

/**
 * Searches what travels of a snapshot: config, facts, volumes, and the layers above the base image; those of the base
 * too once they are to be stripped. Strip rebuilds what holds a finding, in every layer that it lies in, and proves
 * by a second search that nothing is left. The report is part of the facts.
 * @throws BottleError `secrets-found` without a choice and nobody to ask, `cancelled`
 */
export const scrubSnapshot: Scrub = async (request, signal) => {
  const first = await search(request, request.choice === 'strip', signal)
  const choice = await choose(request, first.found)
  const searched =
    choice === 'strip' && request.choice !== 'strip' && first.found.length > 0
      ? await search(request, true, signal)
      : first
  const stored = choice === 'strip' ? await strip(request, searched, signal) : request.stored
  const report: ScrubReport = {
    choice,
    layersSearched: searched.layersSearched,
    layers: stored.layers.length,
    findings: searched.found.map((each) => ({ ...each, action: choice === 'strip' ? each.action : 'kept' })),
  }
  return { stored: { ...stored, facts: { ...stored.facts, scrub: report } }, report }
}

/** What a search finds, before anybody has chosen; nothing is changed. */
export async function findSecrets(
  request: Pick<ScrubRequest, 'store' | 'workers' | 'stored' | 'secrets'>,
  signal: AbortSignal,
): Promise<readonly SecretFinding[]> {
  const { found } = await search(request, false, signal)
  return found.map(({ where, name, rule, inBase }) => ({ where, name, rule, inBase }))
}

async function choose(request: ScrubRequest, found: readonly Found[]): Promise<ScrubChoice> {
  if (request.choice) return request.choice
  if (found.length === 0) return 'keep'
  if (!request.ask) throw secretsFound(request, found)
  const answer = await request.ask(found.map(({ action: _, ...finding }) => finding))
  if (answer === 'cancel') throw bottleError('cancelled')
  return answer
}

async function search(
  request: Pick<ScrubRequest, 'store' | 'workers' | 'stored' | 'secrets'>,
  withBase: boolean,
  signal: AbortSignal,
): Promise<Searched> {
  const { store, workers, stored, secrets } = request
  const tools: SearchTools = { store, workers, values: searchableValues(secrets) }
  const needles = makeNeedles(tools.values, true)
  const names = new Set([...secrets.map(({ name }) => name), ...stored.facts.bottle.secretNames])
  const inConfig: Found[] = searchConfig(stored.config, needles, names).findings.map((each) => ({
    ...each,
    action: each.where === 'history' ? 'replaced' : 'removed',
  }))
  const inFacts: Found[] = searchFacts(stored.facts, needles).findings.map((each) => ({
    ...each,
    action: 'replaced',
  }))
  const found: Found[] = [...inConfig, ...inFacts]
  const layers = new Set<number>()
  const volumes = new Set<number>()
  let layersSearched = 0
  for (const [at, layer] of stored.layers.entries()) {
    const inBase = at < stored.baseLayers
    if ((inBase && !withBase) || !(await isHere(request, layer))) continue
    layersSearched += 1
    const inLayer = await searchLayer(tools, layer, signal)
    if (inLayer.length > 0) layers.add(at)
    found.push(...inLayer.map((each) => asFound(each, 'file', `/${each.path}`, inBase)))
  }
  for (const [at, volume] of stored.volumes.entries()) {
    const inVolume = await searchLayer(tools, volume, signal)
    if (inVolume.length > 0) volumes.add(at)
    // The tar's one top folder is the mount point.
    const place = ({ path }: TarFinding) => `${volume.destination}/${path.split('/').slice(1).join('/')}`
    found.push(...inVolume.map((each) => asFound(each, 'volume', place(each), false)))
  }
  return { found: distinct(found), layers, volumes, layersSearched }
}

/** A thin export may have been collected without its base. */
async function isHere({ store }: Pick<ScrubRequest, 'store'>, layer: StoredLayer): Promise<boolean> {
  return (await store.blobSize(layer.digest)) !== null
}

function asFound(finding: TarFinding, where: 'file' | 'volume', name: string, inBase: boolean): Found {
  return { where, name, rule: finding.rule, inBase, action: finding.action }
}

/** One line per place and rule, in a fixed order: the report is part of the artifact's bytes. */
function distinct(found: readonly Found[]): readonly Found[] {
  const key = ({ where, name, rule, inBase }: SecretFinding) => JSON.stringify([where, name, rule, inBase])
  const unique = new Map(found.map((each) => [key(each), each]))
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)
}

async function strip(
  { store, workers, stored, secrets }: ScrubRequest,
  searched: Searched,
  signal: AbortSignal,
): Promise<StoredSnapshot> {
  if (searched.found.length === 0) return stored
  const values = searchableValues(secrets)
  const needles = makeNeedles(values, true)
  const names = new Set([...secrets.map(({ name }) => name), ...stored.facts.bottle.secretNames])
  const staging = await store.stage('scrub')
  const adopted = new Set<string>()
  const tools: StripTools = {
    store,
    workers,
    values,
    staging,
    onAdopted: (digest) => adopted.add(digest),
  }
  try {
    const layers = await rebuilt(tools, stored.layers, searched.layers, signal)
    const volumes = await rebuilt(tools, stored.volumes, searched.volumes, signal)
    // A base layer that was changed is no longer the base image's, nor are those above it.
    const baseLayers = Math.min(stored.baseLayers, ...searched.layers)
    const facts = searchFacts(stored.facts, needles).stripped
    return {
      ...stored,
      config: searchConfig(stored.config, needles, names).stripped,
      layers,
      volumes,
      baseLayers,
      facts: {
        ...facts,
        baseLayers,
        volumes: facts.volumes.map((volume, at) => {
          const now = volumes[at]
          return now
            ? { ...volume, bytes: now.contentBytes, sha256: now.diffId.slice('sha256:'.length) }
            : volume
        }),
      },
    }
  } catch (thrown) {
    await staging.release()
    await store.collect({ dryRun: false, only: adopted }, new AbortController().signal)
    throw thrown
  } finally {
    await staging.release()
  }
}

async function rebuilt<T extends StoredLayer>(
  tools: StripTools,
  layers: readonly T[],
  affected: ReadonlySet<number>,
  signal: AbortSignal,
): Promise<readonly T[]> {
  const result: T[] = []
  for (const [at, layer] of layers.entries()) {
    result.push(affected.has(at) ? await stripLayer(tools, layer, signal) : layer)
  }
  return result
}

function secretsFound({ stored }: ScrubRequest, found: readonly Found[]): Error {
  const { bottle } = stored.facts
  const first = found.slice(0, 4).map(({ where, name, rule }) => `${where} ${name} (${rule})`)
  const more = found.length > first.length ? `, and ${found.length - first.length} more` : ''
  return bottleError(
    'secrets-found',
    `${bottle.slug} holds secrets: ${first.join(', ')}${more}. Choose: --scrub strip takes them out of the copy, --scrub keep lets them travel.`,
    { slug: bottle.slug },
  )
}
