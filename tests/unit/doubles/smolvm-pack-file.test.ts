import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  extractAssets,
  footerBytes,
  type PackManifest,
  parseFooter,
  readPack,
  writePack,
} from '../../support/doubles/smolvm/pack-file.ts'

const MANIFEST: PackManifest = {
  ...{ mode: 'container', image: 'box', digest: 'none', platform: 'linux/arm64', cpus: 1, mem: 256 },
  ...{ image_size: 3, network: false, gpu: false, cuda: false, host_platform: 'linux/arm64' },
  ...{ created: '2026-01-01T00:00:00Z', smolvm_version: '1.9.3' },
  assets: {
    libraries: [],
    agent_rootfs: { path: 'agent-rootfs.tar', size: 0 },
    layers: [{ path: 'layer.tar', size: 3, digest: 'sha256:x' }],
  },
}

describe('the file of a pack', () => {
  let dir: string
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'pack-file-'))
  })
  afterAll(() => rm(dir, { recursive: true }))

  it('ends with 64 bytes that say where everything lies', async () => {
    const path = join(dir, 'one.smolmachine')
    await writeFile(join(dir, 'layer'), 'abc')
    writePack(path, [join(dir, 'layer')], MANIFEST, 42)
    const bytes = await readFile(path)
    const footer = bytes.subarray(-64)
    const text = Buffer.from(JSON.stringify(MANIFEST, null, 2))
    expect(footer.toString('latin1', 0, 8)).toBe('SMOLPACK')
    expect(footer.readUInt32LE(8)).toBe(1)
    const longs = [12, 20, 28, 36, 44].map((at) => Number(footer.readBigUInt64LE(at)))
    expect(longs).toEqual([42, 0, 3, 3, text.length])
    expect(footer.readUInt32LE(52)).toBe(crc32(Buffer.concat([Buffer.from('abc'), text])))
    expect(footer.subarray(56)).toEqual(Buffer.alloc(8))
    expect(bytes.length).toBe(3 + text.length + 64)
    expect(readPack(path).manifest).toEqual(MANIFEST)
  })

  it('notices one changed byte and a cut', async () => {
    const path = join(dir, 'two.smolmachine')
    await writeFile(join(dir, 'layer'), 'abc')
    writePack(path, [join(dir, 'layer')], MANIFEST, 42)
    const bytes = await readFile(path)
    const extract = () => extractAssets(path, readPack(path), () => join(dir, 'out'))
    extract()
    expect(await readFile(join(dir, 'out'), 'utf8')).toBe('abc')
    bytes[1] = 0x58
    await writeFile(path, bytes)
    expect(extract).toThrow('checksum mismatch')
    await writeFile(path, bytes.subarray(0, -10))
    expect(() => readPack(path)).toThrow('invalid magic')
  })

  it('reads the versions 1 to 3 and no other', () => {
    const bytes = footerBytes({
      ...{ stubSize: 1, assetsOffset: 2, assetsSize: 3, manifestOffset: 4, manifestSize: 5, checksum: 6 },
    })
    for (const version of [1, 2, 3]) {
      bytes.writeUInt32LE(version, 8)
      expect(parseFooter(bytes).manifestSize).toBe(5)
    }
    bytes.writeUInt32LE(4, 8)
    expect(() => parseFooter(bytes)).toThrow('unsupported version: 4')
  })
})
