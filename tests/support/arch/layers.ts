import { edgesOf, packageOf, type Sources } from './sources.ts'

/** Layers from the ground up; a file imports from its own layer and from those before it. Source: docs/architecture.md. */
const LAYERS: readonly (readonly string[])[] = [
  ['contract'],
  ['system'],
  ['workers'],
  ['state'],
  ['tasks'],
  ['backends'],
  ['artifacts'],
  ['snapshots'],
  ['agents'],
  ['bottles'],
  ['icebox'],
  ['menus', 'ipc'],
  ['shell'],
  ['entries'],
]
const ENTRIES: ReadonlySet<string> = new Set([
  'cli',
  'cli.ts',
  'serve.ts',
  'api.ts',
  'index.ts',
  'start.ts',
  'worker.ts',
])

/** The layer of a main-process or contract file; null for other files, undefined for a file with no place. */
export function layerOf(path: string): string | null | undefined {
  if (path.startsWith('src-preload/contract/')) return 'contract'
  if (!path.startsWith('src-main/')) return null
  const top = path.split('/')[1] ?? ''
  if (ENTRIES.has(top)) return 'entries'
  if (top === 'icebox.ts') return 'icebox'
  return LAYERS.flat().find((layer) => layer === top && layer !== 'contract')
}

function rankOf(layer: string): number {
  return LAYERS.findIndex((names) => names.includes(layer))
}

/** Imports that go up, sideways between siblings, or out of the main process. */
export function layerViolations(sources: Sources): string[] {
  const problems: string[] = []
  for (const path of sources.keys()) if (layerOf(path) === undefined) problems.push(`${path} has no layer`)
  for (const edge of edgesOf(sources)) {
    const from = layerOf(edge.from)
    // The version is read from package.json, the one place that has it.
    if (!from || edge.to === null || edge.to === 'package.json') continue
    const to = layerOf(edge.to)
    if (to === null) problems.push(`${edge.from} imports ${edge.to}, which is not the main process's`)
    else if (to && to !== from && rankOf(to) >= rankOf(from))
      problems.push(`${edge.from} (${from}) imports ${edge.to} (${to})`)
  }
  return problems
}

/** Packages that only these files may name, even for a type. */
const FENCES: readonly (readonly [string, RegExp])[] = [
  ['electron', /^src-main\/(shell\/|ipc\/electron-[^/]*\.ts$|index\.ts$)|^src-preload\/index\.ts$/],
  ['electron-store', /^src-main\/(shell\/|index\.ts$)/],
  ['electron-updater', /^src-main\/shell\/updates\.ts$/],
  ['dockerode', /^src-main\/backends\/docker\//],
  ['execa', /^src-main\/system\/run-command\.ts$/],
  ['ws', /^src-main\/ipc\//],
]

/** Imports of a fenced package from outside its fence. */
export function fenceViolations(sources: Sources): string[] {
  return edgesOf(sources).flatMap((edge) => {
    const fence = FENCES.find(([name]) => edge.to === null && packageOf(edge.specifier) === name)
    return fence && !fence[1].test(edge.from) ? [`${edge.from} imports ${edge.specifier}`] : []
  })
}

/** Runtime files of the contract that a page may load: names and sentences, no schemas. */
const PAGE_CONTRACT: ReadonlySet<string> = new Set([
  'src-preload/contract/channels.ts',
  'src-preload/contract/desktop.ts',
  'src-preload/contract/errors.ts',
])

/** What the renderer must not import: the main process, Node, Electron, and schemas at run time. */
export function rendererViolations(sources: Sources): string[] {
  return edgesOf(sources).flatMap((edge) => {
    if (!edge.from.startsWith('src-renderer/')) return []
    const isBad =
      edge.to === null
        ? /^(node:|electron\b|zod\b)/.test(edge.specifier)
        : edge.to.startsWith('src-preload/')
          ? !edge.isTypeOnly && !PAGE_CONTRACT.has(edge.to)
          : !edge.to.startsWith('src-renderer/')
    return isBad ? [`${edge.from} imports ${edge.specifier}`] : []
  })
}

/** Import cycles among these sources, each as `a → b → a`. Erased imports can't close one. */
export function importCycles(sources: Sources): string[] {
  const next = new Map<string, string[]>()
  for (const edge of edgesOf(sources)) {
    if (edge.to === null || edge.isTypeOnly || !sources.has(edge.to)) continue
    next.set(edge.from, [...(next.get(edge.from) ?? []), edge.to])
  }
  const cycles: string[] = []
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]) => {
    const seenAt = trail.indexOf(path)
    if (seenAt !== -1) cycles.push([...trail.slice(seenAt), path].join(' → '))
    if (seenAt !== -1 || done.has(path)) return
    for (const to of next.get(path) ?? []) walk(to, [...trail, path])
    done.add(path)
  }
  for (const path of sources.keys()) walk(path, [])
  return cycles
}
