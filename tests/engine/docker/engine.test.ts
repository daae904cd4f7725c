import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as createRaw } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RuntimeChange } from '../../../src-main/backends/backend.ts'
import { createDockerBackend } from '../../../src-main/backends/docker/docker-backend.ts'
import { must } from '../../support/busybox-image.ts'
import { type DockerScene, inspectRaw, makeDockerScene, until } from '../../support/docker-scene.ts'
import { ensureBusyboxImage } from '../../support/images.ts'

let scene: DockerScene
let image: string
let dir: string
beforeAll(async () => {
  image = await ensureBusyboxImage()
  scene = await makeDockerScene()
  dir = await mkdtemp(join(tmpdir(), 'eng-'))
})
afterAll(async () => {
  await scene.dispose()
  await rm(dir, { recursive: true, force: true })
})

const at = (DOCKER_HOST: string) =>
  createDockerBackend({
    rootId: scene.root.id,
    home: scene.root.dir,
    env: { PATH: process.env.PATH, HOME: dir, DOCKER_HOST },
  })

it('probes a live, a missing, a dead and a silent daemon as values', async () => {
  expect(await scene.backend.probe(scene.signal)).toMatchObject({
    state: 'ready',
    remote: false,
    version: expect.stringMatching(/^\d+\./),
  })
  const none = await at(`unix://${dir}/none.sock`).probe(scene.signal)
  expect(none).toMatchObject({ state: 'down', reason: expect.stringContaining('none.sock') })
  const empty = createDockerBackend({
    rootId: 'x',
    home: dir,
    env: { PATH: dir, HOME: dir, DOCKER_HOST: `unix://${dir}/none.sock` },
  })
  expect(await empty.probe(scene.signal)).toMatchObject({ state: 'missing' })
  await expect(empty.list(scene.signal)).rejects.toMatchObject({ code: 'engine-missing' })
  await expect(at(`unix://${dir}/none.sock`).list(scene.signal)).rejects.toMatchObject({
    code: 'engine-down',
  })
  const silent = createRaw(() => undefined).listen(join(dir, 'silent.sock'))
  try {
    expect(await at(`unix://${dir}/silent.sock`).probe(scene.signal)).toMatchObject({ state: 'unknown' })
    const hurried = AbortSignal.timeout(200)
    await expect(at(`unix://${dir}/silent.sock`).find('x', hurried)).rejects.toMatchObject({
      code: 'cancelled',
    })
  } finally {
    silent.close()
  }
  expect(await at('gopher://x').probe(scene.signal)).toMatchObject({ state: 'missing' })
})

it('lists with one request and without loading the client library', async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${decodeURIComponent(request.url ?? '')}`)
    response.end('[]')
  }).listen(join(dir, 'count.sock'))
  try {
    expect(await at(`unix://${dir}/count.sock`).list(scene.signal)).toEqual([])
    expect(asked).toEqual(['GET /containers/json?all=1&filters={"name":["bot-bottle-"]}'])
  } finally {
    server.close()
  }
  const script = `
    import { registerHooks } from 'node:module'
    registerHooks({ resolve(name, context, next) { if (/^dockerode|^execa|^zod/.test(name)) console.log('loads', name); return next(name, context) } })
    const { createDockerBackend } = await import('${join(import.meta.dirname, '../../../src-main/backends/docker/docker-backend.ts')}')
    const rows = await createDockerBackend({ rootId: 'x', home: '/' }).list(new AbortController().signal)
    console.log(Array.isArray(rows))`
  expect(await must(process.execPath, ['--input-type=module', '-e', script])).toBe('true\n')
})

it('follows the current Docker context', async () => {
  const socket = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').slice('unix://'.length)
  const { createHash } = await import('node:crypto')
  const meta = join(dir, '.docker/contexts/meta', createHash('sha256').update('mine').digest('hex'))
  await mkdir(meta, { recursive: true })
  await writeFile(
    join(meta, 'meta.json'),
    JSON.stringify({ Name: 'mine', Endpoints: { docker: { Host: `unix://${socket}` } } }),
  )
  await writeFile(join(dir, '.docker/config.json'), JSON.stringify({ currentContext: 'mine' }))
  const backend = createDockerBackend({ rootId: 'x', home: dir, env: { HOME: dir } })
  expect(await backend.probe(scene.signal)).toMatchObject({ state: 'ready', endpoint: `unix://${socket}` })
  const lost = createDockerBackend({ rootId: 'x', home: dir, env: { HOME: dir, DOCKER_CONTEXT: 'lost' } })
  expect(await lost.probe(scene.signal)).toMatchObject({
    state: 'missing',
    reason: expect.stringContaining('lost'),
  })
})

it('refuses a bind mount on a remote engine before anything happens', async () => {
  const mounts = [{ type: 'bind', source: dir, target: '/x', readOnly: true, external: false }] as const
  for (const host of ['ssh://someone@far.test', 'tcp://10.1.2.3:2375']) {
    await expect(
      at(host).preflight(scene.plan(image, 'true', { mounts }), scene.signal),
    ).rejects.toMatchObject({ code: 'engine-remote' })
  }
})

it('tells changes as they happen, of this root only, and a gap when the daemon goes', async () => {
  const other = await makeDockerScene()
  const controller = new AbortController()
  const seen: RuntimeChange[] = []
  const watching = (async () => {
    for await (const change of scene.backend.watch(controller.signal)) seen.push(change)
  })()
  try {
    // The subscription has no greeting: try until the first event comes through.
    await until(async () => {
      await scene.run(scene.plan(image, 'true'))
      return seen.length > 0
    })
    await other.run(other.plan(image, 'true', { slug: 'foreign' }))
    const { ref } = await scene.run(scene.plan(image, 'true'))
    await must('docker', ['rename', ref.id, `${ref.name}.aside`])
    await scene.backend.remove(ref, scene.signal)
    await until(async () => seen.some((change) => change.kind === 'removed' && change.id === ref.id))
    expect(seen.filter((change) => change.id === ref.id).map((change) => change.kind)).toEqual([
      'created',
      'started',
      'exited',
      'renamed',
      'removed',
    ])
    expect(new Set(seen.map((change) => change.slug))).not.toContain('foreign')
  } finally {
    controller.abort()
    await watching
    await other.dispose()
  }
  const gap = new AbortController()
  for await (const change of at(`unix://${dir}/none.sock`).watch(gap.signal)) {
    expect(change).toMatchObject({ kind: 'engine', slug: null })
    gap.abort()
  }
})

it('never lists, finds, removes or discards what another root owns', async () => {
  const other = await makeDockerScene()
  try {
    const { ref } = await other.run(other.plan(image, 'true'))
    expect((await scene.backend.list(scene.signal)).some((fact) => fact.id === ref.id)).toBe(false)
    expect(await scene.backend.find(ref.name, scene.signal)).toBeNull()
    expect((await scene.backend.remove(ref, scene.signal)).left).toHaveLength(1)
    expect(await scene.backend.discardVolumes(ref.volumes, scene.root.id, scene.signal)).toEqual({
      removed: [],
      left: [],
    })
    await expect(scene.launch(scene.plan(image, 'true', { slug: ref.slug }))).rejects.toMatchObject({
      code: 'exists',
    })
    expect((await inspectRaw(ref.id)).State.Status).toBe('exited')
    expect((await scene.backend.inventory(other.root.id, scene.signal)).containers).toHaveLength(1)
  } finally {
    await other.dispose()
  }
})

it('freezes and removes a bottle that bot-bottle made, with its own command kept', async () => {
  const slug = `legacy-${process.pid}`
  const name = `bot-bottle-${slug}`
  let volume = ''
  const label = ['--label', `com.docker.compose.project=${name}`]
  await must('docker', ['network', 'create', ...label, `${name}_default`])
  const id = (
    await must('docker', [
      'run',
      '-d',
      '--name',
      name,
      ...label,
      '--network',
      `${name}_default`,
      '-v',
      '/data',
      '--entrypoint',
      '/bin/sh',
      image,
      '-c',
      'echo v > /data/v; echo legacy > /marker; sleep 300',
    ])
  ).trim()
  await must('docker', [
    'run',
    '-d',
    '--name',
    `${name}-sidecar`,
    ...label,
    '--network=none',
    image,
    'sleep',
    '300',
  ])
  try {
    await until(async () => (await must('docker', ['exec', id, 'ls', '/'])).includes('marker'))
    const ref = await scene.backend.find(name, scene.signal)
    if (!ref) throw new Error('not found')
    volume = (await must('docker', ['inspect', '-f', '{{(index .Mounts 0).Name}}', id])).trim()
    expect(ref).toMatchObject({ id, slug, runId: '', name })
    await mkdir(scene.root.path('state', slug), { recursive: true })
    const { snapshot } = await scene.freeze(ref)
    expect(snapshot).toMatchObject({
      fidelity: 'files+volumes',
      volumes: [{ destination: '/data', kind: 'anonymous' }],
    })
    const entrypoint = await must('docker', [
      'image',
      'inspect',
      '-f',
      '{{json .Config.Entrypoint}}',
      snapshot.reference,
    ])
    expect(JSON.parse(entrypoint)).toEqual(['/bin/sh'])
    const removed = await scene.backend.remove(ref, scene.signal)
    expect(removed.left).toEqual([])
    expect(removed.removed).toEqual(
      expect.arrayContaining([name, `${name}-sidecar`, `network ${name}_default`]),
    )
    const { output } = await scene.run(scene.planResume(snapshot, 'cat /marker /data/v'))
    expect(output).toBe('legacy\nv\n')
  } finally {
    await must('docker', ['rm', '-f', '-v', name, `${name}-sidecar`]).catch(() => '')
    await must('docker', ['network', 'rm', `${name}_default`]).catch(() => '')
    // A bottle's volumes outlive its removal.
    if (volume) await must('docker', ['volume', 'rm', volume])
  }
})

it('gives a terminal: the agent’s own, or a shell beside it', async () => {
  const own = await scene.launch(
    scene.plan(image, 'read line; echo "got $line"; stty size 2>/dev/null; exit 4', { tty: true }),
  )
  const terminal = await scene.backend.attach(own, { cols: 90, rows: 30 }, scene.signal)
  terminal.write('hello\r')
  let text = ''
  for await (const chunk of terminal.data) text += Buffer.from(chunk).toString()
  expect(text).toContain('got hello')
  expect((await scene.backend.wait(own, scene.signal))?.exitCode).toBe(4)
  expect(await scene.output(own)).toContain('got hello\r\n')
  await expect(scene.backend.attach(own, { cols: 80, rows: 24 }, scene.signal)).rejects.toMatchObject({
    code: 'not-found',
  })

  const beside = await scene.launch(scene.plan(image, 'sleep 300'))
  const shell = await scene.backend.attach(beside, { cols: 80, rows: 24 }, scene.signal)
  await shell.resize(100, 40)
  shell.write('echo $((6*7)); exit\n')
  let answer = ''
  for await (const chunk of shell.data) answer += Buffer.from(chunk).toString()
  expect(answer).toContain('42')
  expect((await inspectRaw(beside.id)).State.Running).toBe(true)
  const left = await scene.backend.attach(beside, { cols: 80, rows: 24 }, scene.signal)
  left.detach()
  for await (const _chunk of left.data) {
    // Ends: that is the point.
  }
  expect((await inspectRaw(beside.id)).State.Running).toBe(true)
})

it('reads output from the end, and follows it until the agent ends', async () => {
  const plan = scene.plan(
    image,
    'echo 123456789; echo abc; while [ ! -e /go ]; do sleep 0.05; done; echo end',
  )
  const ref = await scene.launch(plan)
  await until(async () => (await scene.output(ref)).includes('abc'))
  const read = async (options: { follow: boolean; tailBytes?: number }) => {
    let text = ''
    for await (const chunk of scene.backend.logs(ref, options, scene.signal))
      text += Buffer.from(chunk).toString()
    return text
  }
  expect(await read({ follow: false, tailBytes: 6 })).toBe('9\nabc\n')
  expect(await read({ follow: false, tailBytes: 0 })).toBe('')
  const following = Promise.all([read({ follow: true }), read({ follow: true, tailBytes: 4 })])
  await must('docker', ['exec', ref.id, 'touch', '/go'])
  expect(await following).toEqual(['123456789\nabc\nend\n', expect.stringMatching(/end\n$/)])
  const controller = new AbortController()
  const idle = scene.backend.logs(
    await scene.launch(scene.plan(image, 'sleep 300')),
    { follow: true },
    controller.signal,
  )
  setTimeout(() => controller.abort(), 100)
  for await (const _chunk of idle) throw new Error('nothing was said')
})
