import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { EngineIntent } from '../../../src-main/backends/backend.ts'
import { createHostContext } from '../../../src-main/backends/host/host-context.ts'
import { bottlePaths, runPaths } from '../../../src-main/backends/host/paths.ts'
import { makeRunFolder } from '../../../src-main/backends/local/start-runner.ts'
import { terminalAddress } from '../../../src-main/backends/local/terminal-socket.ts'
import { identityOf, isAlive } from '../../../src-main/system/process-identity.ts'
import {
  barePlan,
  canary,
  type HostWorld,
  never,
  openHostWorld,
  textOf,
  until,
} from '../host/host-fixture.ts'

let world: HostWorld
beforeAll(async () => {
  world = await openHostWorld()
})
afterAll(() => world.close())

it('freezes, stops and takes back a bottle whose terminal screen keeps', async () => {
  const secret = canary()
  const ref = await world.launch(
    'printf %s "$TOKEN" > token; i=0; while :; do i=$((i+1)); echo $i > count; done',
    { tty: true, multiplexer: 'screen', secrets: { TOKEN: secret } },
  )
  const { workspace, stateDir } = world
  await until('the token', async () => (await textOf(join(workspace, 'token'))) === secret)
  const address = String(ref.facts.socket)
  const [name = ''] = await readdir(address)
  const pid = Number.parseInt(name, 10)
  const server = await identityOf(pid)
  for (const part of ['environ', 'cmdline'])
    expect(await textOf(`/proc/${pid}/${part}`)).not.toContain(secret)
  expect((await stat(address)).mode & 0o077).toBe(0)
  const count = async (): Promise<number> => Number((await textOf(join(workspace, 'count'))) ?? 0)
  await until('it counts', async () => (await count()) > 5)
  const snapshot = await world.freeze(ref)
  expect(Number(snapshot.facts.pausedMs)).toBeGreaterThan(0)
  const before = await count()
  await until('it goes on', async () => (await count()) > before)
  await world.backend.stop(ref, { graceSeconds: 5 }, never())
  expect((await world.backend.wait(ref, never()))?.exitCode).toBe(143)
  await world.backend.runEnded(ref, never())
  expect(await stat(address).catch(() => null)).toBeNull()
  expect(server && (await isAlive(server))).toBe(false)
  for (const name of await readdir(join(stateDir, 'run', ref.runId))) {
    expect((await textOf(join(stateDir, 'run', ref.runId, name))) ?? '', name).not.toContain(secret)
  }
})

it('ends a waiting terminal of screen whose starter died before it recorded the run', async () => {
  const stateDir = world.root.path('state', 'orphan')
  await mkdir(stateDir, { recursive: true })
  const plan = {
    ...barePlan(world.root.id, 'orphan', stateDir),
    argv: ['/bin/sh', '-c', 'touch began'],
    tty: true,
  }
  const context = createHostContext(world.root.id, world.root.dir, process.env)
  const paths = runPaths(bottlePaths(world.root.dir, 'orphan'), plan.runId)
  await makeRunFolder(paths)
  const address = await terminalAddress('screen', world.root.dir, 'orphan', plan.runId)
  const runner = { argv: plan.argv, env: {}, cwd: stateDir, indexFile: join(stateDir, 'index') }
  const waiting = await (await context.multiplexer('screen')).start(paths, runner, address, never())
  const intent: EngineIntent = {
    ...{
      op: 'start' as const,
      slug: 'orphan',
      rootId: world.root.id,
      stateDir,
      runId: plan.runId,
      previous: null,
    },
    ...{ runtime: null, snapshotId: null, target: null, startedAt: new Date().toISOString() },
  }
  expect((await world.backend.recover(intent, never())).outcome).toBe('rolled-back')
  await until('the runner is gone', async () => !(await isAlive(waiting.identity)))
  expect(await stat(address).catch(() => null)).toBeNull()
  expect(await textOf(join(stateDir, 'began'))).toBeNull()
})
