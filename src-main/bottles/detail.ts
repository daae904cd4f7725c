import type { BottleDetail } from '../../src-preload/contract/index.ts'
import { withLinks } from '../snapshots/link-tree.ts'
import { readGone } from '../state/gone-snapshots.ts'
import { readJournal } from '../state/journal.ts'
import { requireSlug } from '../state/slug.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import { adoptedIds, joinRow, neededEngines, readEngines, readRecords } from './read-bottles.ts'
import { readSlugs } from './read-slugs.ts'

/** Everything about one bottle; reads only. */
export async function readDetail(deps: BottleDeps, slug: string, signal: AbortSignal): Promise<BottleDetail> {
  requireSlug(slug)
  if (!(await readSlugs(deps)).includes(slug)) {
    throw bottleError('not-found', `There is no bottle ${slug}. Run icebox list.`, { slug })
  }
  const records = await readRecords(deps, slug)
  const [engines, journal, gone] = await Promise.all([
    readEngines(deps, neededEngines([records]), { adopted: adoptedIds([records]), slugs: [slug] }, signal),
    readJournal(deps.root, slug),
    readGone(deps.root, slug),
  ])
  const metadata = records.metadata
  const icebox = metadata?.icebox ?? null
  const runs = icebox?.runs ?? []
  const ref = runs.at(-1)?.ref ?? null
  return {
    ...joinRow(records, engines),
    cwd: metadata?.cwd ?? '',
    copyCwd: metadata?.copyCwd ?? false,
    bottleNames: [...(metadata?.bottleNames ?? [])],
    agentSource: icebox?.agentSource || null,
    runs: runs.map((run) => ({
      id: run.id,
      startedAt: run.startedAt,
      endedAt: run.exit?.at ?? null,
      exitCode: run.exit?.code ?? null,
      interactive: run.interactive,
      fromSnapshot: run.fromSnapshot,
    })),
    tree: [...withLinks(records.snapshots, gone)],
    journal: [...journal],
    secretNames: [...(icebox?.secretNames ?? [])],
    forgeEnvNames: [...(icebox?.forgeEnvNames ?? [])],
    notices: [...(icebox?.notices ?? [])],
    stateDir: deps.root.path('state', slug),
    runtime: ref ? { id: ref.id, name: ref.name } : null,
  }
}
