import { randomUUID } from 'node:crypto'
import { lstat, mkdir, rename, writeFile } from 'node:fs/promises'
import type { Backend } from '../backends/backend.ts'
import { notifyChange } from '../state/changes.ts'
import { syncFolder, writeDurable } from '../state/durable-file.ts'
import { takeLock } from '../state/lock.ts'
import { removeTree } from '../state/remove-tree.ts'
import type { StateRoot } from '../state/root.ts'
import { numberedSlug, randomSlug, requireSlug, slugify } from '../state/slug.ts'
import { trashedSlugs } from '../state/trash.ts'
import { bottleError, isBottleError } from '../system/bottle-error.ts'
import { faultPoint } from '../system/fault.ts'

/** How a new bottle wants to be called. */
export interface SlugWish {
  readonly label: string | null
  readonly agentName: string
  /** Taken names get a number; without it a taken label is `exists`, so that a person is asked again. */
  readonly mayNumber: boolean
  /** A slug that this start has just put into the trash, which then is no obstacle. */
  readonly comesAfter?: string | undefined
}

/** A slug that is ours: its state folder stands, and the bottle's lock is held. */
export interface Reservation {
  readonly slug: string
  readonly release: () => Promise<void>
}

/** Most names that are tried before giving up. */
const TRIES = 1000
/** Milliseconds to wait for the lock of a name that this start has just made free. */
const AFTER_LOCK_MS = 10_000

/** The names to try, in order; endless only in principle. Pure but for randomness. */
export function* slugCandidates(wish: SlugWish): Generator<string> {
  const base = wish.label === null ? '' : slugify(wish.label)
  if (!base) {
    for (let n = 0; n < TRIES; n++) yield randomSlug(wish.agentName)
    return
  }
  const last = wish.mayNumber ? TRIES : 1
  for (let n = 1; n <= last; n++) yield numberedSlug(base, n)
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

/** True when no state folder, no trash entry and no engine object has the slug. */
async function isFree(root: StateRoot, slug: string, trashed: ReadonlySet<string>): Promise<boolean> {
  return !trashed.has(slug) && !(await exists(root.path('state', slug)))
}

/** Its volumes and images are named by run and snapshot, so an old bottle of that name in the trash is not touched. */
async function trashedFor(root: StateRoot, { comesAfter }: SlugWish): Promise<ReadonlySet<string>> {
  const trashed = await trashedSlugs(root)
  return new Set([...trashed].filter((slug) => slug !== comesAfter))
}

/** The slug a start would get now; reserves nothing. For dry runs and preflights. */
export async function likelySlug(root: StateRoot, wish: SlugWish): Promise<string> {
  const trashed = await trashedSlugs(root)
  for (const slug of slugCandidates(wish)) if (await isFree(root, slug, trashed)) return slug
  throw taken(wish)
}

function taken(wish: SlugWish): Error {
  const name = wish.label ?? wish.agentName
  return bottleError(
    'exists',
    `A bottle named ${slugify(name) || name} exists already. Choose another label.`,
  )
}

/**
 * Takes a free slug across processes: builds the whole state folder aside and renames it into place, so that
 * a crash leaves either nothing or a folder that recovery understands.
 * @param files name → text of what the folder holds from its first moment
 * @throws BottleError `exists`
 */
export async function reserveSlug(
  root: StateRoot,
  wish: SlugWish,
  backend: Pick<Backend, 'isNameTaken'>,
  files: (slug: string) => Promise<Readonly<Record<string, string>>>,
  signal: AbortSignal,
): Promise<Reservation> {
  const trashed = await trashedFor(root, wish)
  for (const slug of slugCandidates(wish)) {
    if (!(await isFree(root, slug, trashed))) continue
    if (await backend.isNameTaken(`bot-bottle-${requireSlug(slug)}`, signal)) continue
    // Whoever still writes down the end of the one that went before is done in a moment.
    const release = await lockOrNull(root, slug, slug === wish.comesAfter ? AFTER_LOCK_MS : 0, signal)
    if (!release) continue
    try {
      // A destroy may have put the name into the trash since the first look.
      const isStillFree = await isFree(root, slug, await trashedFor(root, wish))
      if (isStillFree && (await putFolder(root, slug, await files(slug)))) return { slug, release }
    } catch (thrown) {
      await release()
      throw thrown
    }
    await release()
  }
  throw taken(wish)
}

async function lockOrNull(
  root: StateRoot,
  slug: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<(() => Promise<void>) | null> {
  try {
    return await takeLock(root, slug, { operation: 'start', waitMs, signal })
  } catch (thrown) {
    if (isBottleError(thrown) && thrown.code === 'busy') return null
    throw thrown
  }
}

async function putFolder(
  root: StateRoot,
  slug: string,
  files: Readonly<Record<string, string>>,
): Promise<boolean> {
  const target = root.path('state', slug)
  if (await exists(target)) return false
  const aside = root.path('state', `.new-${slug}-${randomUUID().slice(0, 8)}`)
  await mkdir(aside, { mode: 0o700 })
  try {
    for (const [name, text] of Object.entries(files)) await writeDurable(`${aside}/${name}`, text)
    await writeFile(`${aside}/.preserve`, '', { mode: 0o644 })
    faultPoint('start:before-reserve')
    await rename(aside, target)
    await syncFolder(root.path('state'))
  } catch (thrown) {
    await removeTree(aside)
    const code = (thrown as NodeJS.ErrnoException).code
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false
    throw thrown
  }
  notifyChange(root, slug)
  return true
}
