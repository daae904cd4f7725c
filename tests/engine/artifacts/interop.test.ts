import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { emptyStore, exportTo, importFrom } from '../../support/artifact-trip.ts'
import { must } from '../../support/busybox-image.ts'
import { ensureBusyboxImage } from '../../support/images.ts'
import { ociCheck } from '../../support/oci-schemas.ts'
import { makeTestBottles } from '../../support/test-bottles.ts'
import {
  type InteropScene,
  MARKER,
  makeInteropScene,
  openLayout,
  sha256,
  sumOfTar,
  sumOfWork,
} from './interop-scene.ts'

// What other tools make of an exported file. Digests are compared, never names.

let scene: InteropScene
beforeAll(async () => {
  scene = await makeInteropScene()
})
afterAll(() => scene?.dispose())

const daemon = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock'

/** Whether the engine holds an image by that id, and what its marker and its files say. */
async function requireImage(id: string): Promise<void> {
  expect((await must('docker', ['image', 'inspect', '--format', '{{.Id}}', id])).trim()).toBe(id)
  // The image's own command prints the marker.
  expect(await must('docker', ['run', '--rm', '--network', 'none', id])).toBe(`${MARKER}\n`)
  const gone = ['sh', '-c', 'cat /opt/file; test -e /etc/passwd || echo no passwd']
  expect(await must('docker', ['run', '--rm', '--network', 'none', id, ...gone])).toBe('new\nno passwd\n')
  const name = `interop-${process.pid}`
  await must('docker', ['create', '--name', name, id])
  try {
    const tar = join(scene.dir, 'seen.tar')
    await must('sh', ['-c', 'docker cp "$0:/work" - > "$1"', name, tar])
    expect(await sumOfTar(tar, join(scene.dir, 'seen'))).toEqual(scene.sum)
  } finally {
    await must('docker', ['rm', '-f', name])
    await rm(join(scene.dir, 'seen'), { recursive: true, force: true })
  }
}

const forget = (id: string) => must('docker', ['rmi', '-f', id])

describe('docker', () => {
  it('loads it: the image id is the digest of the config, and every file is there', async () => {
    await must('docker', ['load', '-i', scene.gzip.file])
    await requireImage(scene.layout.configDigest)
    await forget(scene.layout.configDigest)
  })

  it('loads one without compression too', async () => {
    const imported = await importFrom(scene.tests, scene.gzip.file)
    const file = join(scene.dir, 'none.bottle')
    await exportTo(scene.tests, imported.slug, file, 'none')
    await scene.tests.icebox.bottles.destroy({ slug: imported.slug, purge: true }, scene.tests.context())
    const layout = await openLayout(file, join(scene.dir, 'layout-none'))
    // The same content, whatever it is packed in.
    expect(layout.config.rootfs).toEqual(scene.layout.config.rootfs)
    await must('docker', ['load', '-i', file])
    await requireImage(layout.configDigest)
    await forget(layout.configDigest)
  })
})

describe('skopeo', () => {
  it('inspects it as an OCI archive', async () => {
    const seen = JSON.parse(await must('skopeo', ['inspect', `oci-archive:${scene.gzip.file}`])) as Inspected
    expect(seen.Digest).toBe(scene.gzip.digest)
    expect(seen.Layers).toEqual(scene.layout.manifest.layers.map(({ digest }) => digest))
    const raw = await must('skopeo', ['inspect', '--raw', `oci-archive:${scene.gzip.file}`])
    expect(sha256(raw)).toBe(scene.gzip.digest)
  })

  it('inspects it as a Docker archive', async () => {
    const config = await must('skopeo', ['inspect', '--config', '--raw', `docker-archive:${scene.gzip.file}`])
    expect(sha256(config)).toBe(scene.layout.configDigest)
    const seen = JSON.parse(
      await must('skopeo', ['inspect', `docker-archive:${scene.gzip.file}`]),
    ) as Inspected
    expect(seen.Layers).toHaveLength(scene.layout.manifest.layers.length)
  })

  it('inspects one packed with zstd', async () => {
    const seen = JSON.parse(await must('skopeo', ['inspect', `oci-archive:${scene.zstd.file}`])) as Inspected
    expect(seen.Digest).toBe(scene.zstd.digest)
    const layout = await openLayout(scene.zstd.file, join(scene.dir, 'layout-zstd'))
    expect(layout.configDigest).toBe(scene.layout.configDigest)
  })

  it('copies it into a daemon, from either form', async () => {
    for (const form of ['oci-archive', 'docker-archive']) {
      const tag = `icebox-test/interop-${process.pid}:${form}`
      const to = ['--dest-daemon-host', daemon, `docker-daemon:${tag}`]
      await must('skopeo', ['--insecure-policy', 'copy', `${form}:${scene.gzip.file}`, ...to])
      const id = (await must('docker', ['image', 'inspect', '--format', '{{.Id}}', tag])).trim()
      expect(id).toBe(scene.layout.configDigest)
      await requireImage(id)
      await forget(id)
    }
  })
})

describe('podman', () => {
  async function inPodman(file: string): Promise<void> {
    const store = join(scene.dir, 'podman')
    const podman = (...args: string[]) => {
      const where = [
        '--root',
        join(store, 'root'),
        '--runroot',
        join(store, 'run'),
        '--tmpdir',
        join(store, 'tmp'),
      ]
      return must('podman', [...where, '--storage-driver', 'vfs', ...args])
    }
    await mkdir(store)
    try {
      await podman('load', '-i', file)
      const ids = (await podman('images', '-q', '--no-trunc')).trim().split('\n')
      expect(ids).toEqual([scene.layout.configDigest])
      const folder = (await podman('image', 'mount', scene.layout.configDigest.slice(7))).trim()
      expect(await readFile(join(folder, 'work/marker'), 'utf8')).toBe(`${MARKER}\n`)
      expect(sumOfWork(folder)).toEqual(scene.sum)
      await podman('image', 'unmount', '--all')
    } finally {
      await rm(store, { recursive: true, force: true })
    }
  }

  it('loads it, with every file', () => inPodman(scene.gzip.file))
  it('loads one packed with zstd', () => inPodman(scene.zstd.file))
})

it('umoci unpacks it, with every file', async () => {
  const bundle = join(scene.dir, 'bundle')
  await must('umoci', ['unpack', '--image', `${scene.layout.dir}:${scene.layout.name}`, bundle])
  expect(sumOfWork(join(bundle, 'rootfs'))).toEqual(scene.sum)
  expect(await readdir(join(bundle, 'rootfs/etc'))).not.toContain('passwd')
})

it('is valid by the schemas of the specification, every JSON file of it', async () => {
  const check = await ociCheck()
  // The check itself must be able to fail.
  expect(check('image-manifest', { schemaVersion: 2 })).not.toEqual([])
  const { layout } = scene
  const json = async (digest: string) => JSON.parse(String(await layout.blob(digest))) as unknown
  expect(check('image-layout', JSON.parse(await readFile(join(layout.dir, 'oci-layout'), 'utf8')))).toEqual(
    [],
  )
  expect(check('image-index', layout.index)).toEqual([])
  expect(check('image-manifest', layout.manifest)).toEqual([])
  expect(check('config', layout.config)).toEqual([])
  const parts = layout.index.manifests[0]?.annotations?.['dev.icebox.parts'] ?? ''
  expect(check('image-manifest', await json(parts))).toEqual([])
  for (const name of await readdir(join(layout.dir, 'blobs/sha256'))) {
    expect(sha256(await layout.blob(`sha256:${name}`))).toBe(`sha256:${name}`)
  }
})

describe('what other tools write', () => {
  it.each([
    ['skopeo, an OCI archive', ['--insecure-policy', 'copy', 'oci-archive:IN', 'oci-archive:OUT']],
    [
      'skopeo, a Docker archive',
      ['--insecure-policy', 'copy', 'oci-archive:IN', 'docker-archive:OUT:some/thing:1'],
    ],
  ])('is imported and resumed: %s', async (_what, args) => {
    const file = join(scene.dir, 'foreign.tar')
    await must(
      'skopeo',
      args.map((arg) => arg.replace('IN', scene.gzip.file).replace('OUT', file)),
    )
    const { slug } = await importFrom(scene.tests, file)
    expect(await scene.tests.resume(slug, '')).toBe(0)
    expect(await scene.tests.output(slug)).toBe(`${MARKER}\n`)
    await must('sh', [
      '-c',
      'docker cp "$0:/work" - > "$1"',
      `bot-bottle-${slug}`,
      join(scene.dir, 'back.tar'),
    ])
    expect(await sumOfTar(join(scene.dir, 'back.tar'), join(scene.dir, 'back'))).toEqual(scene.sum)
    await scene.tests.icebox.bottles.destroy({ slug, purge: true }, scene.tests.context())
    for (const name of ['foreign.tar', 'back'])
      await rm(join(scene.dir, name), { recursive: true, force: true })
  })
})

describe('the same snapshot gives the same bytes, with the store emptied in between', () => {
  it.each(['docker', 'host'])('on %s', async (backend) => {
    const image = backend === 'docker' ? `\nimage: ${await ensureBusyboxImage()}\nworkdir: /work` : ''
    const tests = await makeTestBottles(`backend: ${backend}${image}`)
    try {
      const { slug } = await tests.run('echo once > marker; mkdir deep; seq 1 200000 > deep/numbers', 'same')
      await tests.icebox.bottles.freeze({ slug }, tests.context())
      for (const compression of ['gzip', 'zstd', 'none'] as const) {
        const [one, two] = [join(tests.home.dir, 'one'), join(tests.home.dir, 'two')]
        await exportTo(tests, slug, one, compression)
        await emptyStore(tests)
        await exportTo(tests, slug, two, compression)
        await must('cmp', [one, two])
        for (const file of [one, two]) await rm(file)
      }
    } finally {
      await tests.dispose()
    }
  })
})

interface Inspected {
  readonly Digest: string
  readonly Layers: readonly string[]
}
