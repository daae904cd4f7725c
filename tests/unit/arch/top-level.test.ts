import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')

/** Fixed by docs/architecture.md. */
const TOP_LEVEL: ReadonlySet<string> = new Set([
  'CONTRIBUTING.md',
  'LICENSE',
  'README.md',
  'docs',
  'electron.vite.config.ts',
  'package-lock.json',
  'package.json',
  'src-main',
  'src-preload',
  'src-renderer',
  'tests',
])
/** Made by tools and never committed. */
const MADE: ReadonlySet<string> = new Set(['node_modules', 'out', 'coverage'])

const strangers = (names: readonly string[]) =>
  names.filter(
    (name) => !name.startsWith('.') && !name.endsWith('.log') && !TOP_LEVEL.has(name) && !MADE.has(name),
  )

test('the top level is what the architecture fixes', async () => {
  const names = await readdir(ROOT)
  expect(strangers(names)).toEqual([])
  expect([...TOP_LEVEL].filter((name) => !names.includes(name))).toEqual([])
})

test('a new folder would be noticed', () => {
  expect(strangers(['src-main', 'lib', '.ci'])).toEqual(['lib'])
})
