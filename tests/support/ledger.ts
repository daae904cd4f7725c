import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { IceboxHome } from './icebox-home.ts'
import { rawEngine } from './raw-engine.ts'

/** Something on an engine that bears a state root's mark. */
export interface EngineThing {
  readonly kind: 'container' | 'image' | 'volume' | 'network'
  /** Every way a record may name it. */
  readonly names: readonly string[]
}

/** Every string in every JSON file and `committed-image` of a state root, trash included: all that records can name. */
export async function recordedNames(home: IceboxHome): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  for (const part of ['state', 'trash']) {
    const folder = join(home.dir, part)
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name)
      // The bottle's own files are not records.
      if (!entry.isFile() || /\/(live|logs)\/|\.d\//.test(path)) continue
      const text = await readFile(path, 'utf8')
      if (entry.name === 'committed-image') names.add(text.trim())
      // A run on this machine that goes on has blanks where its end is to be.
      if (entry.name === 'exit.json' && text.trim() === '') continue
      if (entry.name.endsWith('.json')) collect(JSON.parse(text), names)
    }
  }
  return names
}

function collect(value: unknown, into: Set<string>): void {
  if (typeof value === 'string') into.add(value)
  else if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) collect(inner, into)
}

interface Listed {
  readonly Id: string
  readonly Names?: readonly string[]
  readonly Name?: string
  readonly RepoTags?: readonly string[] | null
}

/** One list of the engine's, narrowed by filters. Not by the docker command: starting it takes longer than the answer. */
export function listOnEngine<T = readonly Listed[]>(
  path: string,
  filters: Readonly<Record<string, readonly string[]>>,
): Promise<T> {
  const query = `filters=${encodeURIComponent(JSON.stringify(filters))}`
  return rawEngine().call<T>('GET', `${path}${path.includes('?') ? '&' : '?'}${query}`)
}

/** Everything on the engine that carries this state root's marks. */
export async function thingsOf(rootId: string): Promise<readonly EngineThing[]> {
  const owner = { label: [`dev.icebox.root=${rootId}`] }
  const images = (label: string) => listOnEngine('/images/json', { label: [`dev.icebox.${label}=${rootId}`] })
  const [containers, { Volumes: volumes }, networks, ...made] = await Promise.all([
    listOnEngine('/containers/json?all=1', owner),
    listOnEngine<{ readonly Volumes: readonly { readonly Name: string }[] | null }>('/volumes', owner),
    listOnEngine('/networks', owner),
    images('snapshot-root'),
    images('build-root'),
  ])
  return [
    ...containers.map(({ Id, Names = [] }) => thing('container', Id, ...Names.map((name) => name.slice(1)))),
    ...(volumes ?? []).map(({ Name }) => thing('volume', Name)),
    ...networks.map(({ Id, Name = '' }) => thing('network', Id, Name)),
    ...made.flat().flatMap(({ Id, RepoTags }) => {
      const tags = (RepoTags ?? []).filter((tag) => tag !== '<none>:<none>')
      return tags.length > 0 ? tags.map((tag) => thing('image', Id, tag)) : [thing('image', Id)]
    }),
  ]
}

const thing = (kind: EngineThing['kind'], ...names: readonly string[]): EngineThing => ({ kind, names })

/** Containers of this state root that stand still. */
export async function pausedOf(rootId: string): Promise<readonly string[]> {
  const filters = { status: ['paused'], label: [`dev.icebox.root=${rootId}`] }
  const found = await listOnEngine('/containers/json', filters)
  return found.map(({ Id, Names }) => Names?.[0]?.slice(1) ?? Id)
}

/** Processes that a host freeze left stopped, by their working folder. Linux only. */
export async function stoppedUnder(dir: string): Promise<readonly number[]> {
  const stopped: number[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    // A process may end while it is being looked at.
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '')
    if (stat.slice(stat.lastIndexOf(')') + 2).startsWith('T') && environment.includes(dir))
      stopped.push(Number(name))
  }
  return stopped
}

/**
 * What is wrong with a state root after recovery: things that no record names, things that stand still, intents
 * that nobody finished. Empty when all is well.
 */
export async function problemsOf(home: IceboxHome, usesDocker: boolean): Promise<readonly string[]> {
  const problems: string[] = []
  const rootId = await home.rootId()
  if (usesDocker && rootId !== undefined) {
    const recorded = await recordedNames(home)
    for (const thing of await thingsOf(rootId)) {
      if (!thing.names.some((name) => recorded.has(name)))
        problems.push(`no record names ${thing.kind} ${thing.names.join(' ')}`)
    }
    for (const name of await pausedOf(rootId)) problems.push(`${name} stays paused`)
  }
  for (const pid of await stoppedUnder(home.dir)) problems.push(`process ${pid} stays stopped`)
  const slugs = await readdir(join(home.dir, 'state')).catch(() => [])
  // A start's folder has a dot until it is complete; nothing reads it before the next start removes it.
  for (const slug of slugs.filter((name) => !name.startsWith('.'))) {
    const names = await readdir(join(home.dir, 'state', slug))
    if (names.includes('intent.json')) problems.push(`${slug} still has an intent`)
    for (const name of names.filter((name) => name.endsWith('.tmp'))) problems.push(`${slug} holds ${name}`)
  }
  return problems
}

const REMOVALS: Readonly<Record<EngineThing['kind'], (name: string) => string>> = {
  container: (name) => `/containers/${name}?force=1&v=1`,
  network: (name) => `/networks/${name}`,
  volume: (name) => `/volumes/${name}`,
  image: (name) => `/images/${encodeURIComponent(name)}?force=1`,
}

/** Removes everything on the engine that carries this state root's marks: the end of a test. */
export async function sweepEngine(rootId: string): Promise<void> {
  const engine = rawEngine()
  // Again and again: a command that a failing test left behind may still be making things.
  for (let left = 20; left > 0; left--) {
    const things = await thingsOf(rootId)
    if (things.length === 0) return
    for (const { kind, names } of things) {
      const name = (kind === 'image' ? names.at(-1) : names[0]) ?? ''
      // What is in use, or on its way out already, is looked at again in the next round.
      await engine.call('DELETE', REMOVALS[kind](name)).catch(() => undefined)
    }
  }
  throw new Error(`the engine still holds ${JSON.stringify(await thingsOf(rootId))}`)
}
