import { writeFileSync } from 'node:fs'
import type { SerializedError } from 'vitest'
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import type { SuiteResult } from './tally.ts'

/**
 * Writes the outcome of every suite to `ICEBOX_SUITE_RESULTS` for `tests/run.ts`, which adds them up. Errors outside of
 * tests (a file that does not load, an unhandled rejection) are failures of their own.
 */
export default class SuiteReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const file = process.env.ICEBOX_SUITE_RESULTS
    if (!file) return
    const suites = [...Map.groupBy(modules, suiteOf)].map(([suite, own]) => outcomeOf(suite, own))
    const outside = unhandled.map((error) => ({ test: 'outside of any test', text: errorText(error) }))
    const runner = { suite: 'runner', passed: 0, failures: outside, skips: [], milliseconds: 0 }
    writeFileSync(file, JSON.stringify(outside.length > 0 ? [...suites, runner] : suites))
  }
}

/** A part of a suite that has a project of its own bears the suite's name and a dash before its own. */
function suiteOf(module: TestModule): string {
  return module.project.name.split('-')[0] ?? ''
}

function outcomeOf(suite: string, modules: readonly TestModule[]): SuiteResult {
  const failures: { test: string; text: string }[] = []
  const skips: { test: string; reason: string }[] = []
  let passed = 0
  for (const module of modules) {
    for (const error of module.errors())
      failures.push({ test: module.relativeModuleId, text: errorText(error) })
    for (const suite of module.children.allSuites()) {
      for (const error of suite.errors()) failures.push({ test: suite.fullName, text: errorText(error) })
    }
    for (const test of module.children.allTests()) {
      const name = `${module.relativeModuleId} > ${test.fullName}`
      const result = test.result()
      if (result.state === 'passed') passed += 1
      else if (result.state === 'skipped') {
        const reason = reasonOf(test)
        if (reason !== null) skips.push({ test: name, reason })
      } else if (result.state === 'failed')
        failures.push({ test: name, text: result.errors.map(errorText).join('\n') })
      else failures.push({ test: name, text: 'did not finish' })
    }
  }
  const milliseconds = modules.reduce((sum, module) => sum + millisecondsOf(module), 0)
  return { suite, passed, failures, skips, milliseconds }
}

/** Milliseconds that the file took, its imports with it. */
function millisecondsOf(module: TestModule): number {
  const { environmentSetupDuration, prepareDuration, collectDuration, setupDuration, duration } =
    module.diagnostic()
  return environmentSetupDuration + prepareDuration + collectDuration + setupDuration + duration
}

/** The note given to `skip`, or why nobody came to give one; null for a test that `--name` left out. */
function reasonOf(test: TestCase): string | null {
  const result = test.result()
  if (result.state === 'skipped' && result.note) return result.note
  for (let at = test.parent; at.type === 'suite'; at = at.parent)
    if (at.errors().length > 0) return 'its setup failed'
  if (test.module.errors().length > 0) return 'its file failed'
  return process.env.ICEBOX_SUITE_NAME_FILTER ? null : ''
}

function errorText(error: {
  readonly message?: string
  readonly stack?: string
  readonly diff?: string
}): string {
  return [error.stack ?? error.message ?? 'unknown error', error.diff].filter(Boolean).join('\n')
}
