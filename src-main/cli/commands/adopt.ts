import { doneText } from '../done-text.ts'
import type { Face } from '../face.ts'
import { backendFlag, labelFlag } from '../run-flags.ts'
import { operate, withIcebox } from '../session.ts'
import { nonEmpty } from '../usage.ts'

/** `icebox adopt`: a foreign container becomes a bottle; it keeps its name. */
export async function adopt(
  face: Face,
  container: string,
  flags: { readonly label?: string; readonly backend?: string; readonly yes?: boolean },
): Promise<number> {
  const name = nonEmpty('The name of the container', container)
  const backend = backendFlag(flags.backend)
  const label = labelFlag(flags.label)
  return withIcebox(face, async ({ bottles }) => {
    const options = {
      ...(label === undefined ? {} : { label }),
      ...(backend === undefined ? {} : { backend }),
    }
    const { slug } = await operate(face, flags, (context) => bottles.adopt(name, options, context))
    await face.result({
      json: { slug, done: [`${name} is now the bottle ${slug}`], left: [], unrecoverable: [] },
      text: `${name} is now the bottle ${slug}.`,
      essential: slug,
    })
    return 0
  })
}

/** `icebox cleanup`. What it leaves alone on purpose is no failure. */
export async function cleanup(face: Face, flags: { readonly yes?: boolean }): Promise<number> {
  return withIcebox(face, async ({ bottles }) => {
    const done = await operate(face, flags, (context) => bottles.cleanup(context))
    await face.result({ json: done, text: doneText(done, face.paint), essential: done.done.join('\n') })
    return 0
  })
}
