import type { Snapshot } from '../../src-preload/contract/entities.ts'
import { requireSlug } from '../state/slug.ts'
import { bottleError } from '../system/bottle-error.ts'

/** A bottle, or one of its snapshots, as typed: `SLUG`, `SLUG@ID`, `SLUG@latest`. */
export interface Target {
  readonly slug: string
  /** What stands behind the `@`; null without one. */
  readonly snapshot: string | null
}

/** @throws BottleError `invalid-slug`, or `snapshot-missing` for nothing behind the `@`. */
export function parseTarget(text: string): Target {
  const at = text.indexOf('@')
  if (at < 0) return { slug: requireSlug(text), snapshot: null }
  const slug = requireSlug(text.slice(0, at))
  const snapshot = text.slice(at + 1)
  if (snapshot === '') {
    throw bottleError('snapshot-missing', `${text} names no snapshot. Write ${slug}@ID or ${slug}@latest.`, {
      slug,
    })
  }
  return { slug, snapshot }
}

/**
 * The snapshot that a target names: the newest for `latest` or no `@`, else that id or the one id that starts so.
 * @throws BottleError `snapshot-missing`
 */
export function findSnapshot(target: Target, snapshots: readonly Snapshot[]): Snapshot {
  const ordered = snapshots.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  const wanted = target.snapshot ?? 'latest'
  const { slug } = target
  if (wanted === 'latest') {
    const newest = ordered.findLast((snapshot) => snapshot.status === 'ready')
    if (newest) return newest
    throw bottleError(
      'snapshot-missing',
      `${slug} has no snapshot. Make one with \`icebox freeze ${slug}\`.`,
      { slug },
    )
  }
  const exact = ordered.find((snapshot) => snapshot.id === wanted)
  if (exact) return exact
  const found = ordered.filter((snapshot) => snapshot.id.startsWith(wanted))
  const [only] = found
  if (only && found.length === 1) return only
  const shown = JSON.stringify(wanted.slice(0, 60))
  throw bottleError(
    'snapshot-missing',
    found.length > 1
      ? `${shown} fits ${found.length} snapshots of ${slug}. Write more of the id; \`icebox snapshots ${slug}\` lists them.`
      : `${slug} has no snapshot ${shown}. \`icebox snapshots ${slug}\` lists them.`,
    { slug },
  )
}
