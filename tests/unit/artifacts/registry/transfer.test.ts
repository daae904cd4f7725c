import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { downloadBlob } from '../../../../src-main/artifacts/registry/blobs.ts'
import { uploadBlob } from '../../../../src-main/artifacts/registry/upload.ts'
import { blobFile, registryScene, sha, signal } from './scene.ts'

const MB = 1024 * 1024
const quiet = () => undefined

describe('upload', () => {
  test.each([0, 1, 511, 16 * MB, 16 * MB + 1, 35 * MB])(
    '%i bytes arrive',
    { timeout: 60_000 },
    async (size) => {
      const { registry, session, dir } = await registryScene()
      const { bytes, blob } = await blobFile(dir, size)
      const offsets: number[] = []
      expect(await uploadBlob(session, blob, (offset) => offsets.push(offset), signal)).toBe(true)
      expect(registry.blobs.get(blob.digest)?.equals(bytes)).toBe(true)
      expect(offsets.at(-1)).toBe(size)
      expect(await uploadBlob(session, blob, quiet, signal)).toBe(false)
    },
  )

  test('cuts: what has arrived is not sent again', { timeout: 60_000 }, async () => {
    const cutUploads = [3 * MB, 100, 5 * MB, 1, 2 * MB, 70_000, 6 * MB]
    const { registry, session, dir } = await registryScene({ cutUploads: [...cutUploads] })
    const { blob } = await blobFile(dir, 40 * MB)
    expect(await uploadBlob(session, blob, quiet, signal)).toBe(true)
    expect(registry.blobs.has(blob.digest)).toBe(true)
    const arrived = registry.seen
      .filter(({ method }) => method === 'PATCH')
      .reduce((sum, each) => sum + each.bytes, 0)
    expect(arrived).toBe(40 * MB)
    expect(registry.seen.filter(({ method }) => method === 'POST')).toHaveLength(1)
  })

  test('a registry that forgets a broken upload gets it again from the start', async () => {
    const { registry, session, dir } = await registryScene({ cutUploads: [MB, MB], isForgetful: true })
    const { blob } = await blobFile(dir, 3 * MB)
    expect(await uploadBlob(session, blob, quiet, signal)).toBe(true)
    expect(registry.blobs.has(blob.digest)).toBe(true)
    expect(registry.seen.filter(({ method }) => method === 'POST')).toHaveLength(3)
  })

  test('a registry that takes no pieces gets one', async () => {
    const { registry, session, dir } = await registryScene({ takesNoChunks: true })
    const { blob } = await blobFile(dir, 20 * MB)
    expect(await uploadBlob(session, blob, quiet, signal)).toBe(true)
    expect(registry.blobs.has(blob.digest)).toBe(true)
  })

  test('without any progress it ends', async () => {
    const { registry, session, dir } = await registryScene({
      cutUploads: Array(50).fill(1000),
      isForgetful: true,
    })
    const { blob } = await blobFile(dir, MB)
    const failed = uploadBlob(session, blob, quiet, signal)
    await expect(failed).rejects.toMatchObject({
      code: 'registry-failed',
      message: expect.stringContaining('broke'),
    })
    expect(registry.seen.filter(({ method }) => method === 'PATCH')).toHaveLength(4)
  })

  test('cancelled', async () => {
    const { session, dir } = await registryScene({ cutUploads: Array(50).fill(1000) })
    const { blob } = await blobFile(dir, MB)
    const stop = new AbortController()
    const failed = uploadBlob(session, blob, () => stop.abort(), stop.signal)
    await expect(failed).rejects.toMatchObject({ code: 'cancelled' })
  })

  test('a registry that says nothing any more is given up', async () => {
    const { session, dir } = await registryScene(
      { before: (request) => request.method === 'PATCH' },
      { idleMs: 60 },
    )
    const { blob } = await blobFile(dir, 1000)
    const failed = uploadBlob(session, blob, quiet, signal)
    await expect(failed).rejects.toMatchObject({ message: expect.stringContaining('in time') })
  })
})

describe('download', () => {
  test('cuts: it goes on where it broke', async () => {
    const { registry, session, dir } = await registryScene({
      cutDownloads: [2 * MB, 10, 3 * MB, 1, 500_000, MB],
    })
    const { bytes, blob } = await blobFile(dir, 9 * MB)
    registry.blobs.set(blob.digest, bytes)
    const file = join(dir, 'got')
    await downloadBlob(session, blob, file, quiet, signal)
    expect((await readFile(file)).equals(bytes)).toBe(true)
    const ranges = registry.seen.filter(({ method }) => method === 'GET').map(({ range }) => range)
    expect(ranges.filter((range) => range === undefined)).toHaveLength(1 + 1)
    expect(ranges.length).toBe(1 + 7)
  })
  test('other bytes than the digest says', async () => {
    const { registry, session, dir } = await registryScene()
    const { bytes, blob } = await blobFile(dir, 1000)
    for (const wrong of [Buffer.alloc(1000), Buffer.concat([bytes, Buffer.alloc(1)])]) {
      registry.blobs.set(blob.digest, wrong)
      const failed = downloadBlob(session, blob, join(dir, `got-${sha(wrong)}`), quiet, signal)
      await expect(failed).rejects.toMatchObject({ code: 'artifact-invalid' })
    }
  })
  test('fewer bytes than promised are no end', async () => {
    const { registry, session, dir } = await registryScene()
    const { bytes, blob } = await blobFile(dir, 1000)
    registry.blobs.set(blob.digest, bytes.subarray(0, 900))
    const failed = downloadBlob(session, blob, join(dir, 'got'), quiet, signal)
    await expect(failed).rejects.toMatchObject({ code: 'registry-failed' })
  })
  test('what is not there, and a place that is taken', async () => {
    const { session, dir } = await registryScene()
    const { blob } = await blobFile(dir, 10)
    await expect(downloadBlob(session, blob, join(dir, 'got'), quiet, signal)).rejects.toMatchObject({
      code: 'not-found',
    })
    await (await open(join(dir, 'there'), 'w')).close()
    await expect(downloadBlob(session, blob, join(dir, 'there'), quiet, signal)).rejects.toMatchObject({
      code: 'EEXIST',
    })
  })
})
