import { bottleError } from '../../system/bottle-error.ts'
import { TAR_END, tarPadding, writeTarHeader } from '../../workers/tar/writer.ts'
import { LABEL } from '../labels.ts'
import type { LayerFile, LoadRequest } from '../portable.ts'
import { sha256 } from './digest.ts'
import { runConfig } from './run-config.ts'

/** One file of the archive that goes into an engine. */
interface Part {
  readonly path: string
  readonly bytes: number
  readonly content: (signal: AbortSignal) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

export interface LoadArchive {
  /** Of the whole archive. */
  readonly bytes: number
  /**
   * The archive as a stream. Its end is held back until `mayEnd`, asked after the last layer, resolves: without it the
   * engine keeps nothing. `onLast` is told just before the end is given away. @throws what `mayEnd` rejects with
   */
  stream(
    mayEnd: () => Promise<void>,
    onBytes: (sent: number) => void,
    onLast: () => void,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array>
}

/**
 * Pure: the archive that every engine loads, in the form of `docker save` before 25: layers as plain tars, then config
 * and manifest. Layers in `files` are in it; others the engine has.
 */
export function loadArchive(
  config: string,
  reference: string,
  diffIds: readonly string[],
  files: ReadonlyMap<string, LayerFile>,
): LoadArchive {
  const paths = diffIds.map((diffId) => `${diffIds.indexOf(diffId)}/layer.tar`)
  const layers: Part[] = [...new Set(diffIds)].flatMap((diffId) => {
    const file = files.get(diffId)
    const path = `${diffIds.indexOf(diffId)}/layer.tar`
    return file ? [{ path, bytes: file.bytes, content: file.open }] : []
  })
  const configName = `${sha256(config).slice('sha256:'.length)}.json`
  const manifest = JSON.stringify([{ Config: configName, RepoTags: [reference], Layers: paths }])
  const ending = Buffer.concat([...whole(configName, config), ...whole('manifest.json', manifest), TAR_END])
  const heads = layers.map(({ path, bytes }) => writeTarHeader({ path, type: 'file', size: bytes }))
  const bytes = layers.reduce(
    (sum, part, at) => sum + (heads[at]?.length ?? 0) + part.bytes + tarPadding(part.bytes).length,
    ending.length,
  )
  return {
    bytes,
    async *stream(mayEnd, onBytes, onLast, signal) {
      let sent = 0
      for (const [at, part] of layers.entries()) {
        const head = heads[at]
        if (head) yield head
        let left = part.bytes
        for await (const chunk of part.content(signal)) {
          left -= chunk.length
          if (left < 0) throw wrongSize(part)
          sent += chunk.length
          onBytes(sent)
          yield chunk
        }
        if (left > 0) throw wrongSize(part)
        if (part.bytes % 512 !== 0) yield tarPadding(part.bytes)
      }
      await unless(signal, mayEnd())
      onLast()
      yield ending
    },
  }
}

function* whole(path: string, text: string): Generator<Uint8Array> {
  const bytes = Buffer.from(text)
  yield writeTarHeader({ path, type: 'file', size: bytes.length })
  yield bytes
  yield tarPadding(bytes.length)
}

const wrongSize = ({ path, bytes }: Part) =>
  bottleError('artifact-invalid', 'A layer is not as long as it should be.', { detail: `${path}: ${bytes}` })

/** Waits for a promise no longer than the signal allows. */
function unless(signal: AbortSignal, promise: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Pure: the image config under which a snapshot is loaded: what it says of how to run, and whose it is. */
export function loadConfig(request: LoadRequest, reference: string): string {
  const { snapshot, rootId, image } = request
  const { platform, createdAt, diffIds } = image
  const config = runConfig(image.config)
  const record = { ...snapshot, reference }
  return JSON.stringify({
    architecture: platform.architecture,
    ...(platform.variant ? { variant: platform.variant } : {}),
    os: platform.os,
    created: createdAt,
    config: {
      ...config,
      Labels: {
        ...config.Labels,
        [LABEL.snapshot]: snapshot.id,
        [LABEL.record]: JSON.stringify(record),
        [LABEL.snapshotRoot]: rootId,
      },
    },
    rootfs: { type: 'layers', diff_ids: diffIds },
    // One line each, so that the engine can tell what each layer weighs.
    history: diffIds.map(() => ({ created: createdAt, created_by: 'icebox import' })),
  })
}
