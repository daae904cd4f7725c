import type { Face } from '../face.ts'
import { operate, slugOrPick, withIcebox } from '../session.ts'
import { parseTarget } from '../target.ts'

/** `icebox verify`: ends with 1 when the snapshot did not pass; the outcome is recorded either way. */
export async function verify(face: Face, given: string | undefined): Promise<number> {
  const named = given === undefined ? undefined : parseTarget(given)
  return withIcebox(face, async (icebox) => {
    const slug = named?.slug ?? (await slugOrPick(face, icebox, undefined, (row) => row.snapshots > 0))
    const snapshot = await operate(face, {}, (context) =>
      icebox.artifacts.verify({ slug, snapshot: named?.snapshot ?? undefined }, context),
    )
    const hasPassed = snapshot.verified?.outcome === 'passed'
    const word = hasPassed ? face.paint('green', 'passed') : face.paint('red', 'failed')
    await face.result({
      json: { slug, snapshot },
      text: `${slug}@${snapshot.id} ${word}: ${snapshot.verified?.detail ?? 'nothing was told'}`,
      essential: hasPassed ? 'passed' : 'failed',
    })
    return hasPassed ? 0 : 1
  })
}
