import { lstat, mkdir, rename } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { syncFolder } from '../../state/durable-file.ts'
import { requireRealFolder } from '../../state/root.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import type { LaunchPlan } from '../backend.ts'
import { canShareBlocks, cloneTrees, deleteTree, flushFileSystem, requireSpace } from './clone-trees.ts'
import { type BottlePaths, type RunPaths, snapshotPath } from './paths.ts'
import { type TreeManifest, treeManifest } from './tree-manifest.ts'

export const TREES = ['workspace', 'home'] as const

export async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isDirectory() ?? false
}

/** True when the bottle has both live trees. */
export async function hasTrees(bottle: BottlePaths): Promise<boolean> {
  return (await isFolder(bottle.workspace)) && (await isFolder(bottle.home))
}

/** Sums up the live trees; null when there are none. */
export async function liveManifest(bottle: BottlePaths, signal: AbortSignal): Promise<TreeManifest | null> {
  if (!(await hasTrees(bottle))) return null
  return treeManifest(bottle.live, TREES, signal)
}

/** @throws BottleError `snapshot-missing` when the trees are not there */
export async function requireSnapshotTrees(home: string, snapshot: Snapshot): Promise<string> {
  const path = snapshotPath(home, snapshot.slug, snapshot.id)
  for (const tree of TREES) {
    if (await isFolder(join(path, tree))) continue
    throw bottleError(
      'snapshot-missing',
      `The files of ${snapshot.slug}@${snapshot.id} are not there (${path}).`,
      {
        slug: snapshot.slug,
      },
    )
  }
  return path
}

/**
 * Brings the live trees to where the plan wants them. New trees are made aside and put in place by renames; the old
 * ones stay beside them until `settleLive` or `rollBackLive`.
 */
export async function prepareLive(
  home: string,
  plan: LaunchPlan,
  bottle: BottlePaths,
  run: RunPaths,
  signal: AbortSignal,
): Promise<void> {
  await requireRealFolder(bottle.stateDir)
  await requireRealFolder(bottle.live)
  const hasLive = await hasTrees(bottle)
  if (plan.image.kind !== 'snapshot') {
    if (hasLive) return
    await makeFresh(plan, bottle, signal)
  } else {
    const { snapshot } = plan.image
    if (hasLive && (await liveManifest(bottle, signal))?.digest === snapshot.digest) return
    await cloneSnapshot(home, snapshot, bottle, signal)
  }
  faultPoint('resume:after-clone')
  if (await isFolder(bottle.live)) await rename(bottle.live, run.replaced)
  await rename(bottle.next, bottle.live)
  await syncFolder(bottle.stateDir)
  faultPoint('resume:after-swap')
}

async function emptyNext(bottle: BottlePaths, signal: AbortSignal): Promise<void> {
  await deleteTree(bottle.next, signal)
  await mkdir(bottle.next, { recursive: true, mode: 0o700 })
}

async function makeFresh(plan: LaunchPlan, bottle: BottlePaths, signal: AbortSignal): Promise<void> {
  await emptyNext(bottle, signal)
  for (const tree of TREES) await mkdir(join(bottle.next, tree), { mode: 0o700 })
  if (!plan.copyCwd) return
  if (!(await isFolder(plan.copyCwd)))
    throw bottleError('not-found', `There is no folder ${plan.copyCwd} to copy.`)
  if (`${bottle.stateDir}${sep}`.startsWith(`${plan.copyCwd.replace(/\/+$/, '')}${sep}`)) {
    throw bottleError(
      'unsupported',
      `${plan.copyCwd} holds Icebox's own state, so it can't be copied into a bottle.`,
    )
  }
  await cloneTrees([`${plan.copyCwd}/.`], join(bottle.next, 'workspace'), signal)
}

async function cloneSnapshot(
  home: string,
  snapshot: Snapshot,
  bottle: BottlePaths,
  signal: AbortSignal,
): Promise<void> {
  const source = await requireSnapshotTrees(home, snapshot)
  await emptyNext(bottle, signal)
  if (!(await canShareBlocks(join(home, 'icebox')))) await requireSpace(bottle.stateDir, snapshot.bytes)
  // The check rides along with the copy: both walk the same folders.
  const [manifest] = await Promise.all([
    treeManifest(source, TREES, signal),
    cloneTrees(
      TREES.map((tree) => join(source, tree)),
      bottle.next,
      signal,
    ),
  ])
  if (snapshot.digest && manifest.digest !== snapshot.digest) {
    throw bottleError(
      'corrupt-state',
      `The files of ${snapshot.slug}@${snapshot.id} are not those that were frozen, so it was not resumed. Choose another snapshot.`,
      { slug: snapshot.slug, detail: `${manifest.entries} entries in ${source}` },
    )
  }
}

/** The start worked: the replaced trees go, once the snapshot that holds their content is safely on the disk. */
export async function settleLive(bottle: BottlePaths, run: RunPaths): Promise<void> {
  if (!(await isFolder(run.replaced))) return
  await flushFileSystem(bottle.stateDir)
  await deleteTree(run.replaced)
}

/** The start failed: the trees are again what they were. `isMade`: there were none before. */
export async function rollBackLive(bottle: BottlePaths, run: RunPaths, isMade: boolean): Promise<void> {
  await deleteTree(bottle.next)
  if (await isFolder(run.replaced)) {
    if (await isFolder(bottle.live)) await rename(bottle.live, bottle.next)
    await rename(run.replaced, bottle.live)
    await syncFolder(bottle.stateDir)
  } else if (isMade && (await isFolder(bottle.live))) {
    await rename(bottle.live, bottle.next)
  }
  await deleteTree(bottle.next)
}
