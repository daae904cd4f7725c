import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { must } from '../support/busybox-image.ts'
import { type OwnDaemon, startOwnDaemon } from '../support/docker-daemon.ts'
import { makeWorld, makeWorldImage, until, type World } from '../support/fault-world.ts'
import type { CliResult } from '../support/icebox-home.ts'
import { makeLoopDisk, type SmallDisk, whyNoSmallDisk } from '../support/small-disk.ts'
import { namesIn, storeProblems } from '../support/store-check.ts'

const why = whyNoSmallDisk()

/** An engine of this file's own on a small disk: it is restarted and filled, which no shared engine would bear. */
describe('an engine in trouble', () => {
  let disk: SmallDisk | undefined
  let daemon: OwnDaemon | undefined
  let world: World | undefined
  let image = ''
  const before = process.env.DOCKER_HOST

  beforeAll(async () => {
    if (why !== null) return
    disk = await makeLoopDisk(400)
    daemon = await startOwnDaemon({ dataRoot: `${disk.dir}/docker` })
    process.env.DOCKER_HOST = daemon.host
    image = await makeWorldImage()
  })
  afterEach(async () => {
    await disk?.drain()
    await world?.end()
    world = undefined
  })
  afterAll(async () => {
    await daemon?.stop()
    await disk?.remove()
    if (before === undefined) delete process.env.DOCKER_HOST
    else process.env.DOCKER_HOST = before
  })

  test.for(['SIGTERM', 'SIGKILL'] as const)(
    'it is ended by %s in the middle of a freeze',
    async (signal, { skip }) => {
      skip(why !== null, why ?? '')
      world = await makeWorld('docker', image, { inProcess: true })
      const { home } = world
      const slug = await world.start('one')
      await home.must(['freeze', slug])
      const big = await growing(world, 80)
      const freezing = home.icebox(['freeze', big])
      await until('the engine commits', async () => {
        const paused = await must('docker', ['ps', '--filter', 'status=paused', '--format', '{{.Names}}'])
        return paused.includes(big) ? true : undefined
      })
      await daemon?.restart(signal)
      const result = await freezing
      expect(['engine-down', 'engine-failed', undefined]).toContain(result.errorCode)
      expect(await world.problems()).toEqual([])
      expect([...(await world.markersHeld(slug)).values()].flat()).toContain('one')
      // What ran has ended with its engine; its files are there to be frozen.
      await home.must(['freeze', big])
    },
  )

  test('it is killed in the middle of an export, and of an import’s load', async ({ skip }) => {
    skip(why !== null, why ?? '')
    world = await makeWorld('docker', image, { inProcess: true })
    const { home } = world
    const big = await growing(world, 60)
    await home.must(['stop', big, '--force'])
    await world.replaceSitter()
    await home.must(['freeze', big])
    const file = join(home.dir, 'cwd/big.bottle')

    const exporting = home.icebox(['export', big, '-o', file])
    await until('the export reads layers', async () => (await staged(home.dir)) || undefined)
    await daemon?.restart('SIGKILL')
    expect(await endOf(exporting)).toEqual({ code: 1, error: 'engine-down' })
    expect(await namesIn(home.dir, 'cwd')).toEqual([])
    expect(await storeProblems(home.dir)).toEqual([])
    await home.must(['export', big, '-o', file])

    // As long as the engine has the layers, a load brings it nothing that takes time.
    await home.must(['destroy', big, '--purge', '--yes'])
    const importing = home.icebox(['import', file, '--label', 'loaded'])
    const scratch = join(disk?.dir ?? '', 'docker/tmp')
    await until('the engine loads', async () => ((await namesIn(scratch)).length > 0 ? true : undefined))
    await daemon?.restart('SIGKILL')
    expect(await endOf(importing)).toEqual({ code: 1, error: 'engine-down' })
    expect(await world.problems()).toEqual([])
    expect((await world.list()).map((bottle) => bottle.slug)).toEqual([])
    expect(await storeProblems(home.dir)).toEqual([])
    await home.must(['import', file, '--label', 'loaded'])
    await home.must(['resume', 'loaded', '--headless', '--prompt', 'again'])
    expect(await world.notes('loaded')).toEqual(['big', 'again'])
    expect(await storeProblems(home.dir)).toEqual([])
  })

  test('its disk is full', async ({ skip }) => {
    skip(why !== null, why ?? '')
    world = await makeWorld('docker', image, { inProcess: true })
    const slug = await world.start('one')
    await world.home.must(['freeze', slug])
    const big = await growing(world, 40)
    await disk?.fill(10_000_000)
    const result = await world.home.icebox(['freeze', big])
    expect({ code: result.code, error: result.errorCode }).toEqual({ code: 1, error: 'disk-full' })
    expect((await world.list()).find((bottle) => bottle.slug === big)?.state).toBe('running')
    await disk?.drain()
    expect(await world.problems()).toEqual([])
    await world.home.must(['freeze', big])
    expect([...(await world.markersHeld(slug)).values()].flat()).toContain('one')
  })

  test('it is away: bottles are unknown, never stopped, and nothing is cleaned up', async ({ skip }) => {
    skip(why !== null, why ?? '')
    world = await makeWorld('docker', image, { inProcess: true })
    const { home } = world
    const slug = await world.start('one')
    await home.must(['freeze', slug])
    const env = { DOCKER_HOST: 'unix:///nowhere/docker.sock' }
    const listed = (await home.must(['list'], { env })).json as readonly { readonly state: string }[]
    expect(listed.map((bottle) => bottle.state)).toEqual(['unknown'])
    for (const args of [
      ['freeze', slug],
      ['destroy', slug, '--yes'],
      ['resume', slug, '--headless', '--prompt', 'x'],
    ]) {
      const result = await home.icebox(args, { env })
      expect({ args, code: result.code, error: result.errorCode }).toEqual({
        args,
        code: 1,
        error: 'engine-down',
      })
    }
    expect([...(await world.markersHeld(slug)).values()].flat()).toContain('one')
  })
})

/** True while an operation of this state root has something staged that grows. */
async function staged(home: string): Promise<boolean> {
  for (const folder of await namesIn(home, 'artifacts/.stage')) {
    for (const name of await namesIn(home, 'artifacts/.stage', folder)) {
      const found = await stat(join(home, 'artifacts/.stage', folder, name)).catch(() => null)
      if (found && found.size > 1_000_000) return true
    }
  }
  return false
}

async function endOf(running: Promise<CliResult>) {
  const { code, errorCode } = await running
  return { code, error: errorCode }
}

/** A running bottle that holds this many megabytes which no layer below it has. */
async function growing(world: World, megabytes: number): Promise<string> {
  const slug = await world.startRunning('big')
  const dd = `dd if=/dev/urandom of=/workspace/big bs=1M count=${megabytes}`
  await must('docker', ['exec', `bot-bottle-${slug}`, 'sh', '-c', dd])
  return slug
}
