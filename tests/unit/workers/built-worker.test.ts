import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { staticClosure } from '../../support/arch/habits.ts'
import { readSources } from '../../support/arch/sources.ts'

const ROOT = join(import.meta.dirname, '../../..')
const OUT = join(ROOT, 'out/main')

/** The built module that starts threads, wherever the bundler put it. */
async function builtWorkers(): Promise<string> {
  for (const name of await readdir(OUT, { recursive: true })) {
    if (!name.endsWith('.js')) continue
    const text = await readFile(join(OUT, name), 'utf8')
    if (text.includes('function createWorkers(')) return join(OUT, name)
  }
  throw new Error('These tests read the build: run npm run build first.')
}

const PROGRAM = `
const [module, file] = process.argv.slice(1)
const found = Object.values(await import(module)).find((value) => value.name === 'createWorkers')
const workers = found()
async function* content() { yield Buffer.alloc(5_000_000, 'built') }
let bytes = 0
const sink = async (chunk) => { bytes += chunk.length }
const packed = await workers.pack(content(), 'zstd', sink, new AbortController().signal)
const hashed = await workers.hash(file, new AbortController().signal)
console.log(JSON.stringify({ packed, bytes, hashed: hashed.digest.slice(0, 7) }))
`

test('the built program finds its worker, works, and ends by itself', async () => {
  const file = await builtWorkers()
  const args = ['--input-type=module', '-e', PROGRAM, pathToFileURL(file).href, file]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 })
  const told = JSON.parse(stdout) as { packed: { contentBytes: number; bytes: number }; bytes: number }
  expect(told).toMatchObject({ packed: { contentBytes: 5_000_000, bytes: told.bytes }, hashed: 'sha256:' })
}, 40_000)

test('a thread loads nothing but Node and its own few files', async () => {
  const built = await readSources(ROOT, ['out/main'], /\.js$/)
  const { files, packages } = staticClosure('out/main/worker.js', built)
  expect([...packages].filter((name) => !name.startsWith('node:'))).toEqual([])
  // How the bundler cuts them is its own affair; what a thread has to read is not.
  const characters = [...files].reduce((sum, file) => sum + (built.get(file)?.length ?? 0), 0)
  expect(characters).toBeGreaterThan(30_000)
  expect(characters).toBeLessThan(150_000)
})
