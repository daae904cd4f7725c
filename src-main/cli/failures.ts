import type { Failure } from '../../src-preload/contract/errors.ts'
import type { Paint } from './style.ts'

/** The exit code of a failure. `cancelled` by a signal is the caller's to tell. Source: cli.md. */
export function exitCodeOf(failed: Failure): number {
  if (failed.code === 'agent-exited') return failed.exitCode ?? 1
  return failed.code === 'usage' ? 2 : 1
}

/** The one line of JSON for stderr; every key is always there. */
export function failureLine(failed: Failure): string {
  const { code, message, retryable } = failed
  const error = {
    code,
    message,
    detail: failed.detail ?? null,
    retryable,
    slug: failed.slug ?? null,
    ...(failed.exitCode === undefined ? {} : { exitCode: failed.exitCode }),
  }
  return JSON.stringify({ error })
}

/** The sentence for a person, the system's own words below it, and what to do next. */
export function failureText(failed: Failure, paint: Paint, command: string | undefined): string {
  const lines = [`${paint('red', 'icebox:')} ${failed.message}`]
  if (failed.detail && failed.detail !== failed.message) {
    for (const line of failed.detail.trim().split('\n').slice(-10))
      lines.push(paint('dim', `  ${line.trimEnd()}`))
  }
  const next = nextStep(failed, command)
  if (next) lines.push(`  ${next}`)
  return lines.join('\n')
}

function nextStep(failed: Failure, command: string | undefined): string | undefined {
  const { code, slug } = failed
  if (code === 'usage' && failed.message.includes('--help`')) return undefined
  if (code === 'usage') return command ? `See \`icebox ${command} --help\`.` : 'See `icebox --help`.'
  if (code === 'agent-exited' && slug)
    return `Its files are kept: \`icebox freeze ${slug}\`, \`icebox resume ${slug}\`.`
  if (code === 'engine-down' || code === 'engine-missing') return 'See `icebox doctor`.'
  if (code === 'internal') return 'Nothing more is known. `icebox doctor` may help.'
  return undefined
}
