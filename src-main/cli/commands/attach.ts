import { requireSlug } from '../../state/slug.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { Face } from '../face.ts'
import { slugOrPick, withIcebox } from '../session.ts'
import { isActive } from '../state-word.ts'
import { connectTerminal, connectUntilExit, requireTerminal } from '../terminal.ts'

/** `icebox attach`: ends with the agent's own code when the agent ends, with 0 when the user leaves. */
export async function attach(
  face: Face,
  given: string | undefined,
  flags: { readonly readOnly?: boolean },
): Promise<number> {
  const named = given === undefined ? undefined : requireSlug(given)
  requireTerminal(face, 'Use `icebox logs -f` to follow the output without one.')
  return withIcebox(face, async (icebox) => {
    const slug = await slugOrPick(face, icebox, named, (bottle) => isActive(bottle) && bottle.interactive)
    if (flags.readOnly) {
      await connectTerminal(face, icebox, slug, { readOnly: true })
      await face.result({ json: { slug }, text: '' })
      return 0
    }
    const exitCode = await connectUntilExit(face, icebox, slug)
    await face.result({ json: exitCode === null ? { slug } : { slug, exitCode }, text: '' })
    if (exitCode) {
      throw bottleError('agent-exited', `The agent of ${slug} failed with exit code ${exitCode}.`, {
        slug,
        exitCode,
      })
    }
    return 0
  })
}
