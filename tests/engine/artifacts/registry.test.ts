import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MEDIA } from '../../../src-main/artifacts/oci.ts'
import { openArtifactStore } from '../../../src-main/artifacts/store/open-store.ts'
import { makeBusyboxImage, must } from '../../support/busybox-image.ts'
import { type CuttingProxy, cuttingProxy } from '../../support/cutting-proxy.ts'
import { fakeRegistry } from '../../support/fake-registry.ts'
import { rawTar } from '../../support/hostile/raw-tar.ts'
import { REGISTRY_PASSWORD, type RegistryProcess, startRegistry } from '../../support/registry-process.ts'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

// A real registry, through a proxy that breaks connections; two state roots as two machines.

const MB = 1024 * 1024
const mark = randomBytes(4).toString('hex')
const image = `icebox-registry-${mark}:base`
/** More than one chunk of an upload. */
const BIG = 20 * MB
const BALLAST = 10 * MB
/** Random, so that nothing shrinks on the way. */
const WORK = `head -c ${BIG} /dev/urandom > /workspace/big && echo ${mark} > /workspace/marker`

let registry: RegistryProcess
let proxy: CuttingProxy
let here: TestBottles
let there: TestBottles
let slug: string

beforeAll(async () => {
  registry = await startRegistry()
  proxy = await cuttingProxy(registry.host)
  const bottle = `backend: docker\nimage: ${image}`
  here = await makeTestBottles(bottle)
  there = await makeTestBottles(bottle)
  await writeFile(join(here.home.dir, 'ballast'), randomBytes(BALLAST))
  await makeBusyboxImage(image, { files: { 'opt/ballast': join(here.home.dir, 'ballast') } })
  slug = (await here.run(WORK)).slug
  await here.icebox.bottles.freeze({ slug }, here.context())
})
afterAll(async () => {
  await here.dispose()
  await there.dispose()
  await proxy.stop()
  await registry.stop()
  await must('docker', ['rmi', '-f', image])
})

const push = (reference: string, tests = here) =>
  tests.icebox.artifacts.push({ slug, reference, scrub: 'keep' }, tests.context())
const pull = (reference: string, tests = there) => tests.icebox.artifacts.pull({ reference }, tests.context())
const skopeo = (...args: string[]) => must('skopeo', ['--insecure-policy', ...args])

async function says(tests: TestBottles, bottle: string, script: string): Promise<string> {
  expect(await tests.resume(bottle, script)).toBe(0)
  return tests.output(bottle)
}

/** Refuses connections as soon as one of the two large blobs has arrived. */
async function refuseOnce(failing: Promise<unknown>, sizes: () => Promise<readonly number[]>): Promise<void> {
  let isOver = false
  failing.finally(() => {
    isOver = true
  })
  while (!isOver && !(await sizes()).some((size) => size >= BALLAST)) await sleep(10)
  proxy.refuse(true)
}

describe('a push', () => {
  test('that breaks again and again arrives; what has arrived is not sent again', async () => {
    const reference = `${proxy.host}/me/cut:v1`
    proxy.reset({ afterSent: [2 * MB, 4 * MB] })
    const pushed = await push(reference)
    expect(proxy.cuts()).toBe(2)
    expect(pushed.sent).toBeGreaterThan(BIG + BALLAST)
    // This registry forgets what of a blob broke off, so up to 4 MB go again, and a little in flight; never a whole blob.
    expect(proxy.sent()).toBeLessThan(pushed.sent + 9 * MB)
    proxy.reset()
    const again = await push(reference)
    expect(again).toMatchObject({ digest: pushed.digest, sent: 0, held: pushed.sent })
    expect(proxy.sent()).toBeLessThan(MB / 4)
    proxy.reset()
    await push(`${proxy.host}/me/cut:v2`)
    expect(proxy.sent()).toBeLessThan(MB / 4)
  })

  test('that fails half-way goes on when it is started again', async () => {
    const reference = `${proxy.host}/me/half:v1`
    proxy.reset({ isSlow: true })
    const failing = push(reference).catch((thrown: unknown) => thrown)
    await refuseOnce(failing, () => registry.blobSizes('me/half'))
    const failed = await failing
    expect(failed).toMatchObject({ code: 'registry-failed' })
    // A tag is the last thing that is written.
    proxy.refuse(false)
    await expect(pull(reference)).rejects.toMatchObject({ code: 'not-found' })
    proxy.reset()
    const pushed = await push(reference)
    expect(pushed.held).toBeGreaterThan(BALLAST)
    expect(proxy.sent()).toBeLessThan(pushed.sent + MB / 4)
  })

  test('is read by skopeo, digest for digest', async () => {
    const reference = `${registry.host}/me/read:v1`
    const pushed = await push(reference)
    const args = ['inspect', '--tls-verify=false', `docker://${reference}`]
    const told = JSON.parse(await skopeo(...args)) as { Digest: string; Layers: string[] }
    expect(told.Digest).toBe(pushed.digest)
    const folder = join(here.home.dir, 'copied')
    await skopeo('copy', '-q', '--src-tls-verify=false', `docker://${reference}`, `dir:${folder}`)
    expect((await readdir(folder)).length).toBe(told.Layers.length + 3)
  })
})

describe('a pull', () => {
  test('that breaks again and again is whole, and the bottle goes on', async () => {
    const reference = `${proxy.host}/me/trip:v1`
    const pushed = await push(reference)
    proxy.reset({ afterReceived: [2 * MB, 6 * MB, 14 * MB, 22 * MB] })
    const pulled = await pull(reference)
    expect(proxy.cuts()).toBe(4)
    expect(proxy.received()).toBeLessThan(pushed.sent + 9 * MB)
    expect(pulled).toMatchObject({ backend: 'docker' })
    expect(await says(there, pulled.slug, 'cat /workspace/marker; wc -c < /workspace/big')).toContain(
      `${mark}\n${BIG}`,
    )
    await there.icebox.bottles.destroy({ slug: pulled.slug, purge: true }, there.context())
  })

  test('that fails half-way goes on when it is started again', async () => {
    const reference = `${proxy.host}/me/trip:v1`
    const other = await makeTestBottles(`backend: docker\nimage: ${image}`)
    try {
      proxy.reset({ isSlow: true })
      const failing = pull(reference, other).catch((thrown: unknown) => thrown)
      const blobs = join(other.home.dir, 'artifacts', 'blobs', 'sha256')
      await refuseOnce(failing, async () => {
        const names = await readdir(blobs).catch(() => [])
        return Promise.all(names.map(async (name) => (await stat(join(blobs, name))).size))
      })
      const failed = await failing
      proxy.refuse(false)
      expect(failed).toMatchObject({ code: 'registry-failed' })
      expect(await other.icebox.bottles.list(new AbortController().signal)).toEqual([])
      proxy.reset()
      await pull(reference, other)
      expect(proxy.received()).toBeLessThan(BIG + 2 * MB)
    } finally {
      proxy.refuse(false)
      await other.dispose()
    }
  })

  test('of what skopeo and docker pushed', async () => {
    const daemon = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock'
    const bySkopeo = `${registry.host}/other/skopeo:1`
    await skopeo(
      'copy',
      '-q',
      '--src-daemon-host',
      daemon,
      '--dest-tls-verify=false',
      `docker-daemon:${image}`,
      `docker://${bySkopeo}`,
    )
    const byDocker = `${registry.host}/other/docker:1`
    await must('docker', ['tag', image, byDocker])
    try {
      await must('docker', ['push', '-q', byDocker])
    } finally {
      await must('docker', ['rmi', byDocker])
    }
    for (const reference of [bySkopeo, byDocker]) {
      const pulled = await pull(reference)
      const [snapshot] = await there.icebox.bottles.snapshots(pulled.slug)
      const args = ['run', '--rm', '--network=none', snapshot?.reference ?? '', 'wc', '-c', '/opt/ballast']
      expect(await must('docker', args)).toContain(String(BALLAST))
    }
  })

  test('of a hostile image is refused, also when its layer is in the store unread', async () => {
    const bad = await fakeRegistry()
    const layer = rawTar([{ name: '../escape', body: 'out' }])
    const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    const put = (bytes: Buffer, mediaType: string) => {
      bad.blobs.set(digestOf(bytes), bytes)
      return { mediaType, digest: digestOf(bytes), size: bytes.length }
    }
    const rootfs = { type: 'layers', diff_ids: [digestOf(layer)] }
    const config = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', config: {}, rootfs }))
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA.manifest,
        config: put(config, MEDIA.config),
        layers: [put(layer, MEDIA.layer.none)],
      }),
    )
    bad.manifests.set('v1', { bytes, type: MEDIA.manifest })
    const store = openArtifactStore(there.icebox.root)
    const before = await there.icebox.bottles.list(new AbortController().signal)
    await expect(pull(`${bad.host}/bad:v1`)).rejects.toMatchObject({ code: 'artifact-invalid' })
    expect(await store.blobSize(digestOf(layer))).toBeNull()
    // As a pull leaves it whose connection broke.
    await store.putBytes(layer, MEDIA.layer.none)
    await expect(pull(`${bad.host}/bad:v1`)).rejects.toMatchObject({ code: 'artifact-invalid' })
    expect(await there.icebox.bottles.list(new AbortController().signal)).toHaveLength(before.length)
  })

  test('of what is not there', async () => {
    await expect(pull(`${registry.host}/no/such:v1`)).rejects.toMatchObject({ code: 'not-found' })
    await expect(pull(`${registry.host}/me/read@sha256:${'0'.repeat(64)}`)).rejects.toMatchObject({
      code: 'not-found',
    })
    await expect(push(`${registry.host}/me/read@sha256:${'0'.repeat(64)}`)).rejects.toMatchObject({
      code: 'usage',
    })
  })
})

describe('a registry that wants a password', () => {
  test('gets what docker login has kept, and nothing tells it', async () => {
    const closed = await startRegistry({ withPassword: true })
    try {
      const reference = `${closed.host}/me/closed:v1`
      const config = join(here.home.dir, 'docker-config')
      const login = async (word: string) => {
        const auth = Buffer.from(`me:${word}`).toString('base64')
        await mkdir(config, { recursive: true })
        await writeFile(join(config, 'config.json'), JSON.stringify({ auths: { [closed.host]: { auth } } }))
      }
      await login('canary-wrong')
      const env = { ...process.env, DOCKER_CONFIG: config, ICEBOX_HOME: here.home.dir }
      const { createIcebox } = await import('../../../src-main/icebox.ts')
      const icebox = await createIcebox({ home: here.home.dir, env })
      const send = () => icebox.artifacts.push({ slug, reference, scrub: 'keep' }, here.context())
      const error = await send().catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({
        code: 'permission',
        message: expect.stringContaining(`docker login ${closed.host}`),
      })
      expect(inspect(error, { depth: 10 })).not.toMatch(/canary/)
      await login(REGISTRY_PASSWORD)
      expect(await send()).toMatchObject({ reference })
      await icebox.close()
    } finally {
      await closed.stop()
    }
  })
})
