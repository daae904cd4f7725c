import { setTimeout as delay } from 'node:timers/promises'
import type { AgentAccess } from '../../backends/agent-access.ts'
import type { RuntimeRef } from '../../state/runtime-ref.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { isOnScreen, isUnsent } from './screen-signs.ts'

/** Looks at the screen, each after so many milliseconds, until the text has left the input line. */
const LOOKS = 20
const LOOK_MS = 300

/**
 * Types a text and Enter, and presses Enter again where the program lost it. Done once the text was seen and no longer stands in the
 * input line; a program that shows nothing of what is typed is believed after some seconds.
 * @throws BottleError `timeout` when the text stays in the input line, and as `AgentAccess.type`
 */
export async function typeAndSubmit(
  access: AgentAccess,
  ref: RuntimeRef,
  text: string,
  signal: AbortSignal,
): Promise<void> {
  const before = await access.screen(ref, signal)
  // What stood there before tells nothing.
  let isSeen = false
  const wasThere = before !== null && isOnScreen(before.lines, text)
  await access.type(ref, [{ text }, { key: 'Enter' }], signal)
  let isWaiting = false
  for (let look = 0; look < LOOKS; look++) {
    await delay(LOOK_MS, undefined, { signal })
    const screen = await access.screen(ref, signal)
    if (!screen) return
    const wasWaiting: boolean = isWaiting
    isWaiting = isUnsent(screen.lines, text)
    isSeen ||= isWaiting || wasWaiting || (!wasThere && isOnScreen(screen.lines, text))
    if (isSeen && !isWaiting) return
    // Twice in a row: an Enter that was only slow must not be followed by one that answers a question.
    if (isWaiting && wasWaiting) await access.type(ref, [{ key: 'Enter' }], signal)
  }
  if (!isWaiting) return
  throw bottleError(
    'timeout',
    `The text stands in the input line of ${ref.slug}, and its agent does not take it.`,
    { slug: ref.slug },
  )
}
