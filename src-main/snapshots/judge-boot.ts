import type { Verification } from '../../src-preload/contract/index.ts'
import type { BootResult } from '../backends/portable.ts'

/** Characters of a proof's sentence: it is kept in the record and shown on a badge. */
const DETAIL_MAX = 300

/** The record of a boot that came about: passed when it was up and its check, if any, ended with 0. Pure. */
export function judgeBoot(result: BootResult, at: Date, timeoutSeconds: number): Verification {
  const { check, exitCode, output } = result
  const isPassed = check === null ? exitCode === null || exitCode === 0 : exitCode === 0
  return proof(
    at,
    isPassed,
    check,
    isPassed ? passedSentence(check) : failedSentence(result, output, timeoutSeconds),
  )
}

/** The record of a snapshot that did not come up at all. Pure. */
export function failedProof(at: Date, check: string | null, why: string): Verification {
  return proof(at, false, check, why)
}

function proof(at: Date, isPassed: boolean, check: string | null, detail: string): Verification {
  return {
    at: at.toISOString(),
    outcome: isPassed ? 'passed' : 'failed',
    check: check === null ? null : cut(masked(check)),
    detail: cut(masked(detail)),
  }
}

function passedSentence(check: string | null): string {
  return check === null
    ? 'It booted; there is no health check to run.'
    : 'It booted and its health check ended with 0.'
}

function failedSentence({ check, exitCode }: BootResult, output: string, timeoutSeconds: number): string {
  const last = output.trimEnd().split('\n').at(-1)?.trim() ?? ''
  const said = last === '' ? '' : ` It said: ${last}`
  if (check === null) return `It booted, but ended with ${exitCode}.${said}`
  const ended = exitCode === null ? `did not end within ${timeoutSeconds} s` : `ended with ${exitCode}`
  return `It booted, but its health check ${ended}.${said}`
}

/** A check may print what it likes: whatever could be a token or a password in an address is left out. */
function masked(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/(:\/\/[^\s/:@]*):[^\s@]+@/g, '$1:…@')
    .replace(/((?:secret|token|password|passwd|key|auth\w*)\s*[=:]\s*)\S+/gi, '$1…')
    .replace(/[A-Za-z0-9_+=-]{20,}/g, (word) => (/\d/.test(word) && /[A-Za-z]/.test(word) ? '…' : word))
}

function cut(text: string): string {
  return text.length <= DETAIL_MAX ? text : `${text.slice(0, DETAIL_MAX - 1)}…`
}
