import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { EngineIntent, LaunchPlan, RuntimeRef } from '../../../src-main/backends/backend.ts'
import { readIntent } from '../../../src-main/state/intent.ts'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { type HostWorld, never, openHostWorld, textOf, until } from './host-fixture.ts'

let bundle: string
beforeAll(async () => {
  bundle = await mkdtemp(join(tmpdir(), 'icebox-driver-'))
  // In one piece it starts in a third of the time that its many sources take.
  const build = await rolldown({
    input: join(import.meta.dirname, 'launch-driver.ts'),
    platform: 'node',
    logLevel: 'silent',
  })
  await build.write({
    dir: bundle,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name].mjs',
  })
  await build.close()
})
afterAll(() => rm(bundle, { recursive: true, force: true }))

let world: HostWorld
beforeEach(async () => {
  world = await openHostWorld()
})
afterEach(() => world.close())

interface Driven {
  readonly child: ChildProcess
  readonly done: Promise<void>
  readonly ended: Promise<NodeJS.Signals | null>
}

function drive(op: 'launch' | 'freeze', payload: unknown, fault?: string): Driven {
  const driver = join(bundle, 'launch-driver.mjs')
  const child = spawn(process.execPath, [driver, JSON.stringify({ op, home: world.root.dir, payload })], {
    env: { ...process.env, ...(fault ? { ICEBOX_FAULT: fault } : {}) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once('exit', (_code, signal) => resolve(signal)),
  )
  const done = new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()))
  return { child, done, ended }
}

const launchIntent = (op: 'start' | 'resume', plan: LaunchPlan): EngineIntent => ({
  op,
  slug: world.slug,
  rootId: world.root.id,
  stateDir: world.stateDir,
  runId: plan.runId,
  previous: plan.previous,
  runtime: null,
  snapshotId: null,
  target: null,
  startedAt: '',
})

const stray = async (): Promise<string[]> =>
  (await readdir(world.stateDir)).filter((name) => name.startsWith('live.'))

const TICK = 'while :; do echo tick >> ticks; sleep 0.05; done'

it('lets the agent go on when its starter is killed', async () => {
  const plan = world.plan('while [ ! -e go ]; do sleep 0.02; done; echo survived; exit 4')
  const driven = drive('launch', plan)
  await driven.done
  driven.child.kill('SIGKILL')
  await driven.ended
  const ref = await world.backend.find(`bot-bottle-${world.slug}`, never())
  if (!ref) throw new Error('run not found')
  expect((await world.backend.list(never()))[0]).toMatchObject({ state: 'running', id: ref.id })
  await writeFile(join(world.workspace, 'go'), '')
  expect((await world.backend.wait(ref, never()))?.exitCode).toBe(4)
  expect(await world.outputOf(ref)).toBe('survived\n')
})

describe.each([false, true])('a starter that dies, tty %s', (tty) => {
  it.each(['resume:after-clone', 'resume:after-swap', 'start:after-create'])(
    'at %s leaves nothing',
    async (point) => {
      const plan = world.plan(TICK, { tty })
      expect(await drive('launch', plan, `${point}:kill`).ended).toBe('SIGKILL')
      const recovered = await world.backend.recover(launchIntent('start', plan), never())
      expect(recovered).toEqual({ outcome: 'rolled-back', runtime: null, captured: null })
      expect(await world.backend.list(never())).toEqual([])
      expect((await world.backend.inventory(world.root.id, never())).containers).toEqual([])
      expect(await readdir(join(world.stateDir, 'run')).catch(() => [])).toEqual([])
      expect(await stray()).toEqual([])
      expect(await textOf(join(world.workspace, 'ticks'))).toBeNull()
    },
  )

  it('at start:after-start has started', async () => {
    const plan = world.plan(TICK, { tty })
    expect(await drive('launch', plan, 'start:after-start:kill').ended).toBe('SIGKILL')
    const recovered = await world.backend.recover(launchIntent('start', plan), never())
    expect(recovered.outcome).toBe('launched')
    expect(recovered.runtime?.runId).toBe(plan.runId)
    await until('it runs', async () => (await textOf(join(world.workspace, 'ticks'))) !== null)
    await world.backend.remove(recovered.runtime as RuntimeRef, never())
  })
})

describe('a resume that dies', () => {
  let first: RuntimeRef
  let snapshot: Snapshot
  beforeEach(async () => {
    first = await world.launch('echo old > file')
    await world.backend.wait(first, never())
    snapshot = await world.freeze(first)
    await writeFile(join(world.workspace, 'file'), 'newer')
  })
  const plan = (): LaunchPlan =>
    world.plan('cat file; sleep 100', { previous: first, image: { kind: 'snapshot', snapshot } })

  it.each(['resume:after-clone', 'resume:after-swap', 'start:after-create'])(
    'at %s is taken back',
    async (point) => {
      const wanted = plan()
      expect(await drive('launch', wanted, `${point}:kill`).ended).toBe('SIGKILL')
      const recovered = await world.backend.recover(launchIntent('resume', wanted), never())
      expect(recovered).toMatchObject({ outcome: 'rolled-back', runtime: { runId: first.runId } })
      expect(await textOf(join(world.workspace, 'file'))).toBe('newer')
      expect(await stray()).toEqual([])
      expect(await world.backend.list(never())).toMatchObject([{ runId: first.runId, state: 'exited' }])
    },
  )

  it('after the start is completed', async () => {
    const wanted = plan()
    expect(await drive('launch', wanted, 'start:after-start:kill').ended).toBe('SIGKILL')
    const recovered = await world.backend.recover(launchIntent('resume', wanted), never())
    expect(recovered).toMatchObject({ outcome: 'launched', runtime: { runId: wanted.runId } })
    expect(await textOf(join(world.workspace, 'file'))).toBe('old\n')
    expect(await stray()).toEqual([])
    expect(await world.backend.list(never())).toMatchObject([{ runId: wanted.runId, state: 'running' }])
    await world.backend.remove(recovered.runtime as RuntimeRef, never())
  })

  it('that fails is taken back by itself', async () => {
    process.env.ICEBOX_FAULT = 'start:after-create:throw'
    try {
      await expect(world.launch('', plan())).rejects.toMatchObject({ code: 'disk-full' })
    } finally {
      delete process.env.ICEBOX_FAULT
    }
    expect(await textOf(join(world.workspace, 'file'))).toBe('newer')
    expect(await stray()).toEqual([])
    expect(await readdir(join(world.stateDir, 'run'))).toEqual([first.runId])
  })
})

describe('a freeze that dies', () => {
  const freezeIntent = async (): Promise<EngineIntent> => {
    const intent = await readIntent(world.root, world.slug)
    if (!intent || intent === 'corrupt') throw new Error('no intent')
    return { ...intent, op: 'freeze', slug: world.slug, rootId: world.root.id, stateDir: world.stateDir }
  }
  const subject = (runtime: RuntimeRef) => ({
    slug: world.slug,
    stateDir: world.stateDir,
    runtime,
    parent: null,
    agent: 't',
    provider: 'custom',
  })
  const lines = async (): Promise<number> => ((await textOf(join(world.workspace, 'ticks'))) ?? '').length

  it('in the middle of the copy lets the agent go on and leaves nothing', async () => {
    const ref = await world.launch(`for i in 1 2 3; do head -c 200000000 /dev/zero > big$i; done; ${TICK}`)
    await until('ticks', async () => (await lines()) > 0)
    const driven = drive('freeze', subject(ref))
    await until('it copies', async () =>
      (await readdir(join(world.stateDir, 'snapshots')).catch(() => [])).some((name) =>
        name.endsWith('.partial'),
      ),
    )
    driven.child.kill('SIGKILL')
    await driven.ended
    const stopped = await lines()
    expect(await textOf(join(world.stateDir, 'run', ref.runId, 'pause.json'))).not.toBeNull()
    const recovered = await world.backend.recover(await freezeIntent(), never())
    expect(recovered.outcome).toBe('discarded')
    await until('it goes on', async () => (await lines()) > stopped)
    expect(await readdir(join(world.stateDir, 'snapshots'))).toEqual([])
  })

  it('after the copy is complete', async () => {
    const ref = await world.launch('echo kept > file')
    await world.backend.wait(ref, never())
    expect(await drive('freeze', subject(ref), 'freeze:after-capture:kill').ended).toBe('SIGKILL')
    const intent = await freezeIntent()
    const recovered = await world.backend.recover(intent, never())
    expect(recovered).toMatchObject({
      outcome: 'captured',
      captured: { reference: intent.target, fidelity: 'files' },
    })
    expect(await readFile(join(String(intent.target), 'workspace', 'file'), 'utf8')).toBe('kept\n')
    // A copy that a power cut made incomplete is no copy.
    await writeFile(join(String(intent.target), 'workspace', 'file'), '')
    expect((await world.backend.recover(intent, never())).outcome).toBe('discarded')
    expect(await readdir(join(world.stateDir, 'snapshots'))).toEqual([])
  })
})
