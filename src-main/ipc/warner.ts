import { toFailure } from '../system/bottle-error.ts'

const QUIET_MS = 60_000

/** Tells on stderr what went wrong in the background, the same thing at most once a minute. */
export function createWarner(
  write: (line: string) => void = (line) => process.stderr.write(line),
  now: () => number = () => performance.now(),
): (error: unknown) => void {
  const told = new Map<string, number>()
  return (error) => {
    const { message, detail } = toFailure(error)
    const text = detail && detail !== message ? `${message} (${detail})` : message
    const last = told.get(text)
    if (last !== undefined && now() - last < QUIET_MS) return
    if (told.size > 100) told.clear()
    told.set(text, now())
    write(`icebox: ${text}\n`)
  }
}
