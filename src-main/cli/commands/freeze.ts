import { requireSlug } from '../../state/slug.ts'
import type { Face } from '../face.ts'
import { operate, slugOrPick, withIcebox } from '../session.ts'
import { formatBytes } from '../units.ts'
import { usageError } from '../usage.ts'

export interface FreezeFlags {
  readonly note?: string
  readonly pin?: boolean
  readonly yes?: boolean
}

/** `icebox freeze`, also `commit`: the bottle goes on as it was. */
export async function freeze(face: Face, given: string | undefined, flags: FreezeFlags): Promise<number> {
  const named = given === undefined ? undefined : requireSlug(given)
  if (flags.note !== undefined && flags.note.length > 500)
    throw usageError('A note has at most 500 characters.')
  return withIcebox(face, async ({ bottles, ...icebox }) => {
    const slug = await slugOrPick(face, { bottles, ...icebox }, named)
    const { snapshot, resumeHint, exportHint } = await operate(face, { yes: flags.yes }, (context) =>
      bottles.freeze({ slug, note: flags.note, pin: flags.pin }, context),
    )
    await face.result({
      json: { slug, snapshot },
      text: `Frozen: ${slug}@${snapshot.id}, ${formatBytes(snapshot.bytes)}, ${snapshot.fidelity}.`,
      essential: snapshot.id,
    })
    if (snapshot.leftOut.length > 0) await face.say(`Left out: ${snapshot.leftOut.join(', ')}`)
    await face.say(`Resume:   ${resumeHint}`)
    if (exportHint) await face.say(`Take out: ${exportHint}`)
    return 0
  })
}
