import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createEngine } from '../../../src-main/backends/docker/engine.ts'
import { sweepBoots } from '../../../src-main/backends/docker/portable/boot-scratch.ts'
import type { BootRequest, Portable } from '../../../src-main/backends/portable.ts'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { must } from '../../support/busybox-image.ts'
import { type DockerScene, makeDockerScene, until } from '../../support/docker-scene.ts'
import { ensureBusyboxImage, makeImage, makeImageWithoutShell } from '../../support/images.ts'

let scene: DockerScene
let portable: Portable
let snapshot: Snapshot

beforeAll(async () => {
  scene = await makeDockerScene()
  portable = await scene.backend.portable()
  const image = await makeImage('booted', ['VOLUME /vol', 'ENV FROM=image'])
  const { ref } = await scene.run(
    scene.plan(image, 'echo kept > /vol/f; echo file > /marker', { secrets: { S: 'hidden' } }),
  )
  snapshot = (await scene.freeze(ref)).snapshot
})
afterAll(() => scene.dispose())

const boot = (changes: Partial<BootRequest> = {}, signal = scene.signal) =>
  portable.boot({ snapshot, rootId: scene.root.id, check: null, timeoutSeconds: 30, ...changes }, signal)
const sh = (script: string) => ({ check: ['sh', '-c', script] })

/** Containers and volumes of boots of this root. */
async function leftovers(): Promise<readonly string[]> {
  const filter = ['--filter', `label=dev.icebox.boot=${scene.root.id}`]
  const containers = await must('docker', ['ps', '-aq', ...filter])
  const volumes = await must('docker', ['volume', 'ls', '-q', ...filter])
  return `${containers}\n${volumes}`.split('\n').filter(Boolean)
}

it('runs the check with the snapshot’s files and volumes, without network, as nobody’s bottle', async () => {
  const script = 'cat /marker /vol/f; echo $FROM; ls /sys/class/net; ls /run/icebox; echo e >&2; exit 3'
  const seen = await boot(sh(script))
  expect(seen).toMatchObject({ check: `sh -c ${script}`, exitCode: 3 })
  // The engine mixes the two streams as it likes.
  expect(seen.output.split('\n').sort()).toEqual(['e', 'file', 'image', 'kept', 'lo'])
  expect(await leftovers()).toEqual([])
  // What a check writes is gone with its volumes; the snapshot's own are as they were.
  await boot(sh('echo changed > /vol/f; rm /marker'))
  expect((await boot(sh('cat /vol/f /marker'))).output).toBe('kept\nfile')
})

it('is in no list while it runs, and is gone after an abort', async () => {
  const abort = new AbortController()
  const running = boot(sh('echo up; sleep 100'), abort.signal)
  const outcome = running.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  await until(async () => (await leftovers()).length === 2)
  expect(
    (await scene.backend.list(scene.signal)).filter(({ root }) => root === null || root === scene.root.id),
  ).toEqual(expect.not.arrayContaining([expect.objectContaining({ name: expect.stringContaining('boot') })]))
  const { containers, volumes } = await scene.backend.inventory(scene.root.id, scene.signal)
  expect([...containers, ...volumes].map(({ name }) => name).filter((name) => name.includes('boot'))).toEqual(
    [],
  )
  expect(await leftovers()).toHaveLength(2)
  abort.abort()
  expect(await outcome).toMatchObject({ code: 'cancelled' })
  expect(await leftovers()).toEqual([])
})

it('tells a check that does not end, does not exist or may not be run, as results', async () => {
  const late = await boot({ ...sh('echo begun; sleep 100'), timeoutSeconds: 1 })
  expect(late).toMatchObject({
    exitCode: 124,
    output: expect.stringMatching(/^begun\nIt did not end within 1 s/),
  })
  const none = await boot({ check: ['/no/such/program'] })
  expect(none).toMatchObject({ check: '/no/such/program', exitCode: expect.any(Number) })
  expect(none.exitCode).not.toBe(0)
  const folder = await boot({ check: ['/workspace'] })
  expect(folder.exitCode).not.toBe(0)
  expect(await leftovers()).toEqual([])
})

it('keeps the last 4 kB of what was said', async () => {
  const { output } = await boot(sh('seq 1 20000; echo ende'))
  expect(Buffer.byteLength(output)).toBeLessThanOrEqual(4096)
  expect(output.endsWith('20000\nende')).toBe(true)
})

it('boots only, where there is nothing to run', async () => {
  expect(await boot()).toEqual({ check: null, exitCode: 0, output: '' })
})

it('takes the image’s own health check', async () => {
  const image = await ensureBusyboxImage()
  const { ref } = await scene.run(scene.plan(image, 'true'))
  const { snapshot: plain } = await scene.freeze(ref)
  const made = await portable.load(
    {
      snapshot: { ...plain, slug: `${plain.slug}-h` },
      rootId: scene.root.id,
      image: {
        platform: (await portable.describe(plain, scene.signal)).platform,
        config: { Healthcheck: { Test: ['CMD-SHELL', 'echo healthy; exit 4'] } },
        createdAt: plain.createdAt,
        diffIds: (await portable.describe(plain, scene.signal)).diffIds ?? [],
      },
      layers: new Map(),
      verified: Promise.resolve(),
    },
    () => undefined,
    scene.signal,
  )
  expect(await boot({ snapshot: { ...plain, ...made } })).toEqual({
    check: 'echo healthy; exit 4',
    exitCode: 4,
    output: 'healthy',
  })
})

it('boots an image without a shell', async () => {
  const image = await makeImageWithoutShell()
  const plan = scene.plan(image, null, { argv: ['/busybox', 'true'] })
  const { ref } = await scene.run(plan)
  const { snapshot: bare } = await scene.freeze(ref)
  expect(await boot({ snapshot: bare })).toMatchObject({ check: null, exitCode: null })
  // For a record that does not tell.
  const facts = { ...bare.facts, hasShell: null }
  expect(await boot({ snapshot: { ...bare, facts } })).toMatchObject({ check: null, exitCode: null })
  expect(await boot({ snapshot: bare, check: ['/busybox', 'false'] })).toMatchObject({ exitCode: 1 })
  expect(await leftovers()).toEqual([])
})

it('refuses a snapshot whose image or volumes are not whole, before it makes anything', async () => {
  const gone = { ...snapshot, reference: 'bot-bottle-committed-nobody:1' }
  await expect(boot({ snapshot: gone })).rejects.toMatchObject({ code: 'snapshot-missing' })
  const lost = { ...snapshot, volumes: snapshot.volumes.map((part) => ({ ...part, file: 'lost.tar' })) }
  expect(
    await readdir(scene.root.path('state', snapshot.slug, 'snapshots', `${snapshot.id}.d`)),
  ).toHaveLength(1)
  await expect(boot({ snapshot: lost })).rejects.toMatchObject({ code: 'snapshot-missing' })
  const damaged = {
    ...snapshot,
    volumes: snapshot.volumes.map((part) => ({ ...part, sha256: '0'.repeat(64) })),
  }
  await expect(boot({ snapshot: damaged })).rejects.toMatchObject({ code: 'corrupt-state' })
  expect(await leftovers()).toEqual([])
})

it('sweeps what a killed process left, and nothing of a living one', async () => {
  const owner = { pid: 999_999_999, startTime: '1', bootId: 'x' }
  const labels = (text: string) => [
    '--label',
    `dev.icebox.boot=${scene.root.id}`,
    '--label',
    `dev.icebox.boot-owner=${text}`,
  ]
  const volume = `icebox-boot-dead-${scene.root.id.slice(0, 8)}`
  await must('docker', ['volume', 'create', ...labels(JSON.stringify(owner)), volume])
  await must('docker', [
    'create',
    '--network=none',
    '-v',
    `${volume}:/vol`,
    ...labels(JSON.stringify(owner)),
    snapshot.reference,
  ])
  expect(await leftovers()).toHaveLength(2)
  await sweepBoots(createEngine(process.env), 'another-root', scene.signal)
  expect(await leftovers()).toHaveLength(2)
  await boot(sh('true'))
  expect(await leftovers()).toEqual([])
})
