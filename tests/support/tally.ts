/** What one suite came to. Failures carry their whole text, skips their reason. */
export interface SuiteResult {
  readonly suite: string
  readonly passed: number
  readonly failures: readonly { readonly test: string; readonly text: string }[]
  readonly skips: readonly { readonly test: string; readonly reason: string }[]
  /** Of all files of a suite together, several of which ran at a time. */
  readonly milliseconds: number
}

/** One step that either holds or not, such as a type check, counted as a single test. */
export function stepResult(suite: string, milliseconds: number, problem: string | null): SuiteResult {
  const failures = problem === null ? [] : [{ test: suite, text: problem }]
  return { suite, passed: problem === null ? 1 : 0, failures, skips: [], milliseconds }
}

export interface Summary {
  readonly lines: readonly string[]
  /** The last line of the whole run, alone: scripts read it. */
  readonly last: string
  readonly exitCode: 0 | 1
}

/**
 * Adds the suites up. The run fails on any failure, and when nothing ran at all: a green run of
 * nothing would hide a broken runner. A skip without a reason counts as a failure.
 */
export function summarize(results: readonly SuiteResult[]): Summary {
  const lines: string[] = []
  let passed = 0
  let failed = 0
  let skipped = 0
  for (const result of results) {
    const silent = result.skips.filter((skip) => skip.reason === '')
    const told = result.skips.filter((skip) => skip.reason !== '')
    const failures = [
      ...result.failures,
      ...silent.map((skip) => ({ test: skip.test, text: 'skipped without a reason' })),
    ]
    passed += result.passed
    failed += failures.length
    skipped += told.length
    const seconds = (result.milliseconds / 1000).toFixed(1)
    lines.push(
      `${result.suite.padEnd(19)} ${result.passed} passed, ${failures.length} failed, ${told.length} skipped (${seconds} s)`,
    )
    for (const failure of failures) lines.push(`  FAILED  ${failure.test}`, indent(failure.text))
    for (const skip of told) lines.push(`  skipped ${skip.test}: ${skip.reason}`)
  }
  if (passed + failed === 0) lines.push('No test ran.')
  return {
    lines,
    last: `${passed} passed, ${failed} failed, ${skipped} skipped`,
    exitCode: failed > 0 || passed === 0 ? 1 : 0,
  }
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `          ${line}`)
    .join('\n')
}
