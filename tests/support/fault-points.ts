import { join } from 'node:path'
import { readSources } from './arch/sources.ts'

export interface FaultPoint {
  /** `freeze:after-intent`: the operation before the colon. */
  readonly name: string
  readonly operation: string
  /** Points inside a backend's folder are passed only there. */
  readonly backends: readonly ('docker' | 'host')[]
}

/** Folders of one backend each; points in them are passed by no other. */
const OWN_FOLDERS: ReadonlySet<string> = new Set(['docker', 'host', 'macos-container', 'smolmachines'])

/** Every point at which the product lets a test kill it, read from the sources so that none is forgotten. */
export async function findFaultPoints(): Promise<readonly FaultPoint[]> {
  const sources = await readSources(join(import.meta.dirname, '../..'), ['src-main'], /\.ts$/)
  const backends = new Map<string, Set<'docker' | 'host'>>()
  for (const [path, text] of sources) {
    for (const [, name = ''] of text.matchAll(/\bfaultPoint\('([^']+)'\)/g)) {
      const known = backends.get(name) ?? new Set()
      const [, folder = ''] = /^src-main\/backends\/([^/]+)\//.exec(path) ?? []
      // What lies between two backends is tried from where there are containers.
      const isBetween = path.startsWith('src-main/bottles/carry/')
      for (const backend of isBetween ? (['docker'] as const) : (['docker', 'host'] as const))
        if (folder === backend || !OWN_FOLDERS.has(folder)) known.add(backend)
      backends.set(name, known)
    }
  }
  return [...backends]
    .map(([name, known]) => ({ name, operation: name.split(':')[0] ?? '', backends: [...known] }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
