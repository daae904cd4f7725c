import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import LongestFirst from './support/longest-first.ts'

const ROOT = join(import.meta.dirname, '..')
const suite = (name: string, extra: object = {}) => ({
  test: { name, include: [`tests/${name}/**/*.test.ts`], root: ROOT, ...extra },
})

/**
 * Unit tests that leave nothing behind in their process, so that one process takes a file after the other: to load the
 * same modules again for each costs more than the tests. What changes a variable, a global, a clock or a module stays out.
 */
const SHARED = [
  'agents',
  'arch',
  'backends',
  'bench',
  'bottles',
  'cli',
  'doubles',
  'ipc',
  'menus',
  'renderer',
  'shell',
  'snapshots',
  'state',
  'system',
  'tasks',
  'workers',
]
const CHANGES_ITS_PROCESS =
  /\bvi\.(mock|hoisted|stub|useFake|spyOn|setConfig)|@vitest-environment|process\.(env\b[^\n]* = |chdir|umask|on\(|exitCode)|delete process\.env|globalThis\.\w+ =/
const sharedFiles = SHARED.flatMap((folder) =>
  globSync(`tests/unit/${folder}/**/*.test.ts`, { cwd: ROOT }),
).filter((file) => !CHANGES_ITS_PROCESS.test(readFileSync(join(ROOT, file), 'utf8')))
// Only where the suite runs as a whole; a file that is run by itself is in `unit`.
const isSplit = (process.env.ICEBOX_SUITES ?? '').split(' ').includes('unit')
const UNIT = { testTimeout: 30_000, hookTimeout: 30_000 }

// One process per file keeps environment and signals apart; two cores bound the rest.
export default defineConfig({
  define: { __ICEBOX_FAULTS__: true },
  test: {
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      // Bounds a hang on a busy machine; no test measures time.
      suite('unit', { ...UNIT, ...(isSplit ? { exclude: sharedFiles } : {}) }),
      ...(isSplit ? [suite('unit-shared', { ...UNIT, include: sharedFiles, isolate: false })] : []),
      suite('engine', { testTimeout: 120_000, hookTimeout: 120_000 }),
      suite('doubles', { testTimeout: 120_000, hookTimeout: 120_000 }),
      suite('e2e', { testTimeout: 120_000, hookTimeout: 120_000 }),
      suite('desktop', { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 30_000 } } }),
      suite('faults', { testTimeout: 300_000, hookTimeout: 120_000 }),
    ],
  },
})
