import type { Snapshot } from '../../../src-preload/contract/entities.ts'
import { requireSlug } from '../../state/slug.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { Face } from '../face.ts'
import { slugOrPick, withIcebox } from '../session.ts'
import { findSnapshot, parseTarget } from '../target.ts'
import { drawTree } from '../tree.ts'
import { formatAge, formatBytes } from '../units.ts'
import { cutText, oneLine } from '../width.ts'

/** `icebox snapshots`: the tree of a bottle. */
export async function snapshots(face: Face, given: string | undefined): Promise<number> {
  const named = given === undefined ? undefined : requireSlug(given)
  return withIcebox(face, async (icebox) => {
    const slug = await slugOrPick(face, icebox, named, (bottle) => bottle.snapshots > 0)
    const tree = await icebox.bottles.snapshots(slug)
    const current = tree.length === 0 ? null : await currentOf(slug)
    const lines = drawTree(tree, (node) => snapshotLabel(face, node, current, Date.now()), face.unicode)
    const { width } = face.stdout
    await face.result({
      json: tree,
      text:
        lines.length === 0
          ? `${slug} has no snapshots. Make one with \`icebox freeze ${slug}\`.`
          : lines.map((line) => fitLine(line, width)).join('\n'),
      essential: tree.map((snapshot) => snapshot.id).join('\n'),
    })
    return 0

    async function currentOf(name: string): Promise<string | null> {
      const bottles = face.json || face.quiet ? [] : await icebox.bottles.list(face.signal)
      return bottles.find((bottle) => bottle.slug === name)?.currentSnapshot ?? null
    }
  })
}

/** One snapshot on one line: id, age, size, and what a person wrote on it. */
export function snapshotLabel(
  face: Pick<Face, 'unicode'>,
  snapshot: Snapshot,
  current: string | null,
  now: number,
): string {
  const isCurrent = snapshot.id === current
  const mark = face.unicode ? (isCurrent ? '◉' : '○') : isCurrent ? '*' : 'o'
  return [
    `${mark} ${snapshot.id}`,
    formatAge(snapshot.createdAt, now),
    formatBytes(snapshot.ownBytes ?? snapshot.bytes),
    snapshot.fidelity === 'files' ? '' : snapshot.fidelity,
    snapshot.reason === 'user' ? '' : snapshot.reason,
    verifiedText(snapshot, now),
    snapshot.pinned ? 'pinned' : '',
    snapshot.status === 'in-doubt' ? 'in doubt' : '',
    oneLine(snapshot.label),
    snapshot.note ? JSON.stringify(oneLine(snapshot.note)) : '',
  ]
    .filter((part) => part !== '')
    .join('  ')
}

function verifiedText({ verified }: Snapshot, now: number): string {
  if (!verified) return ''
  return verified.outcome === 'passed' ? `verified ${formatAge(verified.at, now)}` : 'failed its check'
}

function fitLine(line: string, width: number | undefined): string {
  return width === undefined ? line : cutText(line, width)
}

/** `icebox pin`. */
export async function pin(face: Face, given: string, flags: { readonly off?: boolean }): Promise<number> {
  return editOne(
    face,
    given,
    { pinned: flags.off !== true },
    flags.off ? 'is not pinned any more' : 'is pinned',
  )
}

/** `icebox note`. */
export async function note(face: Face, given: string, words: readonly string[]): Promise<number> {
  const text = words.join(' ').trim()
  if (text.length > 500) throw bottleError('usage', 'A note has at most 500 characters.')
  return editOne(face, given, { note: text }, text === '' ? 'has no note any more' : 'has its note')
}

async function editOne(
  face: Face,
  given: string,
  edit: { readonly note?: string; readonly pinned?: boolean },
  words: string,
): Promise<number> {
  const target = parseTarget(given)
  return withIcebox(face, async ({ bottles }) => {
    const { id } = findSnapshot(target, await bottles.snapshots(target.slug))
    const snapshot = await bottles.editSnapshot(target.slug, id, edit)
    await face.result({ json: snapshot, text: `${target.slug}@${id} ${words}.`, essential: id })
    return 0
  })
}
