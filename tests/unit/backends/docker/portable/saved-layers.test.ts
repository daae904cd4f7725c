import { createHash, randomBytes } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { expect, it } from 'vitest'
import { chainIds } from '../../../../../src-main/backends/docker/portable/image-index.ts'
import { takeSaved } from '../../../../../src-main/backends/docker/portable/saved-layers.ts'
import { savedNames } from '../../../../../src-main/backends/docker/portable/saved-names.ts'
import type { LayerStream } from '../../../../../src-main/backends/portable.ts'

const sha = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex')
const layerA = Buffer.alloc(5000, 'a')
const layerB = Buffer.alloc(700_000, 'b')
const layerC = Buffer.alloc(1024, 'c')
const idOf = (content: Uint8Array) => `sha256:${sha(content)}`
const diffIds = [layerA, layerB, layerC].map(idOf)

type Entry = readonly [name: string, content: string | Uint8Array | { readonly link: string }]

async function* archive(entries: readonly Entry[], chunk = 10_007): AsyncGenerator<Uint8Array> {
  const tar = pack()
  for (const [name, content] of entries) {
    if (typeof content === 'object' && 'link' in content)
      tar.entry({ name, type: 'symlink', linkname: content.link })
    else tar.entry({ name }, Buffer.from(content))
  }
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const piece of tar) chunks.push(piece as Buffer)
  const whole = Buffer.concat(chunks)
  for (let at = 0; at < whole.length; at += chunk) yield whole.subarray(at, at + chunk)
}

function taker() {
  const offers: { index: number; bytes: number | null; digest: string }[] = []
  const take = async ({ index, bytes, content }: LayerStream) => {
    const hash = createHash('sha256')
    for await (const piece of content) hash.update(piece)
    const digest = `sha256:${hash.digest('hex')}`
    offers.push({ index, bytes, digest })
    return digest
  }
  return { offers, take }
}

/** A saved image as engines before 25 write it, folder names as they work them out. */
function oldForm(contents: readonly Uint8Array[], zone = '1970-01-01T00:00:00Z') {
  const blank = {
    Hostname: '',
    Domainname: '',
    User: '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: null,
    Cmd: null,
    Image: '',
    Volumes: null,
    WorkingDir: '',
    Entrypoint: null,
    OnBuild: null,
    Labels: null,
  }
  const chain = chainIds(contents.map(idOf))
  const entries: Entry[] = []
  const folders: string[] = []
  for (const [at, content] of contents.entries()) {
    const isTop = at === contents.length - 1
    const parent = folders.at(-1)
    const created = isTop ? '2026-01-01T00:00:00Z' : zone
    const own = {
      container_config: isTop ? { ...blank, Cmd: ['x'] } : blank,
      created,
      layer_id: chain[at],
      ...(parent ? { parent: `sha256:${parent}` } : {}),
    }
    const id = sha(JSON.stringify(own))
    const text = {
      id,
      ...(parent ? { parent } : {}),
      created,
      container_config: own.container_config,
      ...(isTop ? { config: {} } : {}),
      os: 'linux',
    }
    const twin = contents.findIndex((other) => idOf(other) === idOf(content))
    entries.push([`${id}/VERSION`, '1.0'], [`${id}/json`, JSON.stringify(text)])
    entries.push([`${id}/layer.tar`, twin < at ? { link: `../${folders[twin]}/layer.tar` } : content])
    folders.push(id)
  }
  entries.sort(([left], [right]) => (left < right ? -1 : 1))
  entries.push(['manifest.json', '[]'], ['repositories', '{}'])
  return { entries, folders }
}

it.each(['1970-01-01T00:00:00Z', '1970-01-01T01:00:00+01:00'])(
  'knows the layers of the old form (%s)',
  async (zone) => {
    const { entries } = oldForm([layerA, layerB, layerC], zone)
    const { offers, take } = taker()
    expect(await takeSaved(archive(entries), diffIds, new Set(diffIds), take)).toEqual(new Set(diffIds))
    expect(offers.map(({ index, digest }) => digest === diffIds[index])).toEqual([true, true, true])
  },
)

it('offers only what is wanted, and stops reading after it', async () => {
  const { entries } = oldForm([layerA, layerB, layerC])
  for (const wanted of diffIds) {
    const { offers, take } = taker()
    await takeSaved(archive(entries), diffIds, new Set([wanted]), take)
    expect(offers.map(({ digest }) => digest)).toEqual([wanted])
  }
  let read = 0
  const counted = (async function* () {
    for await (const chunk of archive([...entries, ['more', Buffer.alloc(2_000_000)]])) {
      read += chunk.length
      yield chunk
    }
  })()
  await takeSaved(counted, diffIds, new Set(diffIds), taker().take)
  expect(read).toBeLessThan(1_000_000)
})

it('reads a layer that is there twice once', async () => {
  const contents = [layerA, layerC, layerA, layerB]
  const { entries } = oldForm(contents)
  const { offers, take } = taker()
  const ids = contents.map(idOf)
  expect(await takeSaved(archive(entries), ids, new Set(ids), take)).toEqual(new Set(ids))
  expect(offers).toHaveLength(3)
})

it('reads an image of one layer', async () => {
  const { entries } = oldForm([layerB])
  const { offers, take } = taker()
  await takeSaved(archive(entries), [idOf(layerB)], new Set([idOf(layerB)]), take)
  expect(offers).toEqual([{ index: 0, bytes: layerB.length, digest: idOf(layerB) }])
})

it('offers layers that it can’t tell, as unknown', async () => {
  const entries: Entry[] = [layerA, layerB, layerC].map((content, at) => [
    `${String(at).repeat(64)}/layer.tar`,
    content,
  ])
  const { offers, take } = taker()
  expect(await takeSaved(archive(entries), diffIds, new Set([idOf(layerC)]), take)).toEqual(new Set(diffIds))
  expect(offers.map(({ index }) => index)).toEqual([-1, -1, -1])
})

it('does not trust a folder name that nothing confirms', () => {
  const names = savedNames(diffIds)
  expect(names.indexOf('0'.repeat(64))).toBeNull()
  names.learn('0'.repeat(64), '{"created":"1970-01-01T00:00:00Z","container_config":{}}')
  names.learn('1'.repeat(64), 'no json')
  names.learn('2'.repeat(64), 'null')
  expect(names.indexOf('0'.repeat(64))).toBeNull()
})

/** As Docker 25 and later save: an OCI layout, entries by name. */
function layout(blobs: readonly (string | Uint8Array)[]): Entry[] {
  const entries: Entry[] = blobs.map((blob) => [`blobs/sha256/${sha(blob)}`, blob])
  entries.sort(([left], [right]) => (left < right ? -1 : 1))
  return [...entries, ['index.json', '{}'], ['manifest.json', '[]'], ['oci-layout', '{}']]
}

const config = JSON.stringify({ rootfs: { type: 'layers', diff_ids: diffIds } })
const manifestOf = (blobs: readonly Uint8Array[]) =>
  JSON.stringify({
    config: { digest: `sha256:${sha(config)}` },
    layers: blobs.map((blob) => ({ digest: idOf(blob) })),
  })

it('knows the layers of an OCI layout by their names', async () => {
  const entries = layout([layerA, layerB, layerC, config, manifestOf([layerA, layerB, layerC])])
  const { offers, take } = taker()
  await takeSaved(archive(entries), diffIds, new Set([idOf(layerB)]), take)
  expect(offers).toEqual([{ index: 1, bytes: layerB.length, digest: idOf(layerB) }])
  await takeSaved(archive(entries), diffIds, new Set(diffIds), take)
  expect(offers).toHaveLength(4)
})

it('unpacks the compressed layers of containerd’s image store', async () => {
  const packed = [gzipSync(layerA), zstdCompressSync(layerB), gzipSync(layerC)]
  const other = JSON.stringify({ rootfs: { diff_ids: ['sha256:x'] }, config: null, layers: 7 })
  const entries = layout([...packed, config, manifestOf(packed), other])
  const { offers, take } = taker()
  expect(await takeSaved(archive(entries), diffIds, new Set(diffIds), take)).toEqual(new Set(diffIds))
  expect(offers.map(({ bytes }) => bytes)).toEqual([null, null, null])
  // Told early enough, a manifest spares the others.
  const [first, ...rest] = layout([config, manifestOf(packed)]).slice(0, 2)
  const early = [...(first ? [first] : []), ...rest, ...layout(packed)]
  const second = taker()
  await takeSaved(archive(early), diffIds, new Set([idOf(layerC)]), second.take)
  expect(second.offers).toEqual([{ index: 2, bytes: null, digest: idOf(layerC) }])
})

it('passes on the failure of a damaged layer or archive, and of the taker', async () => {
  const damaged = Buffer.from(gzipSync(randomBytes(5000)))
  damaged.fill(0, 1000, 2000)
  const { take } = taker()
  await expect(takeSaved(archive(layout([damaged])), diffIds, new Set(diffIds), take)).rejects.toThrow()
  const cut = (async function* () {
    for await (const chunk of archive(oldForm([layerB]).entries)) {
      yield chunk
      if (chunk.length > 0) return
    }
  })()
  await expect(takeSaved(cut, [idOf(layerB)], new Set([idOf(layerB)]), take)).rejects.toMatchObject({
    code: 'engine-failed',
  })
  const refusing = async ({ content }: LayerStream) => {
    for await (const _chunk of content) throw new Error('refused')
    return ''
  }
  await expect(
    takeSaved(archive(oldForm([layerB]).entries), [idOf(layerB)], new Set([idOf(layerB)]), refusing),
  ).rejects.toThrow('refused')
})

it('goes on with the next layer while one is being put away, and waits for all in the end', async () => {
  const { entries } = oldForm([layerA, layerB, layerC])
  const open: (() => void)[] = []
  let ended = 0
  const take = async ({ content }: LayerStream) => {
    const hash = createHash('sha256')
    for await (const piece of content) hash.update(piece)
    await new Promise<void>((resolve) => open.push(resolve))
    ended++
    return `sha256:${hash.digest('hex')}`
  }
  const taking = takeSaved(archive(entries), diffIds, new Set(diffIds), take)
  await expect.poll(() => open.length).toBe(3)
  expect(ended).toBe(0)
  for (const resolve of open) resolve()
  await taking
  expect(ended).toBe(3)
})
