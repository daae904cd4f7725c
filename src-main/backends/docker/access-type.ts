import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { bottleError } from '../../system/bottle-error.ts'
import type { Stroke } from '../agent-access.ts'
import type { RuntimeRef } from '../backend.ts'
import { keyBytes, paceStrokes, textBytes } from '../local/strokes.ts'
import type { Followed } from './access-follow.ts'
import { DETACH_KEYS } from './attach.ts'
import { type Engine, whileOpening } from './engine.ts'

/** How long the engine may take to take the last of what was typed. */
const FINISH_MS = 2000

/** Types into a container's terminal, in order. @throws BottleError `unsupported`, `not-found` */
export async function typeStrokes(
  engine: Engine,
  ref: RuntimeRef,
  { view }: Followed,
  strokes: readonly Stroke[],
  signal: AbortSignal,
): Promise<void> {
  if (!view) {
    throw bottleError('unsupported', `${ref.slug} runs without a terminal, so nothing can be typed.`, {
      slug: ref.slug,
    })
  }
  const input = await openInput(engine, ref, signal)
  try {
    for (const stroke of paceStrokes(strokes)) {
      signal.throwIfAborted()
      if (stroke.kind === 'pause') await delay(stroke.ms, undefined, { signal })
      else {
        // Asked at each stroke: the one before may have changed what the program wants.
        await view.settled()
        const bytes =
          stroke.kind === 'key' ? keyBytes(stroke.key, view.modes) : textBytes(stroke.text, view.modes)
        await send(input, bytes)
      }
    }
    await finish(input)
  } catch (thrown) {
    signal.throwIfAborted()
    throw bottleError('not-found', `The agent of ${ref.slug} ended while it was typed to.`, {
      slug: ref.slug,
      cause: thrown,
    })
  } finally {
    input.destroy()
  }
}

async function openInput(engine: Engine, ref: RuntimeRef, signal: AbortSignal): Promise<Duplex> {
  const stream = await engine.call(`type to ${ref.name}`, signal, (docker, bounded) =>
    whileOpening(bounded, (abortSignal) =>
      docker
        .getContainer(ref.id)
        .attach({ stream: true, stdin: true, hijack: true, detachKeys: DETACH_KEYS, abortSignal }),
    ),
  )
  stream.on('error', () => undefined)
  return stream as Duplex
}

function send(input: Duplex, bytes: string): Promise<void> {
  return new Promise((resolve, reject) => {
    input.write(bytes, (error) => (error ? reject(error) : resolve()))
  })
}

/** The engine ends its side once it has taken everything. */
async function finish(input: Duplex): Promise<void> {
  const over = new Promise<void>((resolve) => input.once('close', resolve))
  input.end()
  input.resume()
  await Promise.race([over, delay(FINISH_MS)])
}
