import { confirm, declined, pick } from '../ask.ts'
import { doneText, leftError } from '../done-text.ts'
import type { Face } from '../face.ts'
import { operate, withIcebox } from '../session.ts'
import { formatTable } from '../table.ts'
import { formatAge, formatBytes, plural } from '../units.ts'
import { usageError } from '../usage.ts'

const DAY_MS = 86_400_000

/** `icebox trash list`. */
export async function trashList(face: Face): Promise<number> {
  const entries = await withIcebox(face, ({ bottles }) => bottles.trash())
  const now = Date.now()
  await face.result({
    json: entries,
    text:
      entries.length === 0
        ? 'The trash is empty.'
        : formatTable(
            entries,
            [
              { title: 'ENTRY', cell: (entry) => ({ text: entry.id, colour: 'bold' }), shrinkTo: 20 },
              {
                title: 'BOTTLE',
                cell: (entry) => (entry.snapshot ? `${entry.slug}@${entry.snapshot}` : entry.slug),
                shrinkTo: 12,
              },
              { title: 'DESTROYED', cell: (entry) => formatAge(entry.destroyedAt, now) },
              { title: 'DELETED IN', cell: (entry) => daysLeft(entry.purgeAfter, now) },
              { title: 'SNAPSHOTS', cell: (entry) => String(entry.snapshots), align: 'right' },
              { title: 'SIZE', cell: (entry) => formatBytes(entry.bytes), align: 'right' },
            ],
            { width: face.stdout.width, paint: face.paint },
          ),
    essential: entries.map((entry) => entry.id).join('\n'),
  })
  return 0
}

function daysLeft(iso: string, now: number): string {
  const days = Math.ceil((Date.parse(iso) - now) / DAY_MS)
  return Number.isNaN(days) ? '' : days <= 0 ? 'next cleanup' : plural(days, 'day')
}

/** `icebox trash undo`. */
export async function trashUndo(face: Face, given: string | undefined): Promise<number> {
  if (given === undefined && !face.canAsk)
    throw usageError('Name an entry or a slug; `icebox trash list` shows them.')
  return withIcebox(face, async ({ bottles }) => {
    const entry = given ?? (await pickEntry())
    const { slug } = await operate(face, {}, (context) => bottles.undo(entry, context))
    await face.result({ json: { slug }, text: `${slug} is back.`, essential: slug })
    return 0

    async function pickEntry(): Promise<string> {
      const entries = await bottles.trash()
      const now = Date.now()
      return pick(
        face,
        'entry of the trash',
        entries.map(({ id, slug, destroyedAt }) => ({
          value: id,
          label: slug,
          hint: formatAge(destroyedAt, now),
        })),
      )
    }
  })
}

/** `icebox trash empty`: nothing of it can come back, so it asks. */
export async function trashEmpty(face: Face, flags: { readonly yes?: boolean }): Promise<number> {
  if (!flags.yes && !face.canAsk) {
    throw usageError('There is no terminal to ask at: say --yes to delete what is in the trash for good.')
  }
  return withIcebox(face, async ({ bottles }) => {
    const entries = await bottles.trash()
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
    const what = `${entries.length} destroyed ${entries.length === 1 ? 'bottle' : 'bottles'}, ${formatBytes(bytes)}`
    if (entries.length > 0 && !flags.yes && !(await confirm(face, `Delete ${what}, for good?`, false)))
      throw declined()
    const done = await operate(face, { yes: true }, (context) => bottles.emptyTrash(context))
    await face.result({ json: done, text: doneText(done, face.paint) })
    const failed = leftError(done)
    if (failed) throw failed
    return 0
  })
}
