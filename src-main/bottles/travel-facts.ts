import { join } from 'node:path'
import type { Snapshot } from '../../src-preload/contract/index.ts'
import { loadBottleLayer, readManifestText } from '../agents/load-manifest.ts'
import { type ManifestIndex, openManifestIndex } from '../agents/manifest-index.ts'
import { isManifestName } from '../agents/names.ts'
import { readProjectText } from '../agents/project-files.ts'
import type { BottleFacts } from '../artifacts/export/portable-facts.ts'
import type { KnownSecret } from '../artifacts/scrub/types.ts'
import { latestRun, type Metadata, readMetadata } from '../state/metadata.ts'
import { definitionsDir } from './carried-definitions.ts'
import type { BottleDeps } from './deps.ts'

/** What an import accepts of one definition. */
const DEFINITION_MAX = 200_000
/** A circle among bottles is an error elsewhere; here it only has to end. */
const BOTTLES_MAX = 50

const clip = (text: string, length: number): string => text.slice(0, length)

/**
 * What travels of the bottle besides its files: names, policy, and the definitions it was started from, as far as they
 * are still there. A definition that holds a secret's value stays behind, and a notice says so.
 */
export async function travelFacts(
  deps: BottleDeps,
  snapshot: Snapshot,
  secrets: readonly KnownSecret[],
  notice: (text: string) => void,
): Promise<BottleFacts> {
  const read = await readMetadata(deps.root, snapshot.slug)
  const metadata = read.kind === 'ok' ? read.metadata : null
  const found = metadata ? await readDefinitions(deps, snapshot.slug, metadata) : { agents: {}, bottles: {} }
  const isClean = ([name, text]: readonly [string, string]): boolean => {
    const holds = secrets.find(({ value }) => value !== '' && text.includes(value))
    if (holds) notice(`The definition ${name} holds the value of ${holds.name}, so it does not travel along.`)
    return !holds && text.length <= DEFINITION_MAX
  }
  return {
    bottle: {
      slug: snapshot.slug,
      label: clip(metadata?.label ?? '', 500),
      color: clip(metadata?.color ?? '', 40),
      agent: clip(snapshot.agent || (metadata?.agentName ?? ''), 200),
      provider: clip(snapshot.provider || (metadata?.icebox?.provider ?? ''), 200),
      bottleNames: (metadata?.bottleNames ?? []).slice(0, BOTTLES_MAX),
      policy: metadata?.icebox?.policy ?? 'default',
      secretNames: [...(metadata?.icebox?.secretNames ?? [])].sort().slice(0, 500),
      interactive: metadata ? (latestRun(metadata)?.interactive ?? false) : false,
    },
    definitions: {
      agents: Object.fromEntries(Object.entries(found.agents).filter(isClean)),
      bottles: Object.fromEntries(Object.entries(found.bottles).filter(isClean)),
    },
  }
}

async function readDefinitions(
  deps: BottleDeps,
  slug: string,
  metadata: Metadata,
): Promise<BottleFacts['definitions']> {
  const index = await openManifestIndex(deps.root, null)
  const brought = definitionsDir(deps.root, slug)
  const agent = metadata.agentName
  const bottles: Record<string, string> = {}
  const wanted = [...metadata.bottleNames]
  for (let name = wanted.shift(); name !== undefined; name = wanted.shift()) {
    if (!isManifestName(name) || Object.hasOwn(bottles, name)) continue
    if (Object.keys(bottles).length >= BOTTLES_MAX) break
    const places = [join(brought, 'bottles', `${name}.md`), index.bottles.get(name)?.file]
    const found = await firstText(places)
    if (!found) continue
    bottles[name] = found.text
    const file = { kind: 'bottle', name, file: found.file, source: 'home', hides: null } as const
    wanted.push(...(await parentsOf(index, file)))
  }
  if (!isManifestName(agent)) return { agents: {}, bottles }
  // Recorded as `project: /path/of/agent.md`; a project's agent is in no index that is opened without the project.
  const [, source, recorded] = /^([a-z]+): (\/.*)$/s.exec(metadata.icebox?.agentSource ?? '') ?? []
  const own = await firstText([join(brought, 'agents', `${agent}.md`)])
  const project = recorded && source === 'project' ? await readProjectText(recorded) : null
  const places = [source === 'project' ? undefined : recorded, index.agents.get(agent)?.file]
  const found = own ?? (project?.ok ? project : await firstText(places))
  return { agents: found ? { [agent]: found.text } : {}, bottles }
}

/** Names of the bottles that one extends; a broken one extends nothing that could be told. */
async function parentsOf(
  index: ManifestIndex,
  file: Parameters<typeof loadBottleLayer>[1],
): Promise<readonly string[]> {
  const parsed = await loadBottleLayer(index, file)
  return parsed.ok ? parsed.value.extends.map((parent) => parent.name) : []
}

/** A definition may be gone or out of reach; the image runs without it. */
async function firstText(
  places: readonly (string | undefined)[],
): Promise<{ readonly file: string; readonly text: string } | null> {
  for (const file of places) {
    const read = file === undefined ? null : await readManifestText(file)
    if (file !== undefined && read?.ok) return { file, text: read.text }
  }
  return null
}
