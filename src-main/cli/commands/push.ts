import { scrubOptions } from '../ask-scrub.ts'
import type { Face } from '../face.ts'
import { operate, withIcebox } from '../session.ts'
import { parseTarget } from '../target.ts'
import { formatBytes } from '../units.ts'
import { nonEmpty } from '../usage.ts'

/** `icebox push`. */
export async function push(
  face: Face,
  given: string,
  reference: string,
  flags: { readonly scrub?: string },
): Promise<number> {
  const { slug, snapshot } = parseTarget(given)
  nonEmpty('The reference', reference)
  return withIcebox(face, async ({ artifacts }) => {
    const done = await operate(face, {}, (context, progress) =>
      artifacts.push(
        {
          slug,
          snapshot: snapshot ?? undefined,
          reference,
          ...scrubOptions(face, flags.scrub, progress),
        },
        context,
      ),
    )
    const held = done.held > 0 ? `, ${formatBytes(done.held)} were there already` : ''
    await face.result({
      json: done,
      text: `Pushed to ${done.reference}: ${formatBytes(done.sent)} sent${held}.\n${done.digest}`,
      essential: done.digest,
    })
    return 0
  })
}

/** `icebox pull`. */
export async function pull(
  face: Face,
  reference: string,
  flags: { readonly label?: string },
): Promise<number> {
  nonEmpty('The reference', reference)
  const label = flags.label === undefined ? undefined : nonEmpty('--label', flags.label)
  return withIcebox(face, async ({ artifacts }) => {
    const done = await operate(face, {}, (context) => artifacts.pull({ reference, label }, context))
    await face.result({
      json: done,
      text: `Pulled: ${done.slug}@${done.snapshot} on ${done.backend}.`,
      essential: done.slug,
    })
    await face.say(`Resume:   icebox resume ${done.slug}`)
    return 0
  })
}
