import { runGroup } from '../../system/run-group.ts'
import { TOKEN } from './hook-environment.ts'
import { plainText } from './redact.ts'

/** What one hook came to, before it is a record. `output` may hold secrets. */
export interface HookEnd {
  readonly outcome: 'done' | 'failed' | 'timeout'
  readonly code: number | null
  readonly output: string
  readonly isCancelled: boolean
}

/** Bytes of output that a record keeps. */
export const OUTPUT_BYTES = 8192
/** Bytes before those that are looked at, so that a secret across the cut is seen whole. */
export const MARGIN_BYTES = 40 * 1024

// A shell between ours and the user's: a hook that ends its parent ends that one, and not Icebox. And when Icebox is
// killed, which file 3 tells, nobody else would see to the hook's end.
const BETWEEN = `/bin/sh -c "$1" </dev/null 3<&- & hook=$!
( read -r _ <&3; trap '' TERM; kill -TERM 0; sleep 2; kill -KILL 0 ) >/dev/null 2>&1 & watch=$!
exec 3<&-
wait "$hook"; code=$?
kill "$watch" 2>/dev/null
exit "$code"`

/** Runs the user's own command line by `/bin/sh`; data reach it in variables only. */
export async function runShellHook(
  text: string,
  options: {
    readonly cwd: string
    readonly env: Readonly<Record<string, string>>
    readonly timeoutSeconds: number
    readonly signal: AbortSignal
  },
): Promise<HookEnd> {
  const end = await runGroup('/bin/sh', ['-c', BETWEEN, 'hook', text], {
    cwd: options.cwd,
    env: options.env,
    timeout: Math.max(1, options.timeoutSeconds * 1000),
    signal: options.signal,
    keep: OUTPUT_BYTES + MARGIN_BYTES,
    marker: `${TOKEN}=${options.env[TOKEN] ?? ''}`,
  })
  const said = plainText(end.output)
  const more = noteOf(end, options.timeoutSeconds)
  return {
    outcome: end.reason === 'timeout' ? 'timeout' : end.exitCode === 0 ? 'done' : 'failed',
    code: end.exitCode,
    output: [said, more].filter((part) => part !== '').join(said.endsWith('\n') ? '' : '\n'),
    isCancelled: end.reason === 'cancelled',
  }
}

function noteOf(end: Awaited<ReturnType<typeof runGroup>>, seconds: number): string {
  switch (end.reason) {
    case 'timeout':
      return `Stopped after ${seconds} s.`
    case 'cancelled':
      return 'Stopped: the operation was cancelled.'
    case 'not-started':
      return `It could not be started: ${end.complaint}`
    case 'ended':
      return end.signalName === null ? '' : `Ended by ${end.signalName}.`
  }
}
