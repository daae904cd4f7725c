import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
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
  // An empty comparison would prove nothing.
  expect(scene.sum.length).toBeGreaterThan(12)
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

type Podman = (...args: string[]) => Promise<string>

/** Podman on a storage of its own, removed afterwards. */
async function withPodman(use: (podman: Podman) => Promise<void>): Promise<void> {
  const store = join(scene.dir, 'podman')
  const places = [
    '--root',
    join(store, 'root'),
    '--runroot',
    join(store, 'run'),
    '--tmpdir',
    join(store, 'tmp'),
  ]
  await mkdir(store)
  try {
    await use((...args) => must('podman', [...places, '--storage-driver', 'vfs', ...args]))
  } finally {
    await rm(store, { recursive: true, force: true })
  }
}

describe('podman', () => {
  it.each(['gzip', 'zstd'] as const)('loads it packed with %s, with every file', async (compression) => {
    await withPodman(async (podman) => {
      await podman('load', '-i', scene[compression].file)
      const ids = (await podman('images', '-q', '--no-trunc')).trim().split('\n')
      expect(ids).toEqual([scene.layout.configDigest])
      const folder = (await podman('image', 'mount', scene.layout.configDigest.slice(7))).trim()
      try {
        expect(await readFile(join(folder, 'work/marker'), 'utf8')).toBe(`${MARKER}\n`)
        expect(sumOfWork(folder)).toEqual(scene.sum)
      } finally {
        await podman('image', 'unmount', '--all')
      }
    })
  })
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

describe('what other tools write is imported and resumed', () => {
  const foreign = () => join(scene.dir, 'foreign.tar')

  afterEach(async () => {
    for (const name of ['foreign.tar', 'back.tar', 'back']) {
      await rm(join(scene.dir, name), { recursive: true, force: true })
    }
  })

  /** There is no agent in it, so it runs its image's own command. */
  async function requireImport(): Promise<void> {
    const { slug } = await importFrom(scene.tests, foreign())
    expect(await scene.tests.resume(slug, '')).toBe(0)
    expect(await scene.tests.output(slug)).toBe(`${MARKER}\n`)
    const tar = join(scene.dir, 'back.tar')
    await must('sh', ['-c', 'docker cp "$0:/work" - > "$1"', `bot-bottle-${slug}`, tar])
    expect(await sumOfTar(tar, join(scene.dir, 'back'))).toEqual(scene.sum)
    await scene.tests.icebox.bottles.destroy({ slug, purge: true }, scene.tests.context())
  }

  it.each(['oci-archive:OUT', 'docker-archive:OUT:some/thing:1'])('skopeo copy … %s', async (to) => {
    const from = `oci-archive:${scene.gzip.file}`
    await must('skopeo', ['--insecure-policy', 'copy', from, to.replace('OUT', foreign())])
    await requireImport()
  })

  it('docker save', async () => {
    await must('docker', ['load', '-i', scene.gzip.file])
    await must('docker', ['save', '-o', foreign(), scene.layout.configDigest])
    await forget(scene.layout.configDigest)
    await requireImport()
  })

  it.each(['docker-archive', 'oci-archive'])('podman save --format %s', async (format) => {
    await withPodman(async (podman) => {
      await podman('load', '-i', scene.gzip.file)
      await podman('save', '--format', format, '-o', foreign(), scene.layout.configDigest.slice(7))
    })
    await requireImport()
  })
})

describe('a bottle of the host', () => {
  it('is an image that docker loads and umoci unpacks, holes and all', async () => {
    const host = await makeTestBottles('backend: host')
    try {
      const script =
        'echo "$0" > marker; mkdir deep; truncate -s 3000000 deep/holes; echo end >> deep/holes; seq 9 > .wh.odd'
      const { slug } = await host.run(script, 'on-host')
      await host.icebox.bottles.freeze({ slug }, host.context())
      const file = join(host.home.dir, 'host.bottle')
      const { digest } = await exportTo(host, slug, file)
      expect((await stat(file)).size).toBeLessThan(1_000_000)
      const layout = await openLayout(file, join(host.home.dir, 'layout'))
      expect(layout.config.config).toMatchObject({ WorkingDir: '/workspace', Env: ['HOME=/home/agent'] })
      const seen = JSON.parse(await must('skopeo', ['inspect', `oci-archive:${file}`])) as Inspected
      expect(seen.Digest).toBe(digest)

      const bundle = join(host.home.dir, 'bundle')
      await must('umoci', ['unpack', '--image', `${layout.dir}:${layout.name}`, bundle])
      const live = join(host.home.dir, 'state', slug, 'live/workspace')
      await must('cmp', [join(live, 'deep/holes'), join(bundle, 'rootfs/workspace/deep/holes')])
      await must('cmp', [join(live, '.wh.odd'), join(bundle, 'rootfs/workspace/..wh.odd')])

      await must('docker', ['load', '-i', file])
      const name = `interop-host-${process.pid}`
      await must('docker', ['create', '--name', name, layout.configDigest, 'none'])
      const out = join(host.home.dir, 'out')
      await must('docker', ['cp', `${name}:/workspace`, out])
      await must('docker', ['rm', name])
      await must('docker', ['rmi', '-f', layout.configDigest])
      await must('cmp', [join(live, 'deep/holes'), join(out, 'deep/holes')])
      await must('cmp', [join(live, 'marker'), join(out, 'marker')])
    } finally {
      await host.dispose()
    }
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
