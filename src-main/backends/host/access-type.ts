import { setTimeout as delay } from 'node:timers/promises'
import { bottleError } from '../../system/bottle-error.ts'
import type { Stroke } from '../agent-access.ts'
import type { RuntimeRef } from '../backend.ts'
import { isPaste, paceStrokes } from '../local/strokes.ts'
import type { HostContext } from './host-context.ts'
import { hostFacts, pathsOf, runState } from './run-record.ts'

/** Types into the agent's terminal, in order. @throws BottleError `unsupported`, `not-found`, `engine-missing` */
export async function typeStrokes(
  context: HostContext,
  ref: RuntimeRef,
  strokes: readonly Stroke[],
  signal: AbortSignal,
): Promise<void> {
  const { socket, multiplexer: name } = hostFacts(ref)
  if (!socket) {
    throw bottleError('unsupported', `${ref.slug} runs without a terminal, so nothing can be typed.`, {
      slug: ref.slug,
    })
  }
  const multiplexer = await context.multiplexer(name)
  const { run } = pathsOf(context.home, ref)
  const requireRunning = async () => {
    if ((await runState(run)).kind === 'running') return
    throw bottleError('not-found', `The agent of ${ref.slug} has ended.`, { slug: ref.slug })
  }
  await requireRunning()
  for (const stroke of paceStrokes(strokes)) {
    signal.throwIfAborted()
    try {
      if (stroke.kind === 'pause') await delay(stroke.ms, undefined, { signal })
      else if (stroke.kind === 'key') await multiplexer.pressKey(socket, stroke.key, signal)
      else if (isPaste(stroke.text)) await multiplexer.paste(socket, stroke.text, signal)
      else await multiplexer.typeText(socket, stroke.text, signal)
    } catch (thrown) {
      // The terminal ends with the agent; then that is what happened.
      if (!signal.aborted) await requireRunning()
      throw thrown
    }
  }
}
