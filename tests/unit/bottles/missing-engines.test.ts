import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Backend } from '../../../src-main/backends/backend.ts'
import { BACKENDS, type Backends, createBackends } from '../../../src-main/backends/registry.ts'
import { cleanup } from '../../../src-main/bottles/cleanup.ts'
import type { BottleDeps } from '../../../src-main/bottles/deps.ts'
import { destroy } from '../../../src-main/bottles/destroy.ts'
import { readBottles } from '../../../src-main/bottles/read-bottles.ts'
import { onceEach } from '../../../src-main/bottles/watch-bottles.ts'
import { bottleError } from '../../../src-main/system/bottle-error.ts'
import { ROOT_ID } from '../../support/samples.ts'
import { tempFolder, testRoot } from '../../support/test-root.ts'

const context = {
  signal: new AbortController().signal,
  progress: () => undefined,
  notice: () => undefined,
  confirm: async () => true,
}

/** An engine that has nothing. */
const empty = (name: string): Backend =>
  ({
    name,
    list: async () => [],
    find: async () => null,
    inventory: async () => ({ containers: [], images: [], volumes: [], networks: [] }),
    discardVolumes: async () => ({ removed: [], left: [] }),
  }) as unknown as Backend

const away = (name: string, code: 'engine-down' | 'engine-missing'): Backend => {
  const fail = async () => {
    throw bottleError(code, `${name} is away.`)
  }
  return { ...empty(name), list: fail, find: fail, inventory: fail }
}

/** Only these are installed; any other backend that is asked for anything is a mistake. */
async function machine(...engines: readonly Backend[]): Promise<BottleDeps> {
  const get = async (name: string): Promise<Backend> => {
    const found = engines.find((engine) => engine.name === name)
    if (!found) throw new Error(`${name} was loaded, which is not installed`)
    return found
  }
  const backends: Backends = {
    get,
    getFreezer: async (name) => (await get(name)).freezer,
    all: async () => engines,
    isInstalled: async (name) => engines.some((engine) => engine.name === name),
    installed: async () => engines,
  }
  return { root: await testRoot(), backends, env: {}, secrets: () => Promise.reject(new Error('unused')) }
}

async function damaged(deps: BottleDeps, slug: string): Promise<void> {
  await mkdir(deps.root.path('state', slug))
  await writeFile(deps.root.path('state', slug, 'metadata.json'), '{ broken')
}

const rows = async (deps: BottleDeps) =>
  (await readBottles(deps, context.signal)).map(({ slug, state }) => `${slug} ${state}`)

test('a bottle whose record is damaged is looked for only on engines that are installed', async () => {
  const deps = await machine(empty('docker'), empty('host'))
  await damaged(deps, 'web')
  expect(await rows(deps)).toEqual(['web stopped'])
})

test('another program of an engine’s name makes nothing unknown; an engine that is down does', async () => {
  const wrong = await machine(empty('docker'), empty('host'), away('smolmachines', 'engine-missing'))
  await damaged(wrong, 'web')
  expect(await rows(wrong)).toEqual(['web stopped'])
  const down = await machine(empty('docker'), empty('host'), away('macos-container', 'engine-down'))
  await damaged(down, 'web')
  expect(await rows(down)).toEqual(['web unknown'])
})

test('a bottle that a record puts on an engine that is gone is unknown, never stopped', async () => {
  const deps = await machine(empty('docker'), empty('host'))
  await mkdir(deps.root.path('state', 'web'))
  const metadata = { identity: 'web', agent_name: 'a', backend: 'smolmachines', icebox: {} }
  await writeFile(deps.root.path('state', 'web', 'metadata.json'), JSON.stringify(metadata))
  expect(await rows(deps)).toEqual(['web unknown'])
})

test('destroy of a damaged bottle and cleanup say nothing of engines that are not installed', async () => {
  const deps = await machine(empty('docker'), empty('host'), away('smolmachines', 'engine-missing'))
  await damaged(deps, 'web')
  const done = await destroy(deps, { slug: 'web' }, context)
  expect(done.left).toEqual([])
  expect(done.unrecoverable).toEqual([])
  expect((await cleanup(deps, context)).left).toEqual([])
})

test('destroy of a damaged bottle waits for an engine that is installed but down', async () => {
  const deps = await machine(empty('docker'), empty('host'), away('macos-container', 'engine-down'))
  await damaged(deps, 'web')
  await expect(destroy(deps, { slug: 'web' }, context)).rejects.toMatchObject({ code: 'engine-down' })
  expect(await rows(deps)).toEqual(['web unknown'])
  expect((await cleanup(deps, context)).left).toEqual([
    'macos-container was not looked at: macos-container is away.',
  ])
})

test('an engine that appears later is watched from the next look on, once', async () => {
  let engines = [empty('docker')]
  const begun: string[] = []
  const look = onceEach(
    async () => engines,
    ({ name }) => begun.push(name),
  )
  await look()
  engines = [empty('docker'), empty('smolmachines')]
  await look()
  await look()
  expect(begun).toEqual(['docker', 'smolmachines'])
})

test('an engine is installed once its program is on the PATH, and each look is a new one', async () => {
  const bin = await tempFolder()
  const backends = createBackends({ rootId: ROOT_ID, home: await tempFolder(), env: { PATH: bin } })
  const names = async () => (await backends.installed()).map(({ name }) => name)
  expect(await names()).toEqual(['docker', 'host'])
  await writeFile(join(bin, 'container'), '')
  await writeFile(join(bin, 'smolvm'), '')
  expect(await names()).toEqual(['docker', 'host'])
  await chmod(join(bin, 'container'), 0o755)
  await chmod(join(bin, 'smolvm'), 0o755)
  expect(await names()).toEqual([...BACKENDS])
})
