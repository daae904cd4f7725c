import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { mustRun } from '../lib/guest.ts'

/** Does to `onto` what was done to `before` until it became `after`: the upper layer of a machine, laid over a base. */
export function applyOverlay(before: string, after: string, onto: string, below = ''): void {
  const olds = namesIn(join(before, below))
  const news = namesIn(join(after, below))
  for (const name of olds)
    if (!news.has(name)) rmSync(join(onto, below, name), { recursive: true, force: true })
  for (const name of news) {
    const path = join(below, name)
    const now = lstatSync(join(after, path))
    const was = olds.has(name) ? lstatSync(join(before, path)) : null
    if (was?.isDirectory() && now.isDirectory() && isFolder(join(onto, path))) {
      applyOverlay(before, after, onto, path)
      continue
    }
    if (was && isSame(join(before, path), was, join(after, path), now)) continue
    rmSync(join(onto, path), { recursive: true, force: true })
    mustRun('cp', ['-a', '-T', join(after, path), join(onto, path)])
  }
}

function namesIn(folder: string): ReadonlySet<string> {
  return new Set(isFolder(folder) ? readdirSync(folder) : [])
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function isSame(one: string, was: Stats, two: string, now: Stats): boolean {
  if (was.mode !== now.mode || was.uid !== now.uid || was.gid !== now.gid || was.size !== now.size)
    return false
  if (now.isSymbolicLink()) return readlinkSync(one) === readlinkSync(two)
  return !now.isFile() || readFileSync(one).equals(readFileSync(two))
}
