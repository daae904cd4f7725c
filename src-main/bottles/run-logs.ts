import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Backend, RuntimeRef } from '../backends/backend.ts'
import { requireMetadata } from '../state/metadata.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'

function logFile(deps: BottleDeps, slug: string, runId: string): string {
  if (!/^[0-9a-z]{1,64}$/.test(runId)) throw bottleError('usage', `${JSON.stringify(runId)} is not a run id.`)
  return deps.root.path('state', slug, 'logs', `${runId}.log`)
}

/**
 * Copies a run's whole output to `logs/<run>.log`, before its container goes and at each freeze. On the host
 * that file is the output itself. A runtime that is gone has been copied or has nothing left.
 */
export async function copyRunLog(
  deps: BottleDeps,
  backend: Backend,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<void> {
  if (backend.name === 'host' || !ref.runId) return
  const file = logFile(deps, ref.slug, ref.runId)
  const temp = `${file}.${process.pid}.tmp`
  await mkdir(deps.root.path('state', ref.slug, 'logs'), { recursive: true, mode: 0o700 })
  try {
    const output = Readable.from(backend.logs(ref, { follow: false }, signal))
    await pipeline(output, createWriteStream(temp, { mode: 0o600 }), { signal })
    await rename(temp, file)
  } finally {
    await rm(temp, { force: true })
  }
}

export interface LogRequest {
  readonly run?: string
  readonly all?: boolean
  readonly follow?: boolean
  readonly tailBytes?: number
}

/** Output of the last run, of a named one, or of all in order; from the engine while it has it. */
export async function* readLogs(
  deps: BottleDeps,
  slug: string,
  request: LogRequest,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const metadata = await requireMetadata(deps.root, slug)
  const runs = metadata.icebox?.runs ?? []
  const backend = await deps.backends.get(metadata.backend)
  if (runs.length === 0) {
    const ref = await backend.find(`bot-bottle-${slug}`, signal)
    if (ref) yield* backend.logs(ref, liveOptions(request), signal)
    return
  }
  const chosen = request.run
    ? runs.filter((run) => run.id === request.run)
    : request.all
      ? runs
      : runs.slice(-1)
  if (chosen.length === 0) {
    const known = runs.map((run) => run.id).join(', ')
    throw bottleError('not-found', `${slug} has no run ${JSON.stringify(request.run)}. It has: ${known}.`, {
      slug,
    })
  }
  for (const run of chosen) {
    const isLast = run === runs.at(-1)
    const isLive = isLast && run.ref !== null && (await backend.isThere(run.ref, signal).catch(() => false))
    if (isLive && run.ref) yield* backend.logs(run.ref, liveOptions(request), signal)
    else yield* fileTail(logFile(deps, slug, run.id), request.tailBytes, signal)
  }
}

function liveOptions(request: LogRequest) {
  return {
    follow: request.follow === true,
    ...(request.tailBytes === undefined ? {} : { tailBytes: request.tailBytes }),
  }
}

async function* fileTail(
  path: string,
  tailBytes: number | undefined,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const found = await stat(path).catch(() => null)
  if (!found) return
  const start = tailBytes === undefined ? 0 : Math.max(0, found.size - tailBytes)
  for await (const chunk of createReadStream(path, { start, signal })) yield chunk as Uint8Array
}
