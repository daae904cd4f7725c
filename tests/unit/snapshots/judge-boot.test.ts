import { describe, expect, test } from 'vitest'
import { failedProof, judgeBoot } from '../../../src-main/snapshots/judge-boot.ts'

const AT = new Date('2026-11-21T08:00:00Z')
const judge = (check: string | null, exitCode: number | null, output = '') =>
  judgeBoot({ check, exitCode, output }, AT, 60)

describe('the proof of a restore', () => {
  test.each([
    [null, null, 'passed', 'It booted; there is no health check to run.'],
    ['true', 0, 'passed', 'It booted and its health check ended with 0.'],
    ['false', 1, 'failed', 'It booted, but its health check ended with 1.'],
    ['sleep 99', null, 'failed', 'It booted, but its health check did not end within 60 s.'],
    [null, 127, 'failed', 'It booted, but ended with 127.'],
  ])('check %s, exit code %s: %s', (check, exitCode, outcome, detail) => {
    expect(judge(check, exitCode)).toEqual({ at: '2026-11-21T08:00:00.000Z', outcome, check, detail })
  })

  test('the last line of a failed check is told', () => {
    expect(judge('x', 2, 'first\nno such file: /workspace/ready\n\n').detail).toBe(
      'It booted, but its health check ended with 2. It said: no such file: /workspace/ready',
    )
  })

  test('a passed check has nothing to say', () => {
    expect(judge('x', 0, 'all 12 fine').detail).not.toContain('12')
  })

  test.each([
    ['key ghp_abcdefghij0123456789abcdefghij01 refused', 'ghp_'],
    ['clone of https://me:hunter2@example.com failed', 'hunter2'],
    ['PASSWORD=swordfish is wrong', 'swordfish'],
    ['token: abc', 'abc'],
  ])('%s: what may be a secret is left out', (output, secret) => {
    expect(judge('x', 1, output).detail).not.toContain(secret)
    expect(judge(output, 1).check).not.toContain(secret)
  })

  test('it is one short line', () => {
    const { detail, check } = judge('word '.repeat(200), 1, `\u001b[31m${'long '.repeat(500)}`)
    expect(detail.length).toBeLessThanOrEqual(300)
    expect(check?.length).toBeLessThanOrEqual(300)
    expect(detail).not.toContain('\u001b')
    expect(failedProof(AT, null, 'a\nb').detail).toBe('a b')
  })
})
