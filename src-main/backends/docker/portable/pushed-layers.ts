import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { toBottleError } from '../../../system/bottle-error.ts'
import type { Engine } from '../engine.ts'
import { jsonLines } from '../json-lines.ts'
import { createPushDesk } from './push-desk.ts'
import { openPushSink } from './push-sink.ts'
import type { TakeLayer } from './saved-layers.ts'
import { sweepTransferTags, tagForTransfer, transferRepository, untagTransfer } from './transfer-tags.ts'
import { exchange } from './transport.ts'

/** A daemon that can reach this process does so at once. */
const FIRST_CONTACT_MS = 10_000
/** Nothing at all has happened for so long: the daemon is stuck, or talks to somebody else. */
const SILENCE_MS = 60_000

export interface PushRequest {
  readonly imageId: string
  readonly rootId: string
  readonly diffIds: readonly string[]
  /** Bytes of each layer, for choosing what to drain first. */
  readonly sizes: readonly number[]
  readonly wanted: ReadonlySet<string>
}

/**
 * Has the daemon push an image to a registry in this process and keeps the wanted layers of it: the one way to get few
 * layers without all. Ends the push as soon as they are in. Whatever goes wrong with that trick is no error: what was
 * not taken is missing from the answer. @returns the wanted digests that were taken
 * @throws what `take` throws, and BottleError when the signal aborts
 */
export async function readPushedLayers(
  engine: Engine,
  request: PushRequest,
  take: TakeLayer,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const { imageId, rootId, diffIds, sizes, wanted } = request
  await sweepTransferTags(engine, rootId, signal).catch(() => {})
  const repository = await transferRepository(rootId)
  const over = new AbortController()
  const desk = createPushDesk({ diffIds, sizes, wanted, take, onOver: () => over.abort() })
  const sink = await openPushSink(repository, desk)
  const name = `127.0.0.1:${sink.port}/${repository}`
  const until = AbortSignal.any([signal, over.signal])
  try {
    await tagForTransfer(engine, imageId, name, signal)
    // The daemon has looked the name up once it asks for the first session.
    const untagged = desk.begun.then(() => untagTransfer(engine, name)).catch(() => {})
    await Promise.race([push(engine, name, desk.onProgress, until), watchSilence(desk.lastActivity, until)])
    void untagged
  } catch {
    // The daemon can't or won't: its other door is open still.
  } finally {
    over.abort()
    await sink.close()
    await desk.close()
    await untagTransfer(engine, name).catch(() => {})
  }
  if (signal.aborted) throw toBottleError(signal.reason)
  return desk.outcome()
}

async function push(
  engine: Engine,
  name: string,
  onProgress: (id: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const headers = { 'X-Registry-Auth': Buffer.from('{}').toString('base64') }
  const request = { method: 'POST', path: `/images/${name}/push?tag=t`, headers } as const
  const answer: IncomingMessage = await exchange(engine, 'push the image', request, signal)
  for await (const line of jsonLines(answer)) {
    if (line.error !== undefined) return
    if (line.status === 'Pushing' && typeof line.id === 'string') onProgress(line.id)
  }
}

/** Ends when nothing has moved for too long. */
async function watchSilence(lastActivity: () => number | null, signal: AbortSignal): Promise<void> {
  const start = Date.now()
  while (!signal.aborted) {
    await sleep(1000, undefined, { signal }).catch(() => {})
    const last = lastActivity()
    if (last === null ? Date.now() - start > FIRST_CONTACT_MS : Date.now() - last > SILENCE_MS) return
  }
}
