import { createHash } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { bottleError } from '../../system/bottle-error.ts'
import { tarPadding } from '../../workers/tar/writer.ts'
import type { LayerFile } from '../portable.ts'
import {
  HEAD_BYTES,
  type Layout,
  type LayoutRequest,
  layerHeader,
  layoutHead,
  layoutMark,
  layoutTail,
  planLayout,
} from './oci-layout.ts'

export interface WrittenLayer {
  readonly digest: string
  readonly bytes: number
}

/**
 * Writes an image of one layer as an archive that `container image load` takes. The layer is read once: its digest and
 * size are put in front of it afterwards. A failure leaves no file. @throws BottleError and what the content throws
 */
export async function writeLayoutOfContent(
  file: string,
  content: AsyncIterable<Uint8Array>,
  plan: (layer: WrittenLayer) => LayoutRequest,
): Promise<{ readonly layer: WrittenLayer; readonly layout: Layout }> {
  return writing(file, async (handle) => {
    const out = outputAt(handle, HEAD_BYTES)
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of content) {
      hash.update(chunk)
      bytes += chunk.length
      await out.write(chunk)
    }
    const layer = { digest: `sha256:${hash.digest('hex')}`, bytes }
    const layout = planLayout(plan(layer))
    await out.write(tarPadding(bytes))
    const { head, hasMark } = layoutHead(layer.digest, bytes)
    await out.write(layoutTail(layout, hasMark))
    await outputAt(handle, 0).write(head)
    return { layer, layout }
  })
}

/** As `writeLayoutOfContent`, of layers whose digests are known. `onBytes` is told how much content is written. */
export async function writeLayoutOfLayers(
  file: string,
  layers: readonly LayerFile[],
  request: LayoutRequest,
  onBytes: (written: number) => void,
  signal: AbortSignal,
): Promise<Layout> {
  return writing(file, async (handle) => {
    const layout = planLayout(request)
    const out = outputAt(handle, 0)
    await out.write(layoutMark())
    let written = 0
    for (const { diffId, bytes, open: read } of layers) {
      await out.write(layerHeader(diffId, bytes))
      let left = bytes
      for await (const chunk of read(signal)) {
        signal.throwIfAborted()
        left -= chunk.length
        if (left < 0) break
        await out.write(chunk)
        written += chunk.length
        onBytes(written)
      }
      if (left !== 0)
        throw bottleError('artifact-invalid', 'A layer is not as long as it should be.', { detail: diffId })
      await out.write(tarPadding(bytes))
    }
    await out.write(layoutTail(layout, true))
    return layout
  })
}

async function writing<T>(file: string, write: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(file, 'wx', 0o600)
  try {
    const result = await write(handle)
    await handle.close()
    return result
  } catch (thrown) {
    await handle.close().catch(() => {})
    await rm(file, { force: true })
    throw thrown
  }
}

function outputAt(handle: FileHandle, start: number) {
  let position = start
  return {
    async write(chunk: Uint8Array): Promise<void> {
      for (let at = 0; at < chunk.length; ) {
        const { bytesWritten } = await handle.write(chunk, at, chunk.length - at, position)
        at += bytesWritten
        position += bytesWritten
      }
    },
  }
}
