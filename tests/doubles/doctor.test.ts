import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { EngineReport } from '../../src-preload/contract/index.ts'
import { type ContainerWorld, makeContainerWorld } from '../support/container-double.ts'
import { type InstalledDouble, installDouble } from '../support/doubles/lib/install.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

let world: ContainerWorld
let smolvm: InstalledDouble
let tests: TestBottles
let dir: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doctor-'))
  world = await makeContainerWorld('1.0.0')
  smolvm = await installDouble({ tool: 'smolvm', version: '1.9.3' })
  const bottle = `backend: macos-container\nimage: ${world.image}\nworkdir: /work`
  tests = await makeTestBottles(bottle, undefined, world.double.env)
})
afterAll(async () => {
  world?.double.setKnobs({})
  await tests?.dispose()
  await world?.double.dispose()
  await smolvm?.dispose()
  await rm(dir, { recursive: true, force: true })
})

type Report = EngineReport & { readonly bottles: number }

/** Runs the built command with these folders in front of the PATH. */
const icebox = (args: readonly string[], ...folders: string[]) => {
  const PATH = [...folders, process.env.PATH ?? ''].join(delimiter)
  return tests.home.icebox(args, { env: { PATH, DOCKER_HOST: 'unix:///nonexistent' } })
}
const doctor = async (...folders: string[]) => {
  const { code, json, stderr } = await icebox(['doctor'], ...folders)
  const { engines } = json as { readonly engines: readonly Report[] }
  const report = (name: string): Report => {
    const found = engines.find((engine) => engine.name === name)
    if (!found) throw new Error(`no report of ${name}`)
    return found
  }
  return { code, stderr, container: report('macos-container'), smol: report('smolmachines') }
}

it('tells versions, what they can do and what they can not', async () => {
  const { code, container, smol } = await doctor(world.double.binDir, smolvm.binDir)
  expect(code).toBe(0)
  expect(container).toMatchObject({ state: 'ready', version: '1.0.0', reason: null, fix: null })
  expect(container.capabilities).toMatchObject({ liveFreeze: false, memory: false })
  expect(container.limits.join('\n')).toMatch(/has to stop a running bottle/)
  expect(smol).toMatchObject({ state: 'ready', version: '1.9.3' })
  expect(smol.limits.join('\n')).toMatch(/stops a running bottle/)
  for (const sentence of [...container.limits, ...smol.limits]) expect(sentence).toMatch(/^[A-Z/].*\.$/)
})

it('tells engines that are not here, each with what can be done about it', async () => {
  const { container, smol } = await doctor()
  expect(container).toMatchObject({
    state: 'missing',
    reason: "Apple's container runs on macOS only.",
    fix: null,
  })
  expect(smol).toMatchObject({ state: 'missing', fix: expect.stringContaining('smolmachines.com') })
})

it('takes another program of the same name for what it is', async () => {
  const other = await installDouble({ tool: 'smolvm', version: '0.0.14', config: { program: 'other' } })
  const { code, smol } = await doctor(other.binDir)
  await other.dispose()
  expect(code).toBe(0)
  expect(smol).toMatchObject({ state: 'missing', fix: expect.stringContaining('smolmachines.com') })
  expect(smol.reason).toMatch(/wrong smolvm/)
  expect(smol.reason).not.toContain('curl')
})

it('tells a release that is too old', async () => {
  const bin = join(dir, 'old')
  await mkdir(bin)
  await writeFile(join(bin, 'container'), '#!/bin/sh\necho "container CLI version 0.9.0 (build: release)"\n')
  await chmod(join(bin, 'container'), 0o755)
  const { container } = await doctor(bin)
  expect(container).toMatchObject({ state: 'unknown', version: '0.9.0', fix: 'brew upgrade container' })
  expect(container.reason).toMatch(/0\.9\.0 can't freeze/)
})

it('costs a list nothing where no bottle needs the engine', async () => {
  const before = [world.double.calls().length, smolvm.calls().length]
  const { code, json } = await icebox(['list', '--all'], world.double.binDir, smolvm.binDir)
  expect({ code, json }).toEqual({ code: 0, json: [] })
  expect([world.double.calls().length, smolvm.calls().length]).toEqual(before)
})

it('fails while bottles need an engine whose services are stopped, and nothing takes them for gone', async () => {
  const { slug, exitCode } = await tests.run('echo kept > marker')
  expect(exitCode).toBe(0)
  world.double.setKnobs({ serviceDown: true })
  const { code, stderr, container } = await doctor(world.double.binDir)
  expect(code).toBe(1)
  expect(stderr).toMatch(/Apple container 1\.0\.0 has bottles here and can't be used/)
  expect(container).toMatchObject({
    state: 'down',
    bottles: 1,
    fix: 'container system start --enable-kernel-install',
  })
  const listed = await icebox(['list', '--all'], world.double.binDir)
  expect(listed.json).toMatchObject([{ slug, state: 'unknown' }])
  expect((await icebox(['destroy', slug, '--yes'], world.double.binDir)).errorCode).toBe('engine-down')
  const gone = await icebox(['list', '--all'])
  expect(gone.json).toMatchObject([{ slug, state: 'unknown' }])
  expect((await icebox(['destroy', slug, '--yes'])).errorCode).toBe('engine-down')
  world.double.setKnobs({})
  const back = await icebox(['list', '--all'], world.double.binDir)
  expect(back.json).toMatchObject([{ slug, state: 'stopped' }])
})
