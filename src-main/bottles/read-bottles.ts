import { stat } from 'node:fs/promises'
import type { Bottle } from '../../src-preload/contract/index.ts'
import type { ListScope, RuntimeFact } from '../backends/backend.ts'
import { BACKENDS, requireBackendName } from '../backends/registry.ts'
import { readSample } from '../state/agent-sample.ts'
import { readIntent } from '../state/intent.ts'
import { latestRun, readMetadata } from '../state/metadata.ts'
import { requireSlug } from '../state/slug.ts'
import { currentSnapshot, readCommittedImage, readSnapshots } from '../state/snapshot-files.ts'
import { isBottleError } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import { readSlugs } from './read-slugs.ts'
import { type BottleFacts, bottleRow, matchRuntime } from './state-model.ts'

/** Answers of all engines at one moment: a list, or the sentence why there is none. */
export type EngineFacts = ReadonlyMap<string, readonly RuntimeFact[] | string>

const TITLES: Readonly<Record<string, string>> = {
  docker: 'Docker',
  host: 'This machine',
  'macos-container': 'Apple container',
  smolmachines: 'smolmachines',
}

/**
 * One call per engine that any bottle needs, side by side; an engine that fails is told, not thrown. One that no record
 * names and that is not installed has nothing, which is no news either.
 */
export async function readEngines(
  deps: BottleDeps,
  { needed, recorded }: NeededEngines,
  scope: ListScope,
  signal: AbortSignal,
): Promise<EngineFacts> {
  const found = new Map<string, readonly RuntimeFact[] | string>()
  await Promise.all(
    BACKENDS.filter((name) => needed.has(name)).map(async (name) => {
      try {
        if (!recorded.has(name) && !(await deps.backends.isInstalled(name))) return
        const backend = await deps.backends.get(name)
        found.set(name, await backend.list(signal, scope))
      } catch (thrown) {
        if (signal.aborted) throw thrown
        // A program of that name that is another one says so only when it is asked.
        if (!recorded.has(name) && isBottleError(thrown) && thrown.code === 'engine-missing') return
        found.set(name, isBottleError(thrown) ? thrown.message : String(thrown))
      }
    }),
  )
  return found
}

export type Records = Omit<BottleFacts, 'runtime' | 'engineTitle'>

/** Ids of adopted containers, which no name or label tells. Pure. */
export function adoptedIds(records: readonly Pick<Records, 'metadata'>[]): ReadonlySet<string> {
  const ids = records.flatMap(({ metadata }) => {
    const id = metadata?.icebox?.adopted ? latestRun(metadata)?.ref?.id : undefined
    return id ? [id] : []
  })
  return new Set(ids)
}

/** What the disk knows of a bottle; null when there is no state folder. */
export async function readRecords(deps: BottleDeps, slug: string): Promise<Records> {
  const { root } = deps
  const [metadata, { snapshots }, committed, intent] = await Promise.all([
    readMetadata(root, slug),
    readSnapshots(root, slug),
    readCommittedImage(root, slug),
    readIntent(root, slug),
  ])
  const run = metadata.kind === 'ok' ? latestRun(metadata.metadata) : null
  return {
    slug,
    rootId: root.id,
    metadata: metadata.kind === 'ok' ? metadata.metadata : null,
    isCorrupt: metadata.kind === 'corrupt',
    snapshots,
    current: currentSnapshot(snapshots, committed),
    intent,
    // Most bottles have none, and a list of hundreds must not look for it in each.
    sample: run?.order?.isSupervised ? await readSample(root, slug) : null,
  }
}

/** Joins records and engines to a row. Without metadata any engine may have the runtime. Pure. */
export function joinRow(records: Records, engines: EngineFacts): Bottle {
  const backend = records.metadata?.backend ?? null
  const asked = backend === null ? [...engines.values()] : [engines.get(backend)]
  const answers = asked.filter((answer) => answer !== undefined && typeof answer !== 'string')
  const found = matchRuntime(records.slug, records.rootId, records.metadata, answers.flat())
  // An engine that did not answer may have it, so nothing found there is no news.
  const runtime = found ?? (answers.length < asked.length ? undefined : null)
  const name = backend ?? found?.backend ?? 'docker'
  return bottleRow({ ...records, runtime, engineTitle: TITLES[name] ?? name })
}

export interface NeededEngines {
  /** Backends whose answers the rows need. */
  readonly needed: ReadonlySet<string>
  /** Those among them that a record names. */
  readonly recorded: ReadonlySet<string>
}

/** Which engines the rows need: all of them where a bottle's record can't be read. Pure. */
export function neededEngines(records: readonly Pick<Records, 'metadata'>[]): NeededEngines {
  const recorded = new Set(records.flatMap(({ metadata }) => (metadata ? [metadata.backend] : [])))
  const isDoubtful = records.some(({ metadata }) => metadata === null)
  return { recorded, needed: isDoubtful ? new Set([...BACKENDS, ...recorded]) : recorded }
}

/** Every bottle of this root, newest first. An operation whose process died is reconciled before the answer. */
export async function readBottles(deps: BottleDeps, signal: AbortSignal): Promise<readonly Bottle[]> {
  const slugs = await readSlugs(deps)
  const read = await Promise.all(slugs.map((slug) => readTolerantly(deps, slug, signal)))
  const records = read.filter((record) => record !== null)
  const engines = await readEngines(deps, neededEngines(records), { adopted: adoptedIds(records) }, signal)
  return records.map((record) => joinRow(record, engines)).sort(newestFirst)
}

/** The rows of some bottles only; null for one that is gone. Costs the same however many others there are. */
export async function readRows(
  deps: BottleDeps,
  slugs: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Bottle | null>> {
  const read = await Promise.all(slugs.map((slug) => readIfThere(deps, slug, signal)))
  const records = read.filter((record) => record !== null)
  const scope = { adopted: adoptedIds(records), slugs: records.map((record) => record.slug) }
  const engines = await readEngines(deps, neededEngines(records), scope, signal)
  const rows = new Map<string, Bottle | null>(slugs.map((slug) => [slug, null]))
  for (const record of records) rows.set(record.slug, joinRow(record, engines))
  return rows
}

async function readIfThere(deps: BottleDeps, slug: string, signal: AbortSignal): Promise<Records | null> {
  const found = await stat(deps.root.path('state', requireSlug(slug))).catch(() => null)
  return found?.isDirectory() ? readTolerantly(deps, slug, signal) : null
}

export function newestFirst(a: Bottle, b: Bottle): number {
  if (a.startedAt !== b.startedAt) return a.startedAt < b.startedAt ? 1 : -1
  return a.slug < b.slug ? -1 : 1
}

/** One bottle that can't be read shows as damaged; it never hides the others. */
async function readTolerantly(deps: BottleDeps, slug: string, signal: AbortSignal): Promise<Records | null> {
  try {
    return await readReconciled(deps, slug, signal)
  } catch (thrown) {
    if (signal.aborted) throw thrown
    return {
      slug,
      rootId: deps.root.id,
      metadata: null,
      isCorrupt: true,
      snapshots: [],
      current: null,
      intent: null,
    }
  }
}

async function readReconciled(deps: BottleDeps, slug: string, signal: AbortSignal): Promise<Records | null> {
  const records = await readRecords(deps, slug)
  if (records.intent !== null) {
    const { recoverOne } = await import('./recover.ts')
    if (await recoverOne(deps, slug, signal)) return readAgain(deps, slug)
  }
  return isGone(records) ? readAgain(deps, slug) : records
}

function isGone(records: Records): boolean {
  return records.metadata === null && !records.isCorrupt && records.snapshots.length === 0
}

/** The records, or null when the folder went away while it was read. */
async function readAgain(deps: BottleDeps, slug: string): Promise<Records | null> {
  const found = await stat(deps.root.path('state', slug)).catch(() => null)
  return found?.isDirectory() ? readRecords(deps, slug) : null
}

/** The engine's runtime of one bottle, freshly asked; undefined when its engine does not answer. */
export async function readRuntime(
  deps: BottleDeps,
  slug: string,
  backendName: string,
  signal: AbortSignal,
): Promise<RuntimeFact | null | undefined> {
  const backend = await deps.backends.get(requireBackendName(backendName))
  const metadata = await readMetadata(deps.root, slug)
  const adopted = adoptedIds(metadata.kind === 'ok' ? [{ metadata: metadata.metadata }] : [])
  const facts = await backend.list(signal, { adopted, slugs: [slug] })
  return matchRuntime(slug, deps.root.id, metadata.kind === 'ok' ? metadata.metadata : null, facts)
}
