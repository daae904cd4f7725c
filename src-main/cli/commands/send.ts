import { requireSlug } from '../../state/slug.ts'
import type { Face } from '../face.ts'
import { readStdin } from '../run-flags.ts'
import { withIcebox } from '../session.ts'

export interface SendFlags {
  readonly now?: boolean
}

/** `icebox send`: something to do for a running agent, from the arguments or with `-` from stdin. */
export async function send(
  face: Face,
  given: string,
  words: readonly string[],
  flags: SendFlags,
): Promise<number> {
  const slug = requireSlug(given)
  const isStdin = words.length === 1 && words[0] === '-'
  const text = isStdin ? (await readStdin(face.signal)).replace(/\r?\n$/, '') : words.join(' ')
  return withIcebox(face, async ({ bottles }) => {
    await bottles.send(slug, text, { now: flags.now }, face.signal)
    await face.result({ json: { slug, sent: true }, text: `Sent to ${slug}.`, essential: slug })
    return 0
  })
}
