import type { Bottle } from '../../../src-preload/contract/entities.ts'
import type { Icebox } from '../../icebox.ts'
import { requireSlug } from '../../state/slug.ts'
import { confirm, declined } from '../ask.ts'
import { doneText, leftError } from '../done-text.ts'
import type { Face } from '../face.ts'
import { operate, slugOrPick, withIcebox } from '../session.ts'
import { formatAge, formatBytes, plural } from '../units.ts'
import { usageError } from '../usage.ts'

export interface DestroyFlags {
  readonly freeze?: boolean
  readonly purge?: boolean
  readonly force?: boolean
  readonly yes?: boolean
}

/** `icebox destroy`: asks first, at a terminal; elsewhere it must be told --yes. */
export async function destroy(face: Face, given: string | undefined, flags: DestroyFlags): Promise<number> {
  const named = given === undefined ? undefined : requireSlug(given)
  if (flags.freeze && flags.purge) {
    throw usageError('--freeze keeps the newest work in the trash and --purge leaves no trash. Choose one.')
  }
  if (!flags.yes && !face.canAsk) {
    throw usageError('There is no terminal to ask at: say --yes to destroy the bottle without a question.')
  }
  return withIcebox(face, async (icebox) => {
    const slug = await slugOrPick(face, icebox, named)
    if (!flags.yes) await askFirst(face, icebox, slug, flags)
    const { freeze, purge, force } = flags
    const done = await operate(face, { yes: true }, (context) =>
      icebox.bottles.destroy({ slug, freeze, purge, force }, context),
    )
    await face.result({ json: { slug, ...done }, text: doneText(done, face.paint), essential: slug })
    const failed = leftError(done, slug)
    if (failed) throw failed
    return 0
  })
}

async function askFirst(face: Face, icebox: Icebox, slug: string, flags: DestroyFlags): Promise<void> {
  const bottle = (await icebox.bottles.list(face.signal)).find((row) => row.slug === slug)
  // Nothing to lose: destroying what is gone already is no question.
  if (!bottle) return
  const days = Number((await icebox.settings()).all().trashDays)
  if (!(await confirm(face, question(bottle, flags, Date.now(), days), false))) throw declined()
}

/** Names the bottle, how much there is of it, how old its last snapshot is, and what becomes of it all. */
export function question(bottle: Bottle, flags: DestroyFlags, now: number, trashDays: number): string {
  const kept =
    bottle.snapshots === 0
      ? 'it was never frozen'
      : `${plural(bottle.snapshots, 'snapshot')}, the last ${formatAge(bottle.lastFrozenAt, now)}${
          bottle.bytes === null ? '' : `, ${formatBytes(bottle.bytes)}`
        }`
  const fate = flags.purge
    ? 'Nothing can be brought back.'
    : `It waits in the trash for ${plural(trashDays, 'day')}.`
  const first = flags.freeze ? 'Freeze, then destroy' : 'Destroy'
  return `${first} ${bottle.slug} (${bottle.state}; ${kept})? ${fate}`
}
