import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { inflate } from '../../images/inflate.ts'
import type { SinkEvents, SinkSession, SinkUpload } from './push-sink.ts'
import type { TakeLayer } from './saved-layers.ts'

/** Read ahead while it is found out which layer an upload is; the daemon tells after half a megabyte. */
const AHEAD = 1 << 20
const IDENTIFY_MS = 2000
/** A line about an upload that is complete already is on its way. */
const ENDED_MS = 300
/** The daemon may be about to ask for another session. */
const DRAIN_AFTER_MS = 100

export interface DeskOptions {
  readonly diffIds: readonly string[]
  /** Bytes of each layer, bottom first. */
  readonly sizes: readonly number[]
  readonly wanted: ReadonlySet<string>
  readonly take: TakeLayer
  /** All wanted layers are in, or `take` failed. */
  readonly onOver: () => void
}

export interface PushDesk extends SinkEvents {
  /** The daemon says that it has begun to send the layer whose digest begins so. */
  onProgress(shortId: string): void
  /** Resolves when the daemon asks for its first session. */
  readonly begun: Promise<void>
  /** When something moved last; null before the first contact. */
  lastActivity(): number | null
  /** Cuts all uploads and waits until nobody reads them any more. */
  close(): Promise<void>
  /** What was taken. @throws what `take` threw */
  outcome(): ReadonlySet<string>
}

interface Work {
  readonly session: SinkSession
  /** Undefined while unknown, null when it can't be told. */
  index: number | null | undefined
  upload: SinkUpload | null
  ahead: PassThrough | null
  state: 'probing' | 'held' | 'draining' | 'delivering' | 'done'
  /** The stream failed, not the one who read it. */
  isCut: boolean
}

/**
 * Decides over the uploads of one push. The daemon never says which layer it sends, but it tells its client what it is
 * pushing: so uploads are let in one by one, and the next line about a layer that was silent so far names the last one
 * let in. Wanted layers are handed on, others are held back by not reading them, and thrown away only when all
 * the daemon's lines are taken up by such.
 */
export function createPushDesk(options: DeskOptions): PushDesk {
  const { diffIds, sizes, wanted, take, onOver } = options
  const queue: SinkSession[] = []
  const works = new Map<string, Work>()
  const told = new Set<string>()
  const taken = new Set<string>()
  const takings = new Set<Promise<void>>()
  let probing: Work | null = null
  let failure: { readonly thrown: unknown } | null = null
  let isClosed = false
  let last: number | null = null
  let begin = () => {}
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const touch = () => {
    last = Date.now()
  }
  const inState = (state: Work['state']) => [...works.values()].filter((work) => work.state === state)

  function admitNext(): void {
    if (isClosed || probing || isAllUnderWay()) return
    const session = queue.shift()
    if (!session) {
      drainLater()
      return
    }
    const work: Work = {
      session,
      index: undefined,
      upload: null,
      ahead: null,
      state: 'probing',
      isCut: false,
    }
    works.set(session.id, work)
    probing = work
    settleAfter(work, IDENTIFY_MS)
    session.admit()
  }

  /** Whatever else the daemon wants to send would only take its time from these. */
  function isAllUnderWay(): boolean {
    const coming = inState('delivering').map(({ index }) => diffIds[index ?? -1])
    return [...wanted].every((diffId) => taken.has(diffId) || coming.includes(diffId))
  }

  function settleAfter(work: Work, ms: number): void {
    void sleep(ms, undefined, { ref: false }).then(() => {
      if (work.index === undefined && work.upload) settle(work, null)
    })
  }

  function settle(work: Work, index: number | null): void {
    work.index = index
    if (probing === work) probing = null
    decide(work)
    admitNext()
  }

  function decide(work: Work): void {
    if (isClosed || !work.upload || work.index === undefined || work.state !== 'probing') return
    const diffId = work.index === null ? undefined : diffIds[work.index]
    if (diffId === undefined || (wanted.has(diffId) && !taken.has(diffId))) deliver(work, work.upload)
    else {
      work.state = 'held'
      drainLater()
    }
  }

  function deliver(work: Work, upload: SinkUpload): void {
    work.state = 'delivering'
    for (const other of inState('draining')) {
      other.state = 'held'
      other.upload?.body.pause()
    }
    const stream = inflate(work.ahead ?? upload.body, 'gzip')
    stream.on('error', () => {
      work.isCut = true
    })
    const content = (async function* () {
      for await (const chunk of stream) {
        touch()
        yield chunk as Uint8Array
      }
    })()
    const taking: Promise<void> = take({ index: work.index ?? -1, bytes: null, content }).then(
      (digest) => {
        if (wanted.has(digest)) taken.add(digest)
      },
      (thrown: unknown) => {
        if (!work.isCut && !isClosed) failure ??= { thrown }
      },
    )
    const ended = taking.then(() => {
      takings.delete(ended)
      stream.destroy()
      if (isClosed) return
      // What was not taken though it was wanted does not get better by another layer.
      const isRefused = typeof work.index === 'number' && !taken.has(diffIds[work.index] ?? '')
      if (failure || isRefused || [...wanted].every((diffId) => taken.has(diffId))) onOver()
      else discard(work, upload)
    })
    takings.add(ended)
  }

  /** Lets the rest of an upload pass by and tells the daemon that all of it was received. */
  function discard(work: Work, { body, accept }: SinkUpload): void {
    const finish = () => {
      work.state = 'done'
      accept()
      admitNext()
    }
    if (work.ahead) body.unpipe(work.ahead)
    work.ahead?.destroy()
    if (body.readableEnded) {
      finish()
      return
    }
    body.once('end', finish)
    body.on('data', touch)
    body.resume()
  }

  function drainLater(): void {
    void sleep(DRAIN_AFTER_MS, undefined, { ref: false }).then(() => {
      const isBusy = probing || queue.length > 0 || inState('delivering').length > 0
      if (isClosed || isBusy || inState('draining').length > 0) return
      const [work] = inState('held').sort((left, right) => sizeOf(left) - sizeOf(right))
      if (!work?.upload) return
      work.state = 'draining'
      if (work.ahead?.destroyed) work.upload.body.resume()
      else discard(work, work.upload)
    })
  }

  const sizeOf = ({ index }: Work) => (typeof index === 'number' ? (sizes[index] ?? 0) : 0)

  return {
    begun,
    lastActivity: () => last,
    onSession(session) {
      touch()
      begin()
      queue.push(session)
      admitNext()
    },
    onUpload(upload) {
      touch()
      const work = works.get(upload.sessionId)
      if (!work || work.upload || isClosed) return void upload.body.destroy()
      const ahead = new PassThrough({ highWaterMark: AHEAD })
      work.upload = upload
      work.ahead = ahead
      ahead.on('error', () => {})
      upload.body.on('error', () => {})
      upload.body.once('close', () => {
        if (upload.body.readableEnded) return
        work.isCut = true
        ahead.destroy(new Error('the upload was cut off'))
      })
      upload.body.once('end', () => settleAfter(work, ENDED_MS))
      upload.body.pipe(ahead)
      decide(work)
      settleAfter(work, IDENTIFY_MS)
    },
    onProgress(shortId) {
      touch()
      if (told.has(shortId)) return
      told.add(shortId)
      const index = diffIds.findIndex((diffId) => diffId.startsWith(`sha256:${shortId}`))
      if (probing) settle(probing, index === -1 ? null : index)
    },
    async close() {
      isClosed = true
      for (const { upload, ahead } of works.values()) {
        upload?.body.destroy()
        ahead?.destroy(new Error('the push is over'))
      }
      await Promise.all(takings)
    },
    outcome() {
      const failed = failure as { readonly thrown: unknown } | null
      if (failed) throw failed.thrown
      return taken
    },
  }
}
