import type { RuntimeRef } from '../backend.ts'
import { hasBottleName, LABEL, labelOf, RUN_DIR, slugFromName } from '../labels.ts'
import { terminalSocket } from '../local/terminal-socket.ts'
import type { ContainerFacts } from './container-facts.ts'
import { listContainers } from './containers.ts'
import type { ContainerContext } from './context.ts'
import type { ContainerEntry } from './decode.ts'
import { buildTag } from './names.ts'

/**
 * A bottle's runtime by name or id; null when there is none or it belongs to another root. A run may have another name
 * than its bottle's, so what carries the bottle's labels counts too. @throws BottleError
 */
export async function findRuntime(
  context: ContainerContext,
  nameOrId: string,
  signal: AbortSignal,
): Promise<RuntimeRef | null> {
  const entries = await listContainers(context.client, signal)
  const named = entries.find((entry) => entry.id === nameOrId)
  if (named) return isForeign(named, context.rootId) ? null : rebuildRef(context, named)
  const slug = slugFromName(nameOrId)
  const own = slug ? newest(entries.filter((entry) => isOf(entry, context.rootId, slug))) : null
  return own ? rebuildRef(context, own) : null
}

const isForeign = (entry: ContainerEntry, rootId: string) =>
  ![null, rootId].includes(labelOf(entry.labels, LABEL.root))

const isOf = (entry: ContainerEntry, rootId: string, slug: string) =>
  labelOf(entry.labels, LABEL.root) === rootId && labelOf(entry.labels, LABEL.slug) === slug

function newest(entries: readonly ContainerEntry[]): ContainerEntry | null {
  const timeOf = (entry: ContainerEntry) => entry.startedAt ?? entry.createdAt ?? ''
  return entries.reduce<ContainerEntry | null>(
    (best, next) => (best && timeOf(best) > timeOf(next) ? best : next),
    null,
  )
}

/** True when any container has the name, or is a bottle's of that name under another one. @throws BottleError */
export async function isNameTaken(
  context: ContainerContext,
  name: string,
  signal: AbortSignal,
): Promise<boolean> {
  const slug = hasBottleName(name) ? slugFromName(name) : null
  const entries = await listContainers(context.client, signal)
  return entries.some((entry) => entry.id === name || (slug !== null && isOf(entry, context.rootId, slug)))
}

/** The container of a run; null when it has none. @throws BottleError */
export async function containerOfRun(
  context: ContainerContext,
  runId: string,
  signal: AbortSignal,
): Promise<ContainerEntry | null> {
  const entries = await listContainers(context.client, signal)
  const isOfRun = ({ labels }: ContainerEntry) =>
    labelOf(labels, LABEL.root) === context.rootId && labelOf(labels, LABEL.run) === runId
  return entries.find(isOfRun) ?? null
}

/** Everything that a record must name, read back from the engine. */
export async function rebuildRef(context: ContainerContext, entry: ContainerEntry): Promise<RuntimeRef> {
  const root = labelOf(entry.labels, LABEL.root)
  const runId = labelOf(entry.labels, LABEL.run) ?? ''
  const slug = labelOf(entry.labels, LABEL.slug) ?? slugFromName(entry.id) ?? ''
  const isOurs = root !== null && runId !== '' && slug !== ''
  const facts: ContainerFacts = {
    root: root ?? '',
    tty: entry.hasTerminal,
    hasShell: entry.mounts.some(({ destination }) => destination === RUN_DIR),
    socket: isOurs && entry.hasTerminal ? await terminalSocket(context.home, slug, runId) : null,
    imageReference: entry.image.reference,
    imageDigest: entry.image.digest,
    built: isOurs && entry.image.reference === buildTag(slug, runId) ? entry.image.reference : null,
    notices: [],
  }
  return {
    backend: 'macos-container',
    id: entry.id,
    name: entry.id,
    slug,
    runId,
    volumes: [],
    networks: [],
    sidecars: [],
    facts: { ...facts },
  }
}
