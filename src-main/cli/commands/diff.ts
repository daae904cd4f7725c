import type { DiffPoint } from '../../bottles/artifact-services.ts'
import type { Icebox } from '../../icebox.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { diffText, fileDiffText } from '../diff-text.ts'
import type { Face } from '../face.ts'
import { operate, withIcebox } from '../session.ts'
import { findSnapshot, parseTarget, type Target } from '../target.ts'
import { nonEmpty } from '../usage.ts'

export interface DiffFlags {
  readonly file?: string
  readonly names?: boolean
}

/** `icebox diff`: like `diff`'s own words, but with 0 whether or not there is a difference. */
export async function diff(
  face: Face,
  from: string,
  to: string | undefined,
  flags: DiffFlags,
): Promise<number> {
  const first = parseTarget(from)
  const second = to === undefined ? { slug: first.slug, snapshot: null } : parseTarget(to)
  const path = flags.file === undefined ? undefined : nonEmpty('--file', flags.file)
  return withIcebox(face, async (icebox) => {
    const before =
      to === undefined && first.snapshot === null
        ? await currentPoint(icebox, face, first.slug)
        : await pointOf(icebox, first)
    const after = await pointOf(icebox, second)
    if (path !== undefined) {
      const file = await operate(face, {}, (context) =>
        icebox.artifacts.diffFile(before, after, path, context),
      )
      await face.result({ json: file, text: fileDiffText(file, face.paint), essential: file.text ?? '' })
      return 0
    }
    const found = await operate(face, {}, (context) => icebox.artifacts.diff(before, after, context))
    for (const notice of face.json ? [] : found.notices) await face.warn(notice)
    await face.result({
      json: found,
      text: diffText(found, { paint: face.paint, width: face.stdout.width, hasNames: flags.names === true }),
      essential: found.entries.map((entry) => entry.path).join('\n'),
    })
    return 0
  })
}

/** `SLUG` is the bottle as it is now; everything else a snapshot. */
async function pointOf(icebox: Icebox, target: Target): Promise<DiffPoint> {
  if (target.snapshot === null) return { slug: target.slug, snapshot: null }
  const { id } = findSnapshot(target, await icebox.bottles.snapshots(target.slug))
  return { slug: target.slug, snapshot: id }
}

async function currentPoint(icebox: Icebox, face: Face, slug: string): Promise<DiffPoint> {
  const row = (await icebox.bottles.rows([slug], face.signal)).get(slug)
  if (!row)
    throw bottleError('not-found', `There is no bottle ${slug}. \`icebox list\` shows them.`, { slug })
  if (row.currentSnapshot === null) {
    throw bottleError(
      'snapshot-missing',
      `${slug} has no snapshot to compare with. Make one with \`icebox freeze ${slug}\`.`,
      { slug },
    )
  }
  return { slug, snapshot: row.currentSnapshot }
}
