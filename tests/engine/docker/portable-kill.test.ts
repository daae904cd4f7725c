import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { must } from '../../support/busybox-image.ts'
import { type DockerScene, makeDockerScene, until } from '../../support/docker-scene.ts'
import { makeImage } from '../../support/images.ts'

let scene: DockerScene
let snapshot: Snapshot
beforeAll(async () => {
  scene = await makeDockerScene()
  const image = await makeImage('killed', ['VOLUME /vol'])
  const { ref } = await scene.run(scene.plan(image, 'head -c 3000000 /dev/urandom > /big; echo v > /vol/v'))
  snapshot = (await scene.freeze(ref)).snapshot
})
afterAll(() => scene.dispose())

const CHILD = join(import.meta.dirname, 'portable-child.ts')

/** Does it in another process, which kills itself in the middle. */
async function doAndDie(what: string): Promise<void> {
  const args = [CHILD, scene.root.dir, scene.root.id, what, JSON.stringify(snapshot)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const signal = await new Promise((resolve) => child.on('exit', (_code, by) => resolve(by)))
  expect(signal).toBe('SIGKILL')
}

/** Everything on the engine that names this root or this bottle, the snapshot and its run left out. */
async function traces(): Promise<readonly string[]> {
  const boots = ['--filter', `label=dev.icebox.boot=${scene.root.id}`]
  const found = [
    await must('docker', ['ps', '-aq', ...boots]),
    await must('docker', ['volume', 'ls', '-q', ...boots]),
    await must('docker', ['images', '--format', '{{.Repository}}:{{.Tag}}']),
  ].flatMap((text) => text.split('\n').filter(Boolean))
  return found.filter(
    (name) =>
      !name.includes(':') ||
      name.includes(`icebox-transfer/${scene.root.id}`) ||
      name.includes(`${snapshot.slug}-x:`),
  )
}

/** What a load or a save writes aside while it works. Null where the engine is elsewhere. */
async function engineScratch(): Promise<readonly string[] | null> {
  const root = (await must('docker', ['info', '-f', '{{.DockerRootDir}}'])).trim()
  return readdir(join(root, 'tmp')).catch(() => null)
}

it.each(['save', 'load:middle', 'load:end'])(
  'leaves nothing on the engine when killed in a %s',
  async (what) => {
    const before = new Set(await engineScratch())
    await doAndDie(what)
    expect(await traces()).toEqual([])
    // Other tests may be at work on the same engine, so only what stays counts.
    const fresh = (await engineScratch())?.filter((name) => !before.has(name)) ?? []
    await until(async () => !((await engineScratch()) ?? []).some((name) => fresh.includes(name)))
    const portable = await scene.backend.portable()
    const ids = (await portable.describe(snapshot, scene.signal)).diffIds ?? []
    expect(await portable.heldLayers([...ids, `sha256:${'5'.repeat(64)}`], scene.signal)).toBe(ids.length)
  },
)

it.each(['push', 'boot'])('sweeps what a killed %s left, and keeps the snapshot', async (what) => {
  await doAndDie(what)
  await scene.backend.inventory(scene.root.id, scene.signal)
  expect(await traces()).toEqual([])
  expect((await must('docker', ['images', '-q', '--no-trunc', snapshot.reference])).trim()).toBe(
    snapshot.digest,
  )
})

it('sees what a killed boot left before it is swept', async () => {
  await doAndDie('boot')
  expect(await traces()).toHaveLength(2)
  await scene.backend.inventory(scene.root.id, scene.signal)
  expect(await traces()).toEqual([])
})
