import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bootBody, bootVolumes } from '../../../../../src-main/backends/docker/portable/boot-plan.ts'
import { chooseRoute } from '../../../../../src-main/backends/docker/portable/choose-route.ts'
import { longestHeld, tallestBelow } from '../../../../../src-main/backends/docker/portable/describe.ts'
import { chainIds, inBatches } from '../../../../../src-main/backends/docker/portable/image-index.ts'
import { splitBytes } from '../../../../../src-main/backends/docker/portable/layer-bytes.ts'
import {
  readTransferTag,
  transferRepository,
} from '../../../../../src-main/backends/docker/portable/transfer-tags.ts'
import { bootCommand } from '../../../../../src-main/backends/images/boot-command.ts'
import { loadArchive, loadConfig } from '../../../../../src-main/backends/images/load-archive.ts'
import { runConfig } from '../../../../../src-main/backends/images/run-config.ts'
import type { Snapshot } from '../../../../../src-preload/contract/index.ts'

it('keeps of a config what says how it runs, in order, without blanks and without our marks', () => {
  expect(
    runConfig({
      Hostname: 'secret-host',
      Image: 'sha256:x',
      User: '',
      WorkingDir: '/w',
      Env: [],
      Cmd: ['a'],
      Entrypoint: 'one',
      ExposedPorts: { '9/udp': {}, '80/tcp': {} },
      Volumes: {},
      OnBuild: ['RUN x'],
      Labels: { z: '1', 'dev.icebox.root': 'r', 'dev.icebox.record': '{}', b: '2' },
      Healthcheck: { Test: ['NONE'], Interval: 0, Timeout: 5, Odd: 1 },
      StopSignal: 'SIGINT',
      Shell: null,
    }),
  ).toEqual({
    Cmd: ['a'],
    Entrypoint: ['one'],
    ExposedPorts: { '80/tcp': {}, '9/udp': {} },
    Healthcheck: { Test: ['NONE'], Timeout: 5 },
    Labels: { b: '2', z: '1' },
    StopSignal: 'SIGINT',
    WorkingDir: '/w',
  })
  for (const config of [null, undefined, {}, { Labels: { 'dev.icebox.slug': 'x' }, Env: null, Volumes: [] }])
    expect(runConfig(config)).toEqual({})
})

it('gives the same text for the same config however its keys are ordered, and again for its own answer', () => {
  const labels = fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { noNullPrototype: true })
  const config = fc.record({ Labels: labels, Volumes: labels, Env: fc.array(fc.string()), User: fc.string() })
  fc.assert(
    fc.property(config, (given) => {
      const turned = Object.fromEntries(
        Object.entries(given)
          .reverse()
          .map(([name, value]) => [
            name,
            typeof value === 'object' && !Array.isArray(value)
              ? Object.fromEntries(Object.entries(value).reverse())
              : value,
          ]),
      )
      const text = JSON.stringify(runConfig(given))
      expect(JSON.stringify(runConfig(turned))).toBe(text)
      expect(JSON.stringify(runConfig(runConfig(given)))).toBe(text)
    }),
  )
})

it('finds the largest image that lies below, and the longest chain that is there', () => {
  const images = [{ diffIds: ['a'] }, { diffIds: ['a', 'b'] }, { diffIds: ['a', 'b', 'x'] }, { diffIds: [] }]
  expect(tallestBelow(['a', 'b', 'c'], images)).toBe(2)
  expect(tallestBelow(['b', 'c'], images)).toBe(0)
  expect(tallestBelow(['a', 'b', 'x'], images)).toBe(3)
  expect(longestHeld(['a', 'b', 'x', 'y'], images)).toBe(3)
  expect(longestHeld(['a', 'c'], images)).toBe(1)
  expect(longestHeld([], images)).toBe(0)
})

it('names chains as the engine does', () => {
  const ids = ['a', 'b'].map((letter) => `sha256:${letter.repeat(64)}`)
  expect(chainIds(ids)).toEqual([
    ids[0],
    'sha256:ccd722928bd92476ba1745586fed6e45a102504185ad88cd89e01ff116fd146c',
  ])
})

const line = (Size: number, CreatedBy = '') => ({ Size, CreatedBy })
/** As the engine lists them: newest first. */
const split = (lines: { Size: number; CreatedBy: string }[], chain: string[], total: number, known = {}) =>
  splitBytes([...lines].reverse(), chain, total, new Map(Object.entries(known)))

it('gives each layer its bytes, whatever lines without a layer the history has', () => {
  const env = line(0, '/bin/sh -c #(nop)  ENV A=b')
  const run = line(0, '/bin/sh -c touch -c /x')
  expect(split([line(5), env, line(7), env], ['a', 'b'], 12)).toEqual([5, 7])
  expect(split([line(5), env, run, line(7)], ['a', 'b', 'c'], 12)).toEqual([5, 0, 7])
  // Without words, by what is known of the layers below.
  const blank = line(0)
  expect(split([line(5), blank, line(7), blank], ['a', 'b', 'c'], 12, { a: 5, b: 0 })).toEqual([5, 0, 7])
  expect(split([line(5), blank, line(7), blank], ['a', 'b', 'c'], 12, { a: 5, b: 7 })).toEqual([5, 7, 0])
  expect(split([line(0, 'ENV a=b'), line(3, 'COPY x y # buildkit'), line(0, 'CMD ["x"]')], ['a'], 3)).toEqual(
    [3],
  )
})

it('makes the bytes add up where the history does not tell enough, or less than all', () => {
  expect(split([], ['a', 'b'], 12, { a: 5 })).toEqual([5, 7])
  expect(split([], ['a', 'b'], 12)).toEqual([0, 12])
  expect(split([line(50), line(50)], ['a', 'b'], 151)).toEqual([75, 76])
  expect(split([], [], 0)).toEqual([])
})

it('always adds up', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1e9), { minLength: 1, maxLength: 30 }), fc.nat(20), (sizes, blanks) => {
      const lines = [...sizes.map((size) => line(size)), ...Array.from({ length: blanks }, () => line(0))]
      const total = sizes.reduce((sum, size) => sum + size, 0)
      const found = splitBytes(lines, sizes.map(String), total)
      expect(found).toHaveLength(sizes.length)
      expect(found.reduce((sum, size) => sum + size, 0)).toBe(total)
    }),
  )
})

it('pushes few layers of a large image and saves the rest', () => {
  const MB = 1 << 20
  const route = (sizes: number[], wanted: number[]) =>
    chooseRoute(
      sizes.map(String),
      sizes.map((size) => size * MB),
      new Set(wanted.map((at) => String(sizes[at]))),
    )
  expect(route([1000, 5], [1])).toBe('push')
  expect(route([1000, 5], [0])).toBe('save')
  expect(route([1000, 5], [0, 1])).toBe('save')
  expect(route([20, 1], [1])).toBe('save')
  expect(route([1000, 5], [])).toBe('save')
  // Up to four layers above can be held back.
  expect(route([1000, 3, 200, 201, 202, 203], [1])).toBe('push')
  expect(route([1000, 3, 200, 201, 202, 203, 204], [1])).toBe('save')
})

it('reads its own transfer tags and no others', async () => {
  const tag = `127.0.0.1:4711/${await transferRepository('0b6c7f5e-0000-4000-8000-000000000000')}:t`
  expect(readTransferTag(tag)).toMatchObject({
    rootId: '0b6c7f5e-0000-4000-8000-000000000000',
    pid: process.pid,
  })
  for (const other of [
    'bot-bottle-committed-x:1',
    tag.replace('127.0.0.1', 'example.org'),
    tag.replace(':t', ':latest'),
    `x${tag}`,
  ])
    expect(readTransferTag(other)).toBeNull()
})

it('runs a few steps at a time, and tells the first failure when all have settled', async () => {
  let running = 0
  let most = 0
  const step = async (item: number) => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve, 1))
    running--
    if (item === 3) throw new Error('three')
  }
  await expect(inBatches([1, 2, 3, 4, 5, 6, 7, 8], 3, step)).rejects.toThrow('three')
  expect(running).toBe(0)
  expect(most).toBe(3)
  await inBatches([], 3, step)
})

it('chooses what a boot runs', () => {
  expect(bootCommand(['a', 'b'], null, true)).toEqual({ argv: ['a', 'b'], shown: 'a b' })
  const health = (Test: string[], Shell?: string[]) => ({ Healthcheck: { Test }, Shell })
  expect(bootCommand(null, health(['CMD', 'x', 'y']), true)).toEqual({ argv: ['x', 'y'], shown: 'x y' })
  expect(bootCommand(null, health(['CMD-SHELL', 'x y']), true).argv).toEqual(['/bin/sh', '-c', 'x y'])
  expect(bootCommand(null, health(['CMD-SHELL', 'x'], ['/bin/ash', '-ec']), true).argv).toEqual([
    '/bin/ash',
    '-ec',
    'x',
  ])
  for (const none of [null, {}, health(['NONE']), health([])]) {
    expect(bootCommand(null, none, true)).toEqual({ argv: ['/bin/sh', '-c', 'true'], shown: null })
    expect(bootCommand([], none, false)).toEqual({ argv: null, shown: null })
  }
})

it('boots without network, mounts of this machine or owner', () => {
  const part = { destination: '/v', kind: 'named', name: 'n', file: '0.tar', bytes: 1, sha256: 's' } as const
  const volumes = bootVolumes('id', ['/v', '/image'], [part])
  expect(volumes.map(({ name, destination, part: own }) => [name, destination, own !== null])).toEqual([
    ['icebox-boot-id-0', '/image', false],
    ['icebox-boot-id-1', '/v', true],
  ])
  const body = bootBody('sha256:x', ['t'], volumes, { 'dev.icebox.boot': 'r' }) as {
    HostConfig: { NetworkMode: string; Mounts: { Type: string; VolumeOptions: { NoCopy: boolean } }[] }
    Labels: Record<string, string>
  }
  expect(body.HostConfig.NetworkMode).toBe('none')
  expect(body.HostConfig.Mounts.map(({ Type, VolumeOptions }) => [Type, VolumeOptions.NoCopy])).toEqual([
    ['volume', false],
    ['volume', true],
  ])
  expect(body.Labels).toEqual({
    'dev.icebox.boot': 'r',
    'dev.icebox.snapshot': '',
    'dev.icebox.record': '',
    'dev.icebox.snapshot-root': '',
  })
})

const snapshot = { id: '20260101T000000Z-abcd', slug: 's', reference: '', facts: {} } as unknown as Snapshot

it('holds the end of a load back until all is verified, and is exactly as long as it says', async () => {
  const config = loadConfig(
    {
      snapshot,
      rootId: 'r',
      image: {
        platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
        config: { Cmd: ['x'] },
        createdAt: '2026-01-01T00:00:00.000Z',
        diffIds: ['sha256:a', 'sha256:b'],
      },
      layers: new Map(),
      verified: Promise.resolve(),
    },
    'ref:1',
  )
  expect(JSON.parse(config)).toMatchObject({
    architecture: 'arm64',
    variant: 'v8',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: ['sha256:a', 'sha256:b'] },
    history: [{}, {}],
  })
  const content = Buffer.alloc(700, 1)
  const file = {
    diffId: 'sha256:b',
    bytes: content.length,
    open: async function* () {
      yield content.subarray(0, 300)
      yield content.subarray(300)
    },
  }
  const archive = loadArchive(
    config,
    'ref:1',
    ['sha256:a', 'sha256:b', 'sha256:b'],
    new Map([['sha256:b', file]]),
  )
  let verify = () => {}
  const verified = new Promise<void>((resolve) => {
    verify = resolve
  })
  let isLast = false
  const signal = new AbortController().signal
  const chunks: Uint8Array[] = []
  const onLast = () => {
    isLast = true
  }
  const reading = (async () => {
    for await (const chunk of archive.stream(
      () => verified,
      () => {},
      onLast,
      signal,
    ))
      chunks.push(chunk)
  })()
  await expect.poll(() => chunks.length).toBe(4)
  expect(isLast).toBe(false)
  expect(Buffer.concat(chunks).includes('manifest.json')).toBe(false)
  verify()
  await reading
  expect(isLast).toBe(true)
  const whole = Buffer.concat(chunks)
  expect(whole.length).toBe(archive.bytes)
  expect(whole.includes('["0/layer.tar","1/layer.tar","1/layer.tar"]')).toBe(true)
})
