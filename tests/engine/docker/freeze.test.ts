import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { must } from '../../support/busybox-image.ts'
import { type DockerScene, inspectRaw, makeDockerScene, until } from '../../support/docker-scene.ts'
import { ensureBusyboxImage, makeImage } from '../../support/images.ts'

let scene: DockerScene
let image: string
beforeAll(async () => {
  image = await ensureBusyboxImage()
  scene = await makeDockerScene()
})
afterAll(() => scene.dispose())

const config = async (reference: string) =>
  JSON.parse(await must('docker', ['image', 'inspect', '-f', '{{json .Config}}', reference])) as Record<
    string,
    unknown
  >

it('freezes a stopped run and resumes it with its files', async () => {
  const { ref } = await scene.run(scene.plan(image, 'echo work > /marker; exit 3'))
  const { snapshot, exportHint } = await scene.freeze(ref)
  expect(snapshot).toMatchObject({ fidelity: 'files', leftOut: [], volumes: [], backend: 'docker' })
  expect(snapshot.reference).toBe(`bot-bottle-committed-${ref.slug}:${snapshot.id}`)
  expect(exportHint).toBe(`icebox export ${ref.slug}@${snapshot.id} -o ${ref.slug}.bottle`)
  expect(await scene.backend.hasChangedSince(ref, snapshot, scene.signal)).toBe(false)
  expect(await scene.backend.hasChangedSince(ref, null, scene.signal)).toBe(true)
  await expect(readdir(scene.root.path('state', ref.slug, 'snapshots'))).resolves.toEqual([
    `${snapshot.id}.json`,
  ])
  await scene.backend.remove(ref, scene.signal)
  const { output } = await scene.run(scene.planResume(snapshot, 'cat /marker'))
  expect(output).toBe('work\n')
})

it('freezes while the agent runs, leaves it running, and tells that it changed since', async () => {
  const ref = await scene.launch(
    scene.plan(image, 'echo early > /m; while [ ! -e /go ]; do sleep 0.05; done; echo late > /m; sleep 100'),
  )
  await until(async () => (await must('docker', ['exec', ref.id, 'ls', '/'])).includes('m\n'))
  const { snapshot } = await scene.freeze(ref)
  expect((await inspectRaw(ref.id)).State).toMatchObject({ Running: true, Paused: false })
  expect(await scene.backend.hasChangedSince(ref, snapshot, scene.signal)).toBe(true)
  await scene.backend.stop(ref, { graceSeconds: 0 }, scene.signal)
  expect(await scene.backend.hasChangedSince(ref, snapshot, scene.signal)).toBe(true)
  const { output } = await scene.run(scene.planResume(snapshot, 'cat /m', { previous: ref }))
  expect(output).toBe('early\n')
})

it('sets the image back to its base: entrypoint, command, folder, user, and no owner', async () => {
  const own = await makeImage('based', [
    'ENTRYPOINT ["echo","ep"]',
    'CMD ["cmd"]',
    'WORKDIR /based',
    'USER 1000',
  ])
  const { ref } = await scene.run(scene.plan(own, 'true', { user: '0', workdir: '/other' }))
  const { snapshot } = await scene.freeze(ref)
  expect(await config(snapshot.reference)).toMatchObject({
    Entrypoint: ['echo', 'ep'],
    Cmd: ['cmd'],
    WorkingDir: '/based',
    User: '1000',
  })
  const { ref: plain } = await scene.run(scene.plan(image, 'true', { user: '1000', workdir: '/tmp' }))
  const { snapshot: second } = await scene.freeze(plain)
  expect(await config(second.reference)).toMatchObject({ Cmd: ['sh'], WorkingDir: '/workspace', User: '0' })
  expect((await config(second.reference)).Entrypoint ?? null).toEqual(null)

  const id = (
    await must('docker', [
      'run',
      '-d',
      '--network=none',
      '--name',
      `bot-bottle-${ref.slug}-copy`,
      snapshot.reference,
    ])
  ).trim()
  try {
    await must('docker', ['wait', id])
    expect(await must('docker', ['logs', id])).toBe('ep cmd\n')
    // Nobody's bottle: the labels it inherits are blank.
    expect(await scene.backend.find(id, scene.signal)).toMatchObject({ runId: '' })
    expect((await scene.backend.list(scene.signal)).find((fact) => fact.id === id)).toMatchObject({
      root: null,
      slug: null,
      runId: null,
    })
  } finally {
    await must('docker', ['rm', '-f', id])
  }
})

it('keeps no canary: not in inspect, config, history or any layer', async () => {
  const plan = scene.plan(image, 'echo canary-argv-one > /dev/null; echo x > /marker', {
    env: { E: 'canary-env-two' },
    secrets: { S: 'canary-secret-three' },
    prompt: 'canary-prompt-four',
    sidecars: [
      {
        name: 'forge',
        image,
        command: ['sh', '-c', 'sleep 100'],
        env: {},
        secrets: { T: 'canary-sidecar-five' },
      },
    ],
    forgeEnv: { F: 'canary-forge-six' },
  })
  const { ref } = await scene.run(plan)
  const { snapshot } = await scene.freeze(ref)
  expect(snapshot.leftOut).toEqual([`sidecar ${ref.sidecars[0]?.name}`])
  const seen = [
    await must('docker', ['image', 'inspect', snapshot.reference]),
    await must('docker', ['history', '--no-trunc', snapshot.reference]),
    JSON.stringify(snapshot),
  ]
  for (const text of seen) expect(text).not.toContain('canary')
  const dir = await mkdtemp(join(tmpdir(), 'saved-'))
  try {
    const file = join(dir, 'image.tar')
    await must('docker', ['save', '-o', file, snapshot.reference])
    const bytes = await readFile(file)
    expect(bytes.includes('marker')).toBe(true)
    expect(bytes.includes('canary')).toBe(false)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

it('keeps volumes, anonymous and named, and fills fresh ones: what was deleted stays deleted', async () => {
  const withVolumes = await makeImage('volumes', ['VOLUME /anon'])
  const mounts = [
    { type: 'volume', source: 'cache', target: '/named', readOnly: false, external: false },
    { type: 'bind', source: scene.root.dir, target: '/bound', readOnly: true, external: false },
    { type: 'tmpfs', source: '', target: '/quick', readOnly: false, external: false },
  ] as const
  const first = scene.plan(
    withVolumes,
    'echo a > /anon/a; echo n > /named/n; echo x > /anon/gone; chown 1000:1000 /anon/a; sleep 100',
    { mounts },
  )
  const ref = await scene.launch(first)
  expect(ref.volumes.filter((name) => name.startsWith('icebox-vol-'))).toHaveLength(2)
  await until(async () => (await must('docker', ['exec', ref.id, 'ls', '/anon'])).includes('gone'))
  await must('docker', ['exec', ref.id, 'rm', '/anon/gone'])
  const { snapshot } = await scene.freeze(ref)
  expect((await inspectRaw(ref.id)).State.Paused).toBe(false)
  expect(snapshot).toMatchObject({
    fidelity: 'files+volumes',
    leftOut: expect.arrayContaining([`bind ${scene.root.dir} → /bound`, 'tmpfs /quick']),
    volumes: [
      { destination: '/anon', kind: 'anonymous', name: '' },
      { destination: '/named', kind: 'named', name: 'cache' },
    ],
  })
  expect(snapshot.facts.pausedMs).toBeGreaterThan(0)
  const dir = scene.root.path('state', ref.slug, 'snapshots', `${snapshot.id}.d`)
  expect((await readdir(dir)).sort()).toEqual(snapshot.volumes.map((part) => part.file).sort())
  for (const part of snapshot.volumes) {
    const bytes = await readFile(join(dir, part.file))
    expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([
      part.bytes,
      part.sha256,
    ])
  }
  await scene.backend.remove(ref, scene.signal)
  const script = 'cat /anon/a /named/n; ls /anon; stat -c %u /anon/a'
  const resumed = await scene.run(scene.planResume(snapshot, script, { mounts }))
  expect(resumed.output).toBe('a\nn\na\n1000\n')
  expect(resumed.ref.volumes.some((name) => ref.volumes.includes(name))).toBe(false)
  // A fork finds the parts where its source keeps them, and a damaged part is not taken.
  const fork = await scene.run(scene.planResume(snapshot, script, { slug: `${ref.slug}-fork` }))
  expect(fork.output).toBe('a\nn\na\n1000\n')
  const [part] = snapshot.volumes
  const file = join(dir, part?.file ?? '')
  const bytes = await readFile(file)
  bytes[600] = 1 ^ (bytes[600] ?? 0)
  await writeFile(file, bytes)
  await expect(
    scene.launch(scene.planResume(snapshot, script, { slug: `${ref.slug}-bad` })),
  ).rejects.toMatchObject({ code: 'corrupt-state' })
  await rm(file)
  await expect(
    scene.launch(scene.planResume(snapshot, script, { slug: `${ref.slug}-bad` })),
  ).rejects.toMatchObject({ code: 'snapshot-missing' })
})

it('does not copy the image’s content over a volume that the agent emptied', async () => {
  const source = await makeImage('content')
  const { ref: filled } = await scene.run(scene.plan(source, 'mkdir /data && echo from-image > /data/old'))
  const { snapshot: base } = await scene.freeze(filled)
  const mount = { type: 'volume', source: 'd', target: '/data', readOnly: false, external: false } as const
  const { ref, output } = await scene.run(
    scene.planResume(base, 'ls /data; rm /data/old', { slug: `${filled.slug}-v`, mounts: [mount] }),
  )
  expect(output).toBe('old\n')
  const { snapshot } = await scene.freeze(ref)
  const again = await scene.run(scene.planResume(snapshot, 'ls /data', { previous: ref, mounts: [mount] }))
  expect(again.output).toBe('')
})

it('leaves an external volume as it is and says so', async () => {
  const name = `icebox-test-ext-${process.pid}`
  await must('docker', ['volume', 'create', name])
  try {
    const mounts = [
      { type: 'volume', source: name, target: '/ext', readOnly: false, external: true },
    ] as const
    const { ref } = await scene.run(scene.plan(image, 'echo shared > /ext/f', { mounts }))
    const { snapshot } = await scene.freeze(ref)
    expect(snapshot).toMatchObject({ fidelity: 'files', volumes: [], leftOut: [`volume ${name} → /ext`] })
    expect(
      await scene.backend.discardVolumes([name, ...ref.volumes], scene.root.id, scene.signal),
    ).toMatchObject({ removed: [], left: [expect.stringContaining('icebox-run-')] })
    await scene.backend.remove(ref, scene.signal)
    expect(
      await must('docker', ['run', '--rm', '--network=none', '-v', `${name}:/v`, image, 'cat', '/v/f']),
    ).toBe('shared\n')
  } finally {
    await must('docker', ['volume', 'rm', '-f', name])
  }
})

it('keeps a container that its user paused paused', async () => {
  const ref = await scene.launch(scene.plan(await makeImage('vp', ['VOLUME /v']), 'sleep 100'))
  await must('docker', ['pause', ref.id])
  await scene.freeze(ref)
  expect((await inspectRaw(ref.id)).State.Paused).toBe(true)
  await scene.backend.stop(ref, { graceSeconds: 0 }, scene.signal)
  expect((await inspectRaw(ref.id)).State.Running).toBe(false)
})

it('flattens at the limit, with config and files kept', async () => {
  const low = await makeDockerScene({ flattenAt: 3 })
  try {
    const own = await makeImage('flat', ['ENV KEPT=yes', 'EXPOSE 80', 'USER 1000', 'WORKDIR /tmp'])
    let snapshot: Snapshot | null = null
    const counts: number[] = []
    let slug = ''
    for (let at = 0; at < 4; at++) {
      const script = `echo ${at} >> /tmp/log`
      const plan = snapshot
        ? low.planResume(snapshot, script, { user: '0' })
        : low.plan(own, script, { user: '0' })
      const { ref, exitCode } = await low.run(plan)
      expect(exitCode).toBe(0)
      slug = ref.slug
      const outcome = await low.freeze(ref, snapshot)
      snapshot = outcome.snapshot
      counts.push(Number(snapshot.facts.layers))
      expect(outcome.notices.length).toBe(at === 2 ? 1 : 0)
      await low.backend.remove(ref, low.signal)
    }
    expect(counts).toEqual([2, 3, 1, 2])
    expect(await config(snapshot?.reference ?? '')).toMatchObject({
      User: '1000',
      WorkingDir: '/tmp',
      Cmd: ['sh'],
      ExposedPorts: { '80/tcp': {} },
    })
    expect(snapshot).not.toBeNull()
    if (snapshot)
      expect((await low.run(low.planResume(snapshot, 'cat /tmp/log; echo $KEPT', { slug }))).output).toBe(
        '0\n1\n2\n3\nyes\n',
      )
    expect((await low.backend.inventory(low.root.id, low.signal)).containers).toHaveLength(1)
  } finally {
    await low.dispose()
  }
})

it('discards a snapshot’s image and nothing else', async () => {
  const { ref } = await scene.run(scene.plan(image, 'true'))
  const { snapshot } = await scene.freeze(ref)
  const running = await scene.launch(scene.planResume(snapshot, 'sleep 100', { previous: ref }))
  expect(await scene.backend.discardSnapshot(snapshot, scene.signal)).toEqual({
    removed: [`image ${snapshot.reference}`],
    left: [],
  })
  expect(await scene.backend.discardSnapshot(snapshot, scene.signal)).toEqual({ removed: [], left: [] })
  expect((await inspectRaw(running.id)).State.Running).toBe(true)
  expect(
    (await scene.backend.discardSnapshot({ ...snapshot, reference: image }, scene.signal)).left,
  ).toHaveLength(1)
  await must('docker', ['image', 'inspect', image])
  await expect(scene.launch(scene.planResume(snapshot, 'true', { slug: 't-other' }))).rejects.toMatchObject({
    code: 'snapshot-missing',
  })
})

it('leaves alone what another state root has under the same tag', async () => {
  const { ref } = await scene.run(scene.plan(image, 'true'))
  const { snapshot } = await scene.freeze(ref)
  const other = await makeDockerScene()
  try {
    const draft = { ...snapshot, digest: '' }
    expect(await other.backend.isReferenceTaken(snapshot.reference, other.signal)).toBe(true)
    expect(await other.backend.discardSnapshot(draft, other.signal)).toEqual({ removed: [], left: [] })
    await must('docker', ['image', 'inspect', snapshot.reference])
    // A root whose id was lost still removes what its record names by content.
    expect((await other.backend.discardSnapshot(snapshot, other.signal)).removed).toHaveLength(1)
    expect(await other.backend.isReferenceTaken(snapshot.reference, other.signal)).toBe(false)
  } finally {
    await other.dispose()
  }
})

it('takes back a failed freeze, and the older snapshot stays', async () => {
  const ref = await scene.launch(scene.plan(await makeImage('fail', ['VOLUME /v']), 'sleep 100'))
  const { snapshot: old } = await scene.freeze(ref)
  process.env.ICEBOX_FAULT = 'freeze:after-capture:throw'
  try {
    await expect(scene.freeze(ref, old)).rejects.toMatchObject({ code: 'disk-full' })
  } finally {
    delete process.env.ICEBOX_FAULT
  }
  expect((await inspectRaw(ref.id)).State.Paused).toBe(false)
  const { images } = await scene.backend.inventory(scene.root.id, scene.signal)
  expect(images.filter((one) => one.slug === ref.slug).map((one) => one.snapshotId)).toEqual([old.id])
  const files = await readdir(scene.root.path('state', ref.slug, 'snapshots'))
  expect(files.sort()).toEqual([`${old.id}.d`, `${old.id}.json`])
})
