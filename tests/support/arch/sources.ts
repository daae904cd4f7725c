import { readdir, readFile } from 'node:fs/promises'
import { join, posix, relative, sep } from 'node:path'
import { type ImportLine, importsOf } from './imports.ts'

/** Source files by their path from the repository's top, with forward slashes. */
export type Sources = ReadonlyMap<string, string>

/** Reads every file below these folders whose name ends as asked. */
export async function readSources(root: string, folders: readonly string[], ends: RegExp): Promise<Sources> {
  const sources = new Map<string, string>()
  for (const folder of folders) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true })
    for (const entry of entries) {
      if (!entry.isFile() || !ends.test(entry.name)) continue
      const file = join(entry.parentPath, entry.name)
      sources.set(relative(root, file).split(sep).join('/'), await readFile(file, 'utf8'))
    }
  }
  return sources
}

export interface Edge extends ImportLine {
  readonly from: string
  /** The imported file for a relative import, else null. */
  readonly to: string | null
}

/** Every import of these sources, relative ones resolved to a path. Pure. */
export function edgesOf(sources: Sources): Edge[] {
  return [...sources].flatMap(([from, text]) =>
    importsOf(text).map((line) => ({ ...line, from, to: resolveImport(from, line.specifier) })),
  )
}

function resolveImport(from: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null
  const [path = ''] = specifier.split('?')
  return posix.join(posix.dirname(from), path)
}

/** The package that a bare import names: `@scope/name/deep` → `@scope/name`. */
export function packageOf(specifier: string): string {
  const parts = specifier.split('/')
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}
