import type { PackageChange } from '../../../src-preload/contract/index.ts'
import { shownPath } from '../diff/shown-path.ts'
import { managerOf, type PackageManager } from './package-files.ts'
import { type Packages, parsePackages } from './parse-packages.ts'

/** A package list that differs, as it was and is; null where it is not there. Paths are bytes, no leading `/`. */
export interface PackageList {
  readonly path: string
  readonly before: string | null
  readonly after: string | null
}

const NONE: Packages = new Map()

/**
 * Packages that came, went or have another version, by manager and name. A project's own packages carry its folder:
 * `app: left-pad`. Pure.
 */
export function comparePackages(lists: readonly PackageList[]): PackageChange[] {
  const before = new Map<string, Found>()
  const after = new Map<string, Found>()
  for (const { path, before: was, after: is } of lists) {
    const manager = managerOf(path)
    if (!manager) continue
    collect(before, manager, path, was === null ? NONE : parsePackages(manager, path, was))
    collect(after, manager, path, is === null ? NONE : parsePackages(manager, path, is))
  }
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort()
  return keys.flatMap((key) => {
    const [a, b] = [before.get(key), after.get(key)]
    const known = a ?? b
    if (!known || a?.version === b?.version) return []
    return [
      { manager: known.manager, name: known.name, before: a?.version ?? null, after: b?.version ?? null },
    ]
  })
}

interface Found {
  readonly manager: PackageManager
  readonly name: string
  readonly version: string
}

function collect(found: Map<string, Found>, manager: PackageManager, path: string, packages: Packages): void {
  const place = placeOf(manager, path)
  for (const [name, version] of packages) {
    const shown = place === '' ? name : `${place}: ${name}`
    found.set(`${manager}\0${shown}`, { manager, name: shown, version })
  }
}

/** Two projects may have the same package in two versions; what is installed for the whole system needs no place. */
function placeOf(manager: PackageManager, path: string): string {
  if (manager !== 'npm' || !path.endsWith('node_modules/.package-lock.json')) return ''
  return shownPath(path.slice(0, -'node_modules/.package-lock.json'.length).replace(/\/$/, ''))
}
