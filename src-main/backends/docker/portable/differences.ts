import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import type { RuntimeRef } from '../../backend.ts'
import type { RuntimeDifference } from '../../portable.ts'
import { changedSince } from '../changed.ts'
import { type Engine, LONG_MS } from '../engine.ts'
import { isMissing } from '../engine-errors.ts'
import { RUN_DIR } from '../labels.ts'
import { inspectContainer } from '../remove-objects.ts'
import { inBatches, layersOfImages } from './image-index.ts'
import { exchange } from './transport.ts'

const AT_ONCE = 8
const KINDS = ['changed', 'added', 'removed'] as const
/** Bits of a file's mode as the engine writes it: folder, and everything else that is no plain file. */
const FOLDER = 0x80000000
const NO_FILE = 0x8f280000

/**
 * What a container has changed since a snapshot: for one that was launched from it, or has stood still since it was
 * taken. Null for all others, whose own list of changes is against another image. Volumes are not looked into.
 * @throws BottleError
 */
export async function differencesSince(
  engine: Engine,
  ref: RuntimeRef,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<readonly RuntimeDifference[] | null> {
  const found = await inspectContainer(engine, ref.id, signal)
  if (!found) return null
  if (snapshot.digest === '' || found.Image !== snapshot.digest) {
    return (await changedSince(engine, ref, snapshot, signal)) ? null : []
  }
  return listChanges(engine, ref.id, signal)
}

/**
 * What a container has changed since the image that it was launched from, and the layers of that image. Null when
 * either can't be told. @throws BottleError
 */
export async function changesSinceLaunch(
  engine: Engine,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<{ readonly diffIds: readonly string[]; readonly changes: readonly RuntimeDifference[] } | null> {
  const found = await inspectContainer(engine, ref.id, signal)
  if (!found) return null
  const diffIds = (await layersOfImages(engine, [found.Image], signal)).get(found.Image)?.diffIds
  const changes = diffIds && (await listChanges(engine, ref.id, signal))
  return diffIds && changes ? { diffIds, changes } : null
}

async function listChanges(
  engine: Engine,
  id: string,
  signal: AbortSignal,
): Promise<readonly RuntimeDifference[] | null> {
  const changes =
    (await engine.get<{ Path: string; Kind: number }[] | null>(
      'list changed files',
      `/containers/${id}/changes`,
      signal,
      LONG_MS,
    )) ?? []
  // The engine can't write names that are no UTF-8: which files those are can't be told.
  if (changes.some(({ Path }) => Path.includes('\ufffd'))) return null
  const rows: RuntimeDifference[] = []
  await inBatches(changes, AT_ONCE, async ({ Path, Kind }) => {
    const kind = KINDS[Kind]
    if (!kind) return
    const path = Buffer.from(Path).toString('latin1')
    if (isEngines(Path)) {
      rows.push({ path, kind, isFolder: false, bytes: null, isCovered: true })
      return
    }
    const stat = kind === 'removed' ? null : await statPath(engine, id, Path, signal)
    // Gone since the list was made.
    if (!stat && kind === 'added') return
    if (!stat) rows.push({ path, kind: 'removed', isFolder: false, bytes: null })
    else rows.push({ path, kind, ...stat })
  })
  return rows.sort((left, right) => (left.path < right.path ? -1 : 1))
}

/** What a daemon mounts into every container; the files below it are left empty by their making. */
const ENGINES_OWN: ReadonlySet<string> = new Set([
  '/.dockerenv',
  '/etc/hostname',
  '/etc/hosts',
  '/etc/resolv.conf',
  '/sbin/docker-init',
  '/dev/console',
])

const isEngines = (path: string) =>
  ENGINES_OWN.has(path) || path === RUN_DIR || path.startsWith(`${RUN_DIR}/`)

/** Of the path itself, not of where a link leads; null when nothing is there. */
async function statPath(
  engine: Engine,
  id: string,
  path: string,
  signal: AbortSignal,
): Promise<Omit<RuntimeDifference, 'path' | 'kind'> | null> {
  try {
    const request = {
      method: 'HEAD',
      path: `/containers/${id}/archive?path=${encodeURIComponent(path)}`,
    } as const
    const answer = await exchange(engine, `look at ${path}`, request, signal)
    answer.resume()
    const header = answer.headers['x-docker-container-path-stat']
    const text = Buffer.from(String(header ?? 'e30='), 'base64').toString('utf8')
    const {
      mode = 0,
      size = 0,
      mtime = '',
    } = JSON.parse(text) as { mode?: number; size?: number; mtime?: string }
    // Beyond 31 bits, so by arithmetic that keeps the sign out.
    const bits = mode >>> 0
    const modified = Math.floor(Date.parse(mtime) / 1000)
    return {
      isFolder: (bits & FOLDER) !== 0,
      bytes: (bits & NO_FILE) === 0 ? size : null,
      mode: permissions(bits),
      ...(Number.isNaN(modified) ? {} : { modified }),
    }
  } catch (thrown) {
    if (isMissing(thrown)) return null
    throw thrown
  }
}

/** From the engine's bits to those of a file system. */
function permissions(bits: number): number {
  const high =
    (bits & 0x800000 ? 0o4000 : 0) | (bits & 0x400000 ? 0o2000 : 0) | (bits & 0x100000 ? 0o1000 : 0)
  return high | (bits & 0o777)
}
