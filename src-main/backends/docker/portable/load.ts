import { setTimeout as sleep } from 'node:timers/promises'
import type { ImageInspectInfo } from 'dockerode'
import { bottleError, isBottleError, toBottleError } from '../../../system/bottle-error.ts'
import { faultPoint } from '../../../system/fault.ts'
import type { ReportProgress } from '../../backend.ts'
import { loadArchive, loadConfig } from '../../images/load-archive.ts'
import type { LayerFile, LoadRequest, Portable } from '../../portable.ts'
import { type Engine, LONG_MS } from '../engine.ts'
import { inspectImage } from '../image-source.ts'
import { readProgress } from '../json-lines.ts'
import { LABEL, snapshotTag } from '../labels.ts'
import { removeTag } from '../remove-objects.ts'
import { countHeldLayers } from './describe.ts'
import { loadedFacts } from './loaded-facts.ts'
import { bodyOf, exchange } from './transport.ts'

const LATE_MS = 120_000
/** An engine that was cut off in its last step may finish it all the same. */
const LATE_IMAGE_MS = 10_000

/**
 * Loads a snapshot's image under its own tag, with the labels that a freeze would give it. The engine gets the
 * archive's end only when all was verified; a failure or an abort leaves neither image nor layer. @throws BottleError
 */
export async function loadSnapshot(
  engine: Engine,
  request: LoadRequest,
  progress: ReportProgress,
  signal: AbortSignal,
): ReturnType<Portable['load']> {
  // Somebody has to hear its failure, whatever fails first.
  request.verified.catch(() => {})
  const reference = snapshotTag(request.snapshot.slug, request.snapshot.id)
  await requireFree(engine, request, reference, signal)
  const { diffIds } = request.image
  const held = await countHeldLayers(engine, diffIds, signal)
  const above = requireFiles(request, diffIds.slice(held))
  const given: Given = { hasEnd: false }
  try {
    try {
      await send(engine, request, reference, above, given, progress, signal)
    } catch (thrown) {
      const files = new Map(request.layers)
      // Engines with containerd's image store want every layer of an archive, whatever they have.
      const isWorthIt = held > 0 && diffIds.every((diffId) => files.has(diffId))
      if (!isWorthIt || signal.aborted || !isRefusal(thrown)) throw thrown
      await send(engine, request, reference, files, given, progress, signal)
    }
    faultPoint('import:engine-loaded')
    signal.throwIfAborted()
    const found = await readBack(engine, request, reference, signal)
    const result = await loadedFacts(engine, request.snapshot, found, reference, signal)
    signal.throwIfAborted()
    return result
  } catch (thrown) {
    await takeBack(engine, request, reference, given.hasEnd && isSilence(thrown))
    throw toBottleError(thrown, request.snapshot.slug)
  }
}

/** A load would take the tag from whatever has it. @throws BottleError `exists` */
async function requireFree(
  engine: Engine,
  request: LoadRequest,
  reference: string,
  signal: AbortSignal,
): Promise<void> {
  if (!(await inspectImage(engine, reference, signal))) return
  throw bottleError('exists', `There is an image ${reference} already.`, { slug: request.snapshot.slug })
}

/** How much the engine was given: only with the archive's end can it have made an image. */
interface Given {
  hasEnd: boolean
}

function requireFiles(request: LoadRequest, diffIds: readonly string[]): ReadonlyMap<string, LayerFile> {
  const lacking = diffIds.filter((diffId) => !request.layers.has(diffId))
  if (lacking.length > 0) {
    throw bottleError('artifact-base-missing', 'Docker does not have the layers below this artifact.', {
      slug: request.snapshot.slug,
      detail: lacking.join(', '),
    })
  }
  return new Map([...request.layers].filter(([diffId]) => diffIds.includes(diffId)))
}

/** True when nobody knows what the engine made of what it has. */
const isSilence = (thrown: unknown) =>
  isBottleError(thrown) && ['engine-down', 'engine-missing', 'timeout'].includes(thrown.code)

/** True when the engine itself said no, to what it was sent. */
const isRefusal = (thrown: unknown) => isBottleError(thrown) && thrown.code === 'engine-failed'

async function send(
  engine: Engine,
  request: LoadRequest,
  reference: string,
  files: ReadonlyMap<string, LayerFile>,
  given: Given,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<void> {
  const archive = loadArchive(loadConfig(request, reference), reference, request.image.diffIds, files)
  const total = [...files.values()].reduce((sum, file) => sum + file.bytes, 0)
  // Once the engine has the end, only its answer tells what it made: then nothing is cut off any more.
  const cut = new AbortController()
  const abort = () => cut.abort(signal.reason)
  signal.throwIfAborted()
  signal.addEventListener('abort', abort, { once: true })
  let told = 0
  const onBytes = (sent: number) => {
    if (sent - told < 8 << 20 && sent < total) return
    told = sent
    progress({ phase: 'loading', current: sent, total })
  }
  const onLast = () => {
    given.hasEnd = true
    signal.removeEventListener('abort', abort)
    faultPoint('import:before-load-end')
  }
  const what = `load ${reference}`
  const bounded = AbortSignal.any([cut.signal, AbortSignal.timeout(LONG_MS)])
  const headers = { 'Content-Type': 'application/x-tar', 'Content-Length': String(archive.bytes) }
  // Another root may have imported the same archive since the first look.
  const mayEnd = async () => {
    await request.verified
    await requireFree(engine, request, reference, bounded)
  }
  const body = archive.stream(mayEnd, onBytes, onLast, bounded)
  try {
    const path = '/images/load?quiet=1'
    const answer = await exchange(engine, what, { method: 'POST', path, headers, body }, bounded)
    await readProgress(bodyOf(engine, what, answer, bounded), what, () => {})
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** The engine has checked each layer's digest; that it made the right image of them is checked here. */
async function readBack(
  engine: Engine,
  request: LoadRequest,
  reference: string,
  signal: AbortSignal,
): Promise<ImageInspectInfo> {
  const found = await inspectImage(engine, reference, signal)
  const layers = found?.RootFS?.Layers ?? []
  const wanted = request.image.diffIds
  const isRight = layers.length === wanted.length && wanted.every((diffId, at) => layers[at] === diffId)
  if (found && isRight && found.Config?.Labels?.[LABEL.snapshot] === request.snapshot.id) return found
  throw bottleError('engine-failed', `Docker made another image of ${reference} than it was given.`)
}

/** Removes what the engine may have made of a load that failed. Says nothing: the failure itself is what matters. */
async function takeBack(
  engine: Engine,
  request: LoadRequest,
  reference: string,
  isDoubtful: boolean,
): Promise<void> {
  const late = AbortSignal.timeout(LATE_MS)
  const until = isDoubtful ? Date.now() + LATE_IMAGE_MS : 0
  try {
    for (;;) {
      const found = await inspectImage(engine, reference, late)
      const labels = found?.Config?.Labels
      // Only what carries this very record: the tag was free before.
      if (labels?.[LABEL.snapshot] === request.snapshot.id && labels[LABEL.snapshotRoot] === request.rootId) {
        await removeTag(engine, reference, late)
        return
      }
      if (found || Date.now() > until) return
      await sleep(250, undefined, { signal: late })
    }
  } catch {
    // The engine is away: the caller's intent names the tag, and recovery comes back to it.
  }
}
