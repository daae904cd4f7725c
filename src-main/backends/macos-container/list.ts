import { isSlug } from '../../state/slug.ts'
import type { ListScope, RuntimeFact } from '../backend.ts'
import { hasBottleName, LABEL, labelOf, slugFromName } from '../labels.ts'
import { inBatches } from '../local/in-batches.ts'
import { listContainers } from './containers.ts'
import type { ContainerContext } from './context.ts'
import type { ContainerEntry } from './decode.ts'
import { readExit, readStarts, runFolder } from './run-folder.ts'

/**
 * This root's containers and unlabelled ones with a bottle's name, in one call of the program. How the stopped ones
 * ended is in small files of this machine. @throws BottleError `engine-down`, `engine-missing`
 */
export async function listRuntimes(
  context: ContainerContext,
  signal: AbortSignal,
  scope: ListScope = { adopted: new Set() },
): Promise<readonly RuntimeFact[]> {
  const askedAt = performance.now()
  const entries = await listContainers(context.client, signal)
  context.looks.seenAll(entries, askedAt)
  const wanted = entries.filter((entry) => isWanted(entry, context.rootId, scope))
  return inBatches(wanted, 32, (entry) => factOf(context, entry))
}

/** Pure. */
export function isWanted(entry: ContainerEntry, rootId: string, { adopted, slugs }: ListScope): boolean {
  if (adopted.has(entry.id)) return true
  const root = labelOf(entry.labels, LABEL.root)
  if (root !== null && root !== rootId) return false
  if (root === null && !hasBottleName(entry.id)) return false
  const slug = labelOf(entry.labels, LABEL.slug) ?? slugFromName(entry.id)
  return slugs === undefined || (slug !== null && slugs.includes(slug))
}

async function factOf(context: ContainerContext, entry: ContainerEntry): Promise<RuntimeFact> {
  const root = labelOf(entry.labels, LABEL.root)
  const slug = labelOf(entry.labels, LABEL.slug)
  const runId = labelOf(entry.labels, LABEL.run)
  const isOurs = root === context.rootId && slug !== null && isSlug(slug) && runId !== null
  const end =
    isOurs && entry.state === 'stopped'
      ? await readEnd(context, slug, runId)
      : { exitCode: null, isNew: false }
  return {
    backend: 'macos-container',
    id: entry.id,
    name: entry.id,
    root,
    slug,
    runId,
    state: entry.state === 'stopped' ? (end.isNew ? 'created' : 'exited') : 'running',
    exitCode: end.exitCode,
    image: entry.image.reference,
    createdAt: entry.createdAt ?? entry.startedAt ?? new Date(0).toISOString(),
    role: labelOf(entry.labels, LABEL.role) === 'sidecar' ? 'sidecar' : 'agent',
  }
}

async function readEnd(context: ContainerContext, slug: string, runId: string) {
  if (!/^[0-9a-zA-Z]{1,40}$/.test(runId)) return { exitCode: null, isNew: false }
  const folder = runFolder(context.home, slug, runId)
  const [exit, starts] = await Promise.all([readExit(folder), readStarts(folder)])
  return { exitCode: exit?.exitCode ?? null, isNew: starts === '' }
}
