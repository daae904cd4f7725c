import { Worker } from 'node:worker_threads'
import { BottleError, bottleError } from '../system/bottle-error.ts'
import type { FromThread, JobName, Jobs, ToThread } from './protocol.ts'

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** For jobs that send chunks; each must be answered by `more` to get another one. */
  readonly onChunk?: (bytes: Uint8Array) => void
}

export interface Call<Result> {
  readonly result: Promise<Result>
  /** Asks for one chunk more. `memory`: of a chunk that nobody reads any more, to be filled again. */
  more(memory?: ArrayBuffer): void
  /** Ends the job early; its result is a `cancelled` error then. */
  cancel(): void
}

/** One worker thread. It keeps the process alive only while it works. */
export interface Thread {
  /** Jobs that wait for their answer. */
  readonly load: number
  readonly isDead: boolean
  call<Name extends JobName>(
    job: Name,
    args: Jobs[Name]['args'],
    options?: CallOptions,
  ): Call<Jobs[Name]['result']>
  end(): void
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly onChunk: ((bytes: Uint8Array) => void) | undefined
}

/**
 * Where the thread's program is, seen from this module: beside it in the sources, and in the build one folder up,
 * since entries lie above their chunks.
 */
export function workerProgram(moduleUrl: string): URL {
  if (moduleUrl.endsWith('.ts')) return new URL('../worker.ts', moduleUrl)
  return new URL(/\/chunks\/[^/]*$/.test(moduleUrl) ? '../worker.js' : './worker.js', moduleUrl)
}

/** Starts a thread. When it dies its jobs fail, none is left waiting. */
export function startThread(program: URL = workerProgram(import.meta.url)): Thread {
  // What passes through a thread lies outside its heap, which can stay small.
  const resourceLimits = { maxYoungGenerationSizeMb: 4 }
  const worker = new Worker(program, { name: 'icebox-worker', execArgv: [], env: {}, resourceLimits })
  worker.unref()
  const waiting = new Map<number, Waiting>()
  let lastId = 0
  let isDead = false

  const settle = (id: number): Waiting | undefined => {
    const found = waiting.get(id)
    waiting.delete(id)
    if (waiting.size === 0) worker.unref()
    return found
  }
  const die = (cause: unknown) => {
    isDead = true
    for (const id of [...waiting.keys()]) {
      settle(id)?.reject(
        bottleError('internal', 'A worker thread ended unexpectedly; try again.', {
          detail: cause instanceof Error ? cause.message : String(cause),
          cause,
        }),
      )
    }
  }
  worker.on('message', (message: FromThread) => {
    if (message.kind === 'chunk') waiting.get(message.id)?.onChunk?.(message.bytes)
    else if (message.kind === 'result') settle(message.id)?.resolve(message.value)
    else settle(message.id)?.reject(new BottleError(message.failure))
  })
  worker.on('error', die)
  worker.on('messageerror', die)
  worker.on('exit', (code) => die(`exit code ${code}`))

  const post = (message: ToThread, transfer: ArrayBuffer[] = []) => {
    if (!isDead) worker.postMessage(message, transfer)
  }
  return {
    get load() {
      return waiting.size
    },
    get isDead() {
      return isDead
    },
    call(job, args, options = {}) {
      lastId++
      const id = lastId
      const { signal, onChunk } = options
      const cancel = () => post({ id, job: 'cancel' })
      const result = new Promise<Jobs[typeof job]['result']>((resolve, reject) => {
        if (signal?.aborted) return reject(bottleError('cancelled'))
        if (isDead) return reject(bottleError('internal', 'A worker thread ended unexpectedly; try again.'))
        waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, onChunk })
        worker.ref()
        signal?.addEventListener('abort', cancel, { once: true })
        post({ id, job, args } as ToThread)
      })
      const tidy = () => signal?.removeEventListener('abort', cancel)
      result.then(tidy, tidy)
      const more = (memory?: ArrayBuffer) =>
        memory ? post({ id, job: 'more', memory }, [memory]) : post({ id, job: 'more' })
      return { result, more, cancel }
    },
    end() {
      isDead = true
      void worker.terminate()
    },
  }
}
