import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Backend, EngineIntent, LaunchPlan, RuntimeRef } from '../../src-main/backends/backend.ts'
import { createMacosContainerBackend } from '../../src-main/backends/macos-container/macos-container-backend.ts'
import { until } from '../engine/conformance/suite.ts'
import type { ContainerWorld } from '../support/container-double.ts'
import { type ContainerRuns, codeOf, makeContainerRuns, shell } from '../support/container-runs.ts'

const never = new AbortController().signal

let runs: ContainerRuns
let world: ContainerWorld
let home: string
let backend: Backend

beforeAll(async () => {
  runs = await makeContainerRuns('1.2.2')
  ;({ world, home, backend } = runs)
})
afterAll(() => runs?.dispose())

const planOf = (more?: Partial<LaunchPlan>) => runs.planOf(more)
const launch = (plan: LaunchPlan) => runs.launch(plan)
const runToEnd = (more: Partial<LaunchPlan>) => runs.runToEnd(more)

describe('after a death in the middle', () => {
  const intentOf = (plan: LaunchPlan, previous: RuntimeRef | null = null): EngineIntent => ({
    op: previous ? 'resume' : 'start',
    slug: plan.slug,
    rootId: runs.rootId,
    stateDir: plan.stateDir,
    runId: plan.runId,
    previous,
    runtime: null,
    snapshotId: null,
    target: null,
    startedAt: new Date(Date.now() - 120_000).toISOString(),
  })

  it('a run that began is taken for launched', async () => {
    const plan = await planOf(shell('sleep 300'))
    const ref = await launch(plan)
    const { outcome, runtime } = await backend.recover(intentOf(plan), never)
    expect(outcome).toBe('launched')
    expect(runtime).toMatchObject({
      id: ref.id,
      slug: plan.slug,
      runId: plan.runId,
      backend: 'macos-container',
    })
    await backend.remove(ref, never)
  })

  it('one that did not is removed, and the run before it stays', async () => {
    const { ref: previous } = await runToEnd(shell('true'))
    const plan = await planOf({ slug: previous.slug, previous, tty: true })
    const folder = join(plan.stateDir, 'run', plan.runId, 'guest')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'starts'), '')
    const labels = ['root', 'slug', 'run'].flatMap((name) => {
      const value = { root: runs.rootId, slug: plan.slug, run: plan.runId }[name]
      return ['--label', `dev.icebox.${name}=${value}`]
    })
    world.must(['create', '--name', `bot-bottle-${plan.slug}-${plan.runId}`, ...labels, world.image])
    const result = await backend.recover(intentOf(plan, previous), never)
    expect(result).toEqual({ outcome: 'rolled-back', runtime: previous, captured: null })
    expect(world.containersOf(plan.slug)).toEqual([previous.id])
    expect(await readdir(join(plan.stateDir, 'run'))).toEqual([previous.runId])
  })

  it('names all that carries the root, and nothing else', async () => {
    const { ref } = await runToEnd(shell('true'))
    const found = await backend.inventory(runs.rootId, never)
    expect(found.containers).toContainEqual({ id: ref.id, name: ref.name, slug: ref.slug, runId: ref.runId })
    expect(found.images).toEqual([])
    expect((await backend.inventory('nobody', never)).containers).toEqual([])
  })
})

describe('a container that others made', () => {
  it('is known by its name, and is looked at, stopped and removed as it is', async () => {
    world.must(['run', '--detach', '--name', 'somebody', world.image, 'sh', '-c', 'echo theirs; sleep 300'])
    const found = await backend.find('somebody', never)
    expect(found).toMatchObject({ id: 'somebody', runId: '', facts: { root: '', hasShell: false } })
    if (!found) throw new Error('not found')
    // As an adoption records it.
    const ref: RuntimeRef = { ...found, slug: 'somebody', runId: 'adopted001' }
    expect((await backend.list(never)).map(({ id }) => id)).not.toContain('somebody')
    const scope = { adopted: new Set(['somebody']) }
    const listed = (await backend.list(never, scope)).find(({ id }) => id === 'somebody')
    expect(listed).toMatchObject({ state: 'running', root: null, runId: null })
    await until(async () => (await runs.outputOf(ref)) === 'theirs\n')
    expect(await backend.isThere(ref, never)).toBe(true)
    expect(await backend.hasChangedSince(ref, null, never)).toBe(true)
    await backend.stop(ref, { graceSeconds: 0 }, never)
    expect((await backend.wait(ref, never))?.exitCode).toBeNull()
    await backend.runEnded(ref, never)
    expect(await backend.remove(ref, never)).toEqual({ removed: ['somebody'], left: [] })
  })
})

describe('the engine', () => {
  it('is ready, with its release, what that can and what it can not', async () => {
    expect(await backend.probe(never)).toMatchObject({
      name: 'macos-container',
      title: 'Apple container 1.2.2',
      state: 'ready',
      version: '1.2.2',
      capabilities: { liveFreeze: true, pause: false, memory: false },
      reason: null,
    })
    expect(await backend.dataRoot?.(never)).toEqual(expect.any(String))
  })

  it('that is down is told with the command that starts it, which never asks', async () => {
    const ref = await launch(await planOf(shell('sleep 300')))
    const waiting = backend.wait(ref, never)
    world.double.setKnobs({ serviceDown: true })
    try {
      expect(await backend.probe(never)).toMatchObject({
        state: 'down',
        version: '1.2.2',
        fix: 'container system start --enable-kernel-install',
      })
      await expect(backend.list(never)).rejects.toMatchObject({
        code: 'engine-down',
        message: /system start/,
      })
      expect(await codeOf(launch(await planOf()))).toBe('engine-down')
    } finally {
      world.double.setKnobs({})
    }
    await backend.startEngine?.(never)
    // Whoever waits has not taken the silence for an end.
    await backend.stop(ref, { graceSeconds: 0 }, never)
    expect((await waiting)?.exitCode ?? 137).not.toBe(0)
  })

  it('that is not installed costs no process', async () => {
    const nowhere = createMacosContainerBackend({ rootId: runs.rootId, home, env: { PATH: '/nowhere' } })
    expect(await nowhere.probe(never)).toMatchObject({ state: 'missing', version: null })
    expect(await codeOf(nowhere.list(never))).toBe('engine-missing')
  })

  it('tells of a change that this process made at once, and of its own absence', async () => {
    const controller = new AbortController()
    const seen: string[] = []
    const watching = (async () => {
      for await (const change of backend.watch(controller.signal)) seen.push(`${change.kind} ${change.slug}`)
    })()
    await until(async () => seen.includes('engine null'))
    const { ref } = await runToEnd(shell('sleep 0.2'))
    await until(async () => seen.includes(`exited ${ref.slug}`))
    await backend.remove(ref, never)
    await until(async () => seen.includes(`removed ${ref.slug}`))
    controller.abort()
    await watching
  })

  it('builds what a bottle is to run, and takes that away with the run', async () => {
    const context = join(home, 'context')
    await mkdir(context, { recursive: true })
    await writeFile(join(context, 'Dockerfile'), `FROM ${world.image}\nCOPY hello /hello\n`)
    await writeFile(join(context, 'hello'), 'built\n')
    const image = { kind: 'build', context, dockerfile: 'Dockerfile', target: null } as const
    const { ref, output } = await runToEnd({ image, ...shell('cat /hello') })
    expect(output).toBe('built\n')
    expect(world.must(['image', 'list', '--format', 'json'])).toContain(ref.runId)
    await backend.remove(ref, never)
    expect(world.must(['image', 'list', '--format', 'json'])).not.toContain(ref.runId)
  })

  it('refuses before anything is made what it can not do', async () => {
    const file = join(home, 'single')
    await writeFile(file, '')
    const bind = { type: 'bind', source: file, target: '/f', readOnly: true, external: false } as const
    const before = world.double.calls().length
    expect(await codeOf(backend.preflight(await planOf({ mounts: [bind] }), never))).toBe('unsupported')
    expect(await codeOf(backend.preflight(await planOf({ network: 'none' }), never))).toBe(
      'policy-unenforceable',
    )
    expect(world.double.calls().length).toBe(before)
    const missing = { kind: 'image', reference: 'nobody/has-this:1' } as const
    expect(await backend.preflight(await planOf({ image: missing }), never)).toEqual([
      'The image nobody/has-this:1 is not here yet and will be pulled.',
    ])
    expect(await codeOf(launch(await planOf({ image: missing })))).toBe('image-missing')
  })
})
