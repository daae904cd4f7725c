import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findBundledNode, runOnBundledNode } from '../../../src-main/cli/bundled-node.ts'
import { type CliScene, openCliScene, until } from './cli-scene.ts'

let scene: CliScene
beforeAll(async () => {
  scene = await openCliScene()
})
afterAll(() => scene.dispose())

/** A program that does what the entry does on a Node that is too old. */
async function oldEntry(name: string): Promise<string> {
  const dir = join(scene.home.dir, name)
  const source = join(import.meta.dirname, '../../../src-main/cli/bundled-node.ts')
  await mkdir(join(dir, 'node_modules/node/bin'), { recursive: true })
  await copyFile(source, join(dir, 'bundled-node.ts'))
  const script = join(dir, 'entry.mjs')
  await writeFile(
    script,
    `if (process.env.INNER) await import('./inner.mjs')
else { process.env.INNER = '1'; await (await import('./bundled-node.ts')).runOnBundledNode(import.meta.filename, 22) }`,
  )
  return script
}

/** Stands for the newer Node: a program of another path that runs the same one. */
async function bundle(script: string, inner: string): Promise<void> {
  const node = join(script, '../node_modules/node/bin/node')
  await writeFile(node, `#!/bin/sh\nexec "${process.execPath}" "$@"\n`, { mode: 0o755 })
  await writeFile(join(script, '../inner.mjs'), inner)
}

test('the newer Node gets the same arguments, and its exit code is ours', async () => {
  const script = await oldEntry('same')
  await bundle(script, 'console.log(JSON.stringify(process.argv.slice(2))); process.exit(7)')
  const { code, stdout } = await scene.begin(['list', '--json', 'a b'], [process.execPath, script]).ended
  expect({ code, stdout }).toEqual({ code: 7, stdout: '["list","--json","a b"]\n' })
})

test('a signal is passed on, and the child ends in its own way', async () => {
  const script = await oldEntry('signal')
  await bundle(
    script,
    `process.on('SIGTERM', () => { console.log('told'); process.exit(143) }); setInterval(() => {}, 1000); console.log('up')`,
  )
  const running = scene.begin([], [process.execPath, script])
  await until('it is up', () => running.said.stdout.includes('up'))
  running.child.kill('SIGTERM')
  expect(await running.ended).toMatchObject({ code: 143, stdout: 'up\ntold\n' })
})

test('without one it says what is needed', async () => {
  const script = await oldEntry('none')
  expect(await findBundledNode('/nowhere/at/all.js')).toBeUndefined()
  const { code, stderr } = await scene.begin([], [process.execPath, script]).ended
  // The repository's own node_modules lie on no path above the temp folder.
  expect(code).toBe(1)
  expect(stderr).toMatch(/^icebox: Node 22 or newer is needed and this is v[\d.]+;.*\n$/)
  expect(runOnBundledNode).toBeTypeOf('function')
})
