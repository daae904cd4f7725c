import type { Failure } from '../../../src-preload/contract/errors.ts'
import type { Icebox } from '../../icebox.ts'
import { toFailure } from '../../system/bottle-error.ts'
import type { Face } from '../face.ts'
import { withIcebox } from '../session.ts'

/**
 * `icebox supervise`: looks after agents until the last of them has ended, unless an app does so already. It is started
 * by the first command that needs it, and says what happens to a log.
 */
export async function supervise(face: Face): Promise<number> {
  const run = async (icebox: Icebox): Promise<number> => {
    const say = (text: string): void =>
      void face.stderr.write(`${new Date().toISOString()} ${process.pid} ${text}\n`)
    const told = new Map<string, number>()
    await icebox.supervise({
      kind: 'detached',
      signal: face.signal,
      onChange: (generation) => say(generation === null ? 'done' : `supervising, generation ${generation}`),
      warn: (error) => {
        const text = warningLine(error)
        // The same trouble every minute is one line an hour.
        const last = told.get(text) ?? 0
        if (Date.now() - last < 3_600_000) return
        told.set(text, Date.now())
        say(text)
      },
    })
    return 0
  }
  // It may start while its state root is being removed, and must not bring that back.
  return withIcebox(face, run, { mustExist: true })
}

/** One line of the log for anything that was told: parts of supervision tell errors, and failures made of them. Pure. */
export function warningLine(error: unknown): string {
  const { code, message, detail, slug } = isFailure(error) ? error : toFailure(error)
  return [slug, code, message, detail].filter(Boolean).join(': ').replaceAll(/\s+/g, ' ')
}

function isFailure(error: unknown): error is Failure {
  if (typeof error !== 'object' || error === null || error instanceof Error) return false
  const { code, message } = error as Partial<Record<keyof Failure, unknown>>
  return typeof code === 'string' && typeof message === 'string'
}
