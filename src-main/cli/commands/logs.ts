import type { Bottles } from '../../bottles/services.ts'
import { requireSlug } from '../../state/slug.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { Face } from '../face.ts'
import { lastLinesOffset } from '../last-lines.ts'
import { slugOrPick, withIcebox } from '../session.ts'
import { usageError, wholeNumber } from '../usage.ts'

export interface LogFlags {
  readonly run?: string
  readonly all?: boolean
  readonly follow?: boolean
  readonly lines?: string
}

type LogSource = (follow: boolean) => AsyncIterable<Uint8Array>

/** `icebox logs`: raw bytes on stdout; with `--json` one value that holds them as text. */
export async function logs(face: Face, given: string | undefined, flags: LogFlags): Promise<number> {
  const named = given === undefined ? undefined : requireSlug(given)
  const lines = flags.lines === undefined ? undefined : wholeNumber('-n', flags.lines, 0, 100_000_000)
  if (flags.all && flags.run !== undefined) throw usageError('--all and --run exclude each other.')
  if (flags.follow && face.json) throw usageError('-f has no end and --json prints one value. Choose one.')
  return withIcebox(face, async ({ bottles, ...icebox }) => {
    const slug = await slugOrPick(face, { bottles, ...icebox }, named)
    const run = flags.run === undefined ? undefined : await runId(bottles, slug, flags.run, face.signal)
    const source: LogSource = (follow) =>
      bottles.logs(slug, { ...(run ? { run } : {}), all: flags.all === true, follow }, face.signal)
    const skip = lines === undefined ? 0 : await lastLinesOffset(source(false), lines)
    if (face.json) {
      const text = await collect(source(false), skip)
      await face.result({ json: { slug, run: run ?? null, text }, text: '' })
      return 0
    }
    await copy(face, source(flags.follow === true), skip)
    return 0
  })
}

/** A run by number, counted from 1, or by its id. */
async function runId(bottles: Bottles, slug: string, given: string, signal: AbortSignal): Promise<string> {
  const { runs } = await bottles.detail(slug, signal)
  const found =
    runs.find((run) => run.id === given) ?? (/^\d{1,6}$/.test(given) ? runs[Number(given) - 1] : undefined)
  if (found) return found.id
  throw bottleError(
    'not-found',
    runs.length === 0
      ? `${slug} has no recorded run.`
      : `${slug} has no run ${JSON.stringify(given.slice(0, 60))}. It has runs 1 to ${runs.length}.`,
    { slug },
  )
}

/** Copies all but the first `skip` bytes to stdout. */
async function copy(face: Face, source: AsyncIterable<Uint8Array>, skip: number): Promise<void> {
  let left = skip
  for await (const chunk of source) {
    if (face.signal.aborted) break
    if (left >= chunk.length) {
      left -= chunk.length
      continue
    }
    await face.stdout.write(left > 0 ? chunk.subarray(left) : chunk)
    left = 0
  }
}

async function collect(source: AsyncIterable<Uint8Array>, skip: number): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const chunk of source) parts.push(chunk)
  return Buffer.concat(parts).subarray(skip).toString('utf8')
}
