import { writeFileSync } from 'node:fs'
import type { SerializedError } from 'vitest'
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import type { SuiteResult } from './tally.ts'

/**
 * Writes a suite's outcome to `ICEBOX_SUITE_RESULT` for `tests/run.ts`, which adds the suites up. Errors outside of
 * tests (a file that does not load, an unhandled rejection) are failures of their own.
 */
export default class SuiteReporter implements Reporter {
  private readonly started = Date.now()

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const file = process.env.ICEBOX_SUITE_RESULT
    if (!file) return
    const failures: { test: string; text: string }[] = unhandled.map((error) => ({
      test: 'outside of any test',
      text: errorText(error),
    }))
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
    const outcome: SuiteResult = {
      suite: process.env.ICEBOX_SUITE ?? '',
      passed,
      failures,
      skips,
      milliseconds: Date.now() - this.started,
    }
    writeFileSync(file, JSON.stringify(outcome))
  }
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
