import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import { importsOf } from '../arch/imports.ts'

export interface Reached {
  readonly files: ReadonlySet<string>
  /** Packages from outside, by name. */
  readonly packages: ReadonlySet<string>
}

/** The name of the package that a specifier means: `a/b` of `a`, `@s/a/b` of `@s/a`. Pure. */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** Every module and package that these built entries can ever load, in time or later. Pure. */
export function reach(entries: readonly string[], built: ReadonlyMap<string, string>): Reached {
  const files = new Set<string>()
  const packages = new Set<string>()
  const queue = [...entries]
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (files.has(path)) continue
    files.add(path)
    const text = built.get(path)
    if (text === undefined) throw new Error(`${path} is not there`)
    for (const { specifier } of importsOf(text.replace(/\bawait import\(/g, 'import('))) {
      if (specifier.startsWith('.')) queue.push(posix.join(posix.dirname(path), specifier))
      else if (!isBuiltin(specifier)) packages.add(packageOf(specifier))
    }
  }
  return { files, packages }
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/**
 * Packages that these need in turn, found as Node finds them, and those that are nowhere to be found. Optional ones may
 * be missing. Pure over the manifests, by the folder that each lies in.
 */
export function needs(
  packages: Iterable<string>,
  manifests: ReadonlyMap<string, Manifest>,
): { readonly folders: ReadonlySet<string>; readonly missing: readonly string[] } {
  const folders = new Set<string>()
  const missing: string[] = []
  const visit = (name: string, from: string): void => {
    const folder = lookUp(name, from, manifests)
    if (folder === undefined) {
      missing.push(`${name}, for ${from || 'the app'}`)
      return
    }
    if (folders.has(folder)) return
    folders.add(folder)
    const manifest = manifests.get(folder) ?? {}
    for (const next of Object.keys(manifest.dependencies ?? {})) {
      if (!(next in (manifest.optionalDependencies ?? {}))) visit(next, folder)
    }
  }
  for (const name of packages) visit(name, '')
  return { folders, missing }
}

function lookUp(name: string, from: string, manifests: ReadonlyMap<string, Manifest>): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    const folder = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`
    if (manifests.has(folder)) return folder
    if (at === '') return undefined
  }
}
