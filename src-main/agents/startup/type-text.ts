import { setTimeout as delay } from 'node:timers/promises'
import type { AgentAccess } from '../../backends/agent-access.ts'
import type { RuntimeRef } from '../../state/runtime-ref.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { isUnsent } from './screen-signs.ts'

/** Looks at the screen, each after so many milliseconds, until the text has left the input line. */
const LOOKS = 10
const LOOK_MS = 300
/** Looks that must show it gone, since a program draws what was typed a moment later. */
const GONE_LOOKS = 2

/**
 * Types a text and Enter, and presses Enter again where the program lost it.
 * @throws BottleError `timeout` when the text stays in the input line, and as `AgentAccess.type`
 */
export async function typeAndSubmit(
  access: AgentAccess,
  ref: RuntimeRef,
  text: string,
  signal: AbortSignal,
): Promise<void> {
  await access.type(ref, [{ text }, { key: 'Enter' }], signal)
  let gone = 0
  for (let look = 0; look < LOOKS; look++) {
    await delay(LOOK_MS, undefined, { signal })
    const screen = await access.screen(ref, signal)
    if (!screen) return
    gone = isUnsent(screen.lines, text) ? 0 : gone + 1
    if (gone >= GONE_LOOKS) return
    if (gone === 0) await access.type(ref, [{ key: 'Enter' }], signal)
  }
  throw bottleError(
    'timeout',
    `The text stands in the input line of ${ref.slug}, and its agent does not take it.`,
    {
      slug: ref.slug,
    },
  )
}
