import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { checkPack, digestOfFile, readPack } from '../../../../src-main/backends/smolmachines/pack-file.ts'
import { writeFooter } from '../../../../src-main/backends/smolmachines/pack-footer.ts'
import { parseManifest, parsePlatform } from '../../../../src-main/backends/smolmachines/pack-manifest.ts'
import { tempFolder } from '../../../support/test-root.ts'

const never = new AbortController().signal
const ASSETS = Buffer.alloc(3_000_000, 'assets of a machine')
const MANIFEST = {
  mode: 'container',
  image: 'docker.io/library/box:1',
  platform: 'linux/arm64',
  entrypoint: ['/init'],
  cmd: ['run', 'it'],
  env: ['A=1', 'B=x=y'],
  workdir: '/work',
  cpus: 2,
  mem: 1024,
  network: true,
  smolvm_version: '1.9.3',
}

interface Spoilt {
  readonly manifest?: object
  readonly change?: (file: Buffer) => Buffer
  readonly crc?: number
  readonly version?: number
}

async function pack({ manifest = MANIFEST, change, crc, version = 1 }: Spoilt = {}): Promise<string> {
  const text = Buffer.from(JSON.stringify(manifest))
  const footer = writeFooter({
    version,
    assetsOffset: 0,
    assetsBytes: ASSETS.length,
    manifestOffset: ASSETS.length,
    manifestBytes: text.length,
    crc32: crc ?? crc32(text, crc32(ASSETS)),
  })
  const whole = Buffer.concat([ASSETS, text, footer])
  const path = join(await tempFolder(), 'x.smolmachine')
  await writeFile(path, change ? change(whole) : whole)
  return path
}

describe('a pack', () => {
  it('tells what it holds, and its digest when every byte is right', async () => {
    const path = await pack()
    expect((await readPack(path)).manifest).toEqual({
      kind: 'pack',
      mode: 'container',
      image: 'docker.io/library/box:1',
      platform: { os: 'linux', architecture: 'arm64' },
      config: { Entrypoint: ['/init'], Cmd: ['run', 'it'], Env: ['A=1', 'B=x=y'], WorkingDir: '/work' },
      cpus: 2,
      memoryMib: 1024,
      hasNetwork: true,
      secretNames: [],
      smolvmVersion: '1.9.3',
    })
    const checked = await checkPack(path, never)
    const plain = await digestOfFile(path, never)
    expect(checked.digest).toBe(plain.digest)
    expect(checked.bytes).toBe(plain.bytes)
    expect(plain.digest).toMatch(/^sha256:[0-9a-f]{64}$/)
  })

  it.each<[string, Spoilt]>([
    ['cut off in its assets', { change: (file) => file.subarray(100) }],
    ['cut off at its end', { change: (file) => file.subarray(0, -10) }],
    ['changed in one bit', { change: (file) => Buffer.from(file).fill(1, 1_500_000, 1_500_001) }],
    ['with another checksum', { crc: 7 }],
    ['of an unknown form', { version: 9 }],
    ['no pack at all', { change: (file) => createHash('sha512').update(file).digest() }],
    ['empty', { change: () => Buffer.alloc(0) }],
  ])('is refused when it is %s', async (_name, spoilt) => {
    await expect(checkPack(await pack(spoilt), never)).rejects.toMatchObject({ code: 'artifact-invalid' })
  })

  it('is told from a checkpoint by its manifest', async () => {
    const path = await pack({ manifest: { ...MANIFEST, checkpoint: { id: 'a' } } })
    expect((await checkPack(path, never)).manifest.kind).toBe('checkpoint')
  })

  it('that is gone is a missing snapshot', async () => {
    await expect(readPack('/nowhere/x.smolmachine')).rejects.toMatchObject({ code: 'snapshot-missing' })
  })
})

describe('a manifest', () => {
  it('is read in the forms of other versions', () => {
    const read = (value: object) => parseManifest(JSON.stringify(value))
    expect(read({ env: { A: '1' } }).config.Env).toEqual(['A=1'])
    expect(read({ env: [['A', '1']] }).config.Env).toEqual(['A=1'])
    expect(read({ env: [{ name: 'A', value: '1' }] }).config.Env).toEqual(['A=1'])
    expect(read({ secret_refs: { K: {} } }).secretNames).toEqual(['K'])
    expect(read({}).mode).toBe('vm')
    expect(() => parseManifest('[]')).toThrow('no whole pack')
    expect(() => parseManifest('{')).toThrow('no JSON')
  })

  it('names machines as images do', () => {
    expect(parsePlatform('linux/aarch64')).toEqual({ os: 'linux', architecture: 'arm64' })
    expect(parsePlatform('linux/arm/v7')).toEqual({ os: 'linux', architecture: 'arm', variant: 'v7' })
  })
})
