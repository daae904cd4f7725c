import { lstatSync, mkdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The path on this machine of a path inside a root file system, links followed as the guest would: none leads out of
 * the root. What doesn't exist is taken as it is written.
 */
export function resolveInRoot(
  root: string,
  path: string,
  options: { readonly followLast?: boolean } = {},
): string {
  const todo = path.split('/').filter((part) => part !== '' && part !== '.')
  const done: string[] = []
  for (let links = 0; todo.length > 0; ) {
    const part = todo.shift() ?? ''
    if (part === '..') {
      done.pop()
      continue
    }
    const here = join(root, ...done, part)
    const target = todo.length > 0 || options.followLast !== false ? linkTarget(here) : null
    if (target === null) {
      done.push(part)
      continue
    }
    links += 1
    if (links > 40) throw new Error(`too many links in ${path}`)
    if (target.startsWith('/')) done.length = 0
    todo.unshift(...target.split('/').filter((name) => name !== '' && name !== '.'))
  }
  return join(root, ...done)
}

function linkTarget(path: string): string | null {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null
  } catch {
    return null
  }
}

/** Makes a folder inside a root file system where it is missing and returns its path on this machine. */
export function makeFolderInRoot(root: string, path: string): string {
  const full = resolveInRoot(root, path)
  mkdirSync(full, { recursive: true })
  return full
}

/** True when the guest would find this program, by its path or in the folders of `searchPath`. */
export function findProgram(root: string, program: string, searchPath: string, cwd: string): string | null {
  const candidates = program.includes('/')
    ? [program.startsWith('/') ? program : join(cwd, program)]
    : searchPath
        .split(':')
        .filter((folder) => folder !== '')
        .map((folder) => join(folder, program))
  return candidates.find((path) => isProgram(resolveInRoot(root, path))) ?? null
}

function isProgram(path: string): boolean {
  try {
    const stat = lstatSync(path)
    return stat.isFile() && (stat.mode & 0o111) !== 0
  } catch {
    return false
  }
}

export interface GuestUser {
  readonly uid: number
  readonly gid: number
  readonly home: string
}

/** `name`, `uid`, each with `:group`, looked up in the guest's own tables. Null when a name isn't there. */
export function resolveUser(root: string, user: string): GuestUser | null {
  const [who = '', group] = user.split(':')
  const users = rows(root, '/etc/passwd')
  const found = users.find((row) => row[0] === who) ?? users.find((row) => row[2] === who)
  const isNumber = /^\d+$/.test(who)
  if (!found && !isNumber && who !== '' && who !== 'root') return null
  const uid = Number(found?.[2] ?? (isNumber ? who : 0))
  let gid = Number(found?.[3] ?? 0)
  if (group !== undefined && group !== '') {
    const groupRow = rows(root, '/etc/group').find((row) => row[0] === group || row[2] === group)
    if (!groupRow && !/^\d+$/.test(group)) return null
    gid = Number(groupRow?.[2] ?? group)
  }
  return { uid, gid, home: found?.[5] || '/' }
}

function rows(root: string, path: string): readonly (readonly string[])[] {
  try {
    return readFileSync(resolveInRoot(root, path), 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
  } catch {
    return []
  }
}
