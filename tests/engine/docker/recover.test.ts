import { spawn } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { EngineIntent, LaunchPlan, RuntimeRef } from '../../../src-main/backends/backend.ts'
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

const LAUNCH = join(import.meta.dirname, 'launch-child.ts')

/** Launches in another process, which kills itself at a fault point. */
async function launchAndDie(plan: LaunchPlan, fault: string): Promise<void> {
  await mkdir(plan.stateDir, { recursive: true })
  const child = spawn(process.execPath, [LAUNCH, scene.root.dir, scene.root.id], {
    env: { ...process.env, ICEBOX_FAULT: `${fault}:kill` },
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  child.stdin.end(JSON.stringify(plan))
  const signal = await new Promise((resolve) => child.on('exit', (_code, by) => resolve(by)))
  expect(signal).toBe('SIGKILL')
}

const intentOf = (plan: LaunchPlan, op: EngineIntent['op']): EngineIntent => ({
  op,
  slug: plan.slug,
  rootId: plan.rootId,
  stateDir: plan.stateDir,
  runId: plan.runId,
  previous: plan.previous,
  runtime: null,
  snapshotId: null,
  target: null,
  startedAt: new Date().toISOString(),
})

async function ownedBy(runId: string) {
  const { containers, volumes, networks } = await scene.backend.inventory(scene.root.id, scene.signal)
  return [...containers, ...volumes, ...networks].filter((one) => one.runId === runId)
}

const sidecars = () => [{ name: 'db', image, command: ['sh', '-c', 'sleep 100'], env: {}, secrets: {} }]

it.each(['start:after-create', 'start:after-fill', 'resume:after-rename'])(
  'rolls a launch back that died at %s',
  async (fault) => {
    const { ref: previous } = await scene.run(scene.plan(image, 'true'))
    const plan = scene.plan(image, 'sleep 100', { slug: previous.slug, previous, sidecars: sidecars() })
    await launchAndDie(plan, fault)
    const result = await scene.backend.recover(intentOf(plan, 'resume'), scene.signal)
    expect(result).toMatchObject({ outcome: 'rolled-back', runtime: { id: previous.id } })
    expect(await ownedBy(plan.runId)).toEqual([])
    expect((await inspectRaw(previous.id)).Name).toBe(`/bot-bottle-${plan.slug}`)
    expect(await scene.backend.recover(intentOf(plan, 'resume'), scene.signal)).toMatchObject({
      outcome: 'rolled-back',
    })
  },
)

it('finds a restart that had started its container, and one that had not', async () => {
  const plan = scene.plan(image, 'sleep 100')
  const ref = await scene.backend.launch(plan, () => undefined, scene.signal)
  const intent = { ...intentOf(plan, 'restart'), runtime: ref }
  expect(await scene.backend.recover(intent, scene.signal)).toMatchObject({
    outcome: 'launched',
    runtime: { id: ref.id, facts: { mayHoldSecrets: true } },
  })
  await scene.backend.stop(ref, { graceSeconds: 0 }, scene.signal)
  const ended = await scene.backend.wait(ref, scene.signal)
  const cutOff = { ...intent, startedAt: new Date().toISOString(), formerEnd: ended?.endedAt ?? null }
  expect(await scene.backend.recover(cutOff, scene.signal)).toMatchObject({
    outcome: 'rolled-back',
    runtime: { id: ref.id },
  })
  // One that did its work and ended before anybody looked has run all the same: it is not to run once more.
  await scene.backend.restart(ref, { ...plan, argv: ['true'] }, scene.signal)
  await scene.backend.wait(ref, scene.signal)
  expect(await scene.backend.recover(cutOff, scene.signal)).toMatchObject({ outcome: 'launched' })
})

it('finds a run that had started, with all that belongs to it', async () => {
  const plan = scene.plan(await makeImage('rv', ['VOLUME /v']), 'echo hi; sleep 100', {
    sidecars: sidecars(),
  })
  await launchAndDie(plan, 'start:after-start')
  const { outcome, runtime } = await scene.backend.recover(intentOf(plan, 'start'), scene.signal)
  expect(outcome).toBe('launched')
  if (!runtime) throw new Error('no runtime')
  expect(runtime).toMatchObject({ slug: plan.slug, runId: plan.runId, name: `bot-bottle-${plan.slug}` })
  expect(runtime.volumes).toHaveLength(3)
  expect(runtime.sidecars).toHaveLength(1)
  const { snapshot } = await scene.freeze(runtime)
  expect(snapshot.fidelity).toBe('files+volumes')
  const entrypoint = await must('docker', [
    'image',
    'inspect',
    '-f',
    '{{json .Config.Entrypoint}}',
    snapshot.reference,
  ])
  expect(JSON.parse(entrypoint) ?? []).toEqual([])
  await scene.backend.stop(runtime, { graceSeconds: 0 }, scene.signal)
  await scene.backend.runEnded(runtime, scene.signal)
  const removed = await scene.backend.remove(runtime, scene.signal)
  expect(removed.left).toEqual([])
  expect((await ownedBy(plan.runId)).map((one) => ('name' in one ? one.name : ''))).toEqual([
    `icebox-vol-${plan.runId}-0`,
  ])
  const discarded = await scene.backend.discardVolumes(runtime.volumes, scene.root.id, scene.signal)
  expect(discarded).toEqual({ removed: [`volume icebox-vol-${plan.runId}-0`], left: [] })
})

/** Writes a freeze's state as a dead process leaves it. */
async function freezeIntent(
  ref: RuntimeRef,
  snapshotId: string,
  state: object | null,
): Promise<EngineIntent> {
  const stateDir = scene.root.path('state', ref.slug)
  if (state) {
    const dir = join(stateDir, 'snapshots', `${snapshotId}.d`)
    await mkdir(dir, { recursive: true })
    await writeFile(join(dir, 'capture.json'), JSON.stringify(state))
  }
  return {
    op: 'freeze',
    slug: ref.slug,
    rootId: scene.root.id,
    stateDir,
    runId: ref.runId,
    previous: null,
    runtime: ref,
    snapshotId,
    target: `bot-bottle-committed-${ref.slug}:${snapshotId}`,
    startedAt: new Date().toISOString(),
  }
}

it('unpauses what a dead freeze had paused, and discards it', async () => {
  const ref = await scene.launch(scene.plan(await makeImage('pv', ['VOLUME /v']), 'sleep 100'))
  await must('docker', ['pause', ref.id])
  const id = '20260101T000000Z-aaaa'
  const intent = await freezeIntent(ref, id, { pausedByUs: true, committing: false, isSeen: false })
  expect(await scene.backend.recover(intent, scene.signal)).toMatchObject({ outcome: 'discarded' })
  expect((await inspectRaw(ref.id)).State.Paused).toBe(false)
  expect(await readdir(join(intent.stateDir, 'snapshots'))).toEqual([])
})

it('waits for a commit whose client was killed, then adopts the image', async () => {
  const ref = await scene.launch(
    scene.plan(image, 'dd if=/dev/zero of=/big bs=1M count=100 2>/dev/null; echo done > /marker; sleep 300'),
  )
  await until(async () => (await must('docker', ['exec', ref.id, 'ls', '/'])).includes('marker'))
  const child = spawn(process.execPath, [join(import.meta.dirname, 'freeze-child.ts'), scene.root.dir], {
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  child.stdin.end(JSON.stringify(ref))
  const gone = new Promise((resolve) => child.on('exit', resolve))
  await until(async () => (await inspectRaw(ref.id)).State.Paused)
  child.kill('SIGKILL')
  await gone
  const written = JSON.parse(
    await readFile(scene.root.path('state', ref.slug, 'intent.json'), 'utf8'),
  ) as EngineIntent
  const intent = {
    ...written,
    slug: ref.slug,
    rootId: scene.root.id,
    stateDir: scene.root.path('state', ref.slug),
  }
  const result = await scene.backend.recover(intent, scene.signal)
  expect(result).toMatchObject({
    outcome: 'captured',
    captured: { reference: written.target, fidelity: 'files' },
  })
  expect((await inspectRaw(ref.id)).State.Paused).toBe(false)
  expect(await readdir(join(intent.stateDir, 'snapshots'))).toEqual([])
  expect(
    await must('docker', ['run', '--rm', '--network=none', written.target ?? '', 'cat', '/marker']),
  ).toBe('done\n')
})

it('discards a freeze whose volumes are not whole, image included', async () => {
  const ref = await scene.launch(scene.plan(await makeImage('wv', ['VOLUME /v']), 'echo x > /v/x; sleep 100'))
  const { snapshot } = await scene.freeze(ref)
  const intent = await freezeIntent(ref, snapshot.id, null)
  expect(await scene.backend.recover(intent, scene.signal)).toMatchObject({
    outcome: 'captured',
    captured: {
      digest: snapshot.digest,
      volumes: snapshot.volumes,
      bytes: snapshot.bytes,
      ownBytes: snapshot.ownBytes,
    },
  })
  await rm(join(intent.stateDir, 'snapshots', `${snapshot.id}.d`), { recursive: true })
  expect(await scene.backend.recover(intent, scene.signal)).toMatchObject({ outcome: 'discarded' })
  const { images } = await scene.backend.inventory(scene.root.id, scene.signal)
  expect(images.filter((one) => one.slug === ref.slug)).toEqual([])
})
