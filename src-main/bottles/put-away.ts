import { lstat } from 'node:fs/promises'
import { readMetadata } from '../state/metadata.ts'
import { requireRealFolder } from '../state/root.ts'
import { slugify } from '../state/slug.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import { readRuntime } from './read-bottles.ts'
import type { SlugWish } from './reserve-slug.ts'
import type { OperationContext } from './services.ts'

/** A bottle that has the name which a forced start wants. */
export interface StaleEntry {
  readonly slug: string
  readonly isRunning: boolean
}

/** The bottle that a forced start would put away; null when its name is free or not decided. Only looks. */
export async function findStale(
  deps: BottleDeps,
  wish: SlugWish,
  signal: AbortSignal,
): Promise<StaleEntry | null> {
  const slug = wish.label === null ? '' : slugify(wish.label)
  if (!slug) return null
  const folder = deps.root.path('state', slug)
  const found = await lstat(folder).catch(() => null)
  if (!found) return null
  await requireRealFolder(folder)
  return { slug, isRunning: await isRunning(deps, slug, signal) }
}

/** What a dry run says of it. Pure. */
export function staleSentence({ slug, isRunning }: StaleEntry): string {
  const stopped = isRunning ? 'would be stopped, its ' : 'would have its '
  return `${slug} is there already: it ${stopped}unsaved work frozen, and it would wait in the trash.`
}

/**
 * Makes room for a forced start: really stops the bottle and verifies it, freezes its unsaved work, and moves it to the
 * trash with everything it has. When any of this fails the bottle stays and nothing is started.
 * @throws BottleError
 */
export async function putAway(
  deps: BottleDeps,
  { slug }: StaleEntry,
  context: OperationContext,
): Promise<void> {
  const { settleBottle } = await import('./settle.ts')
  await settleBottle(deps, slug, context.signal)
  if (await isRunning(deps, slug, context.signal)) {
    await stopSurely(deps, slug, context)
  }
  const { destroy } = await import('./destroy.ts')
  const done = await destroy(deps, { slug, freeze: true }, context)
  if (done.unrecoverable.length > 0) {
    context.notice(`What could not be kept of the former ${slug}: ${done.unrecoverable.join(', ')}.`)
  }
  context.notice(
    `The former ${slug} was put away with its work: icebox trash undo ${slug} brings it back under a new name.`,
  )
}

/** Stops a bottle and looks again, since a stop that nobody verified means two agents on one name. @throws BottleError */
export async function stopSurely(deps: BottleDeps, slug: string, context: OperationContext): Promise<void> {
  const { GRACE_SECONDS, stop } = await import('./stop.ts')
  await stop(deps, slug, { graceSeconds: GRACE_SECONDS, force: true }, context)
  if (!(await isRunning(deps, slug, context.signal))) return
  throw bottleError('engine-failed', `${slug} still runs although it was stopped; nothing else was done.`, {
    slug,
  })
}

async function isRunning(deps: BottleDeps, slug: string, signal: AbortSignal): Promise<boolean> {
  const read = await readMetadata(deps.root, slug)
  if (read.kind !== 'ok') return false
  const fact = await readRuntime(deps, slug, read.metadata.backend, signal)
  return fact?.state === 'running' || fact?.state === 'paused'
}
