import { importsOf, withoutComments } from './imports.ts'
import type { Sources } from './sources.ts'

const MAX_LINES = 400

/** Files longer than 400 lines. */
export function longFiles(sources: Sources): string[] {
  return [...sources]
    .map(([path, text]) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path} has ${lines} lines`)
}

/** Holes in the types: `any`, a cast through it, and comments that switch the compiler off. */
export function typeHoles(sources: Sources): string[] {
  const hole = /(?::|\bas|<|,|\|)\s*any\b(?!\s*[-'])/
  return [...sources].flatMap(([path, text]) => {
    const problems: string[] = []
    const code = withoutComments(text).replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''")
    if (hole.test(code)) problems.push(`${path} uses any`)
    if (/@ts-(?:ignore|nocheck|expect-error)/.test(text)) problems.push(`${path} switches the compiler off`)
    return problems
  })
}

/** How many calls of Node's blocking functions each file makes; files without one are left out. */
export function syncCalls(sources: Sources): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const [path, text] of sources) {
    const count = withoutComments(text).match(/\b[a-z]\w*Sync\s*\(/g)?.length ?? 0
    if (count > 0) counts.set(path, count)
  }
  return counts
}

export interface Allowance {
  readonly count: number
  readonly reason: string
}

/** A ratchet: growth fails, and slack too, so that the list only ever shrinks. */
export function ratchet(
  counts: ReadonlyMap<string, number>,
  allowed: Readonly<Record<string, Allowance>>,
): string[] {
  const paths = new Set([...counts.keys(), ...Object.keys(allowed)])
  return [...paths].flatMap((path) => {
    const now = counts.get(path) ?? 0
    const most = allowed[path]?.count ?? 0
    if (now > most) return [`${path} makes ${now} blocking calls, ${most} are allowed`]
    return now < most ? [`${path} makes ${now} blocking calls: lower its allowance of ${most}`] : []
  })
}

/** Modules and packages that a built entry loads before its first line runs, by following static imports only. */
export function staticClosure(entry: string, built: Sources): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>()
  const packages = new Set<string>()
  const visit = (path: string) => {
    if (files.has(path)) return
    files.add(path)
    const text = built.get(path)
    if (text === undefined) throw new Error(`${path} was not built`)
    for (const { specifier, isDynamic } of importsOf(text)) {
      if (isDynamic) continue
      if (specifier.startsWith('.')) visit(new URL(specifier, `file:///${path}`).pathname.slice(1))
      else packages.add(specifier)
    }
  }
  visit(entry)
  return { files, packages }
}
