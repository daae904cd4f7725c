import { defineConfig } from 'vitest/config'
import LongestFirst from './support/longest-first.ts'

const suite = (name: string, extra: object = {}) => ({
  test: { name, include: [`tests/${name}/**/*.test.ts`], root: `${import.meta.dirname}/..`, ...extra },
})

// One process per file keeps environment and signals apart; two cores bound the rest.
export default defineConfig({
  define: { __ICEBOX_FAULTS__: true },
  test: {
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      // Bounds a hang on a busy machine; no test measures time.
      suite('unit', { testTimeout: 30_000, hookTimeout: 30_000 }),
      suite('engine', { testTimeout: 120_000, hookTimeout: 120_000 }),
      suite('doubles', { testTimeout: 120_000, hookTimeout: 120_000 }),
      suite('e2e', { testTimeout: 120_000, hookTimeout: 120_000 }),
      suite('desktop', { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 30_000 } } }),
      suite('faults', { testTimeout: 300_000, hookTimeout: 120_000 }),
    ],
  },
})
