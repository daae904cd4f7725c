import type { Done } from '../../../src-preload/contract/calls.ts'
import { requireSlug } from '../../state/slug.ts'
import { toFailure } from '../../system/bottle-error.ts'
import { doneText, leftError } from '../done-text.ts'
import type { Face } from '../face.ts'
import { operate, slugOrPick, withIcebox } from '../session.ts'
import { isActive } from '../state-word.ts'
import { formatTable } from '../table.ts'

/** `icebox stop`. */
export async function stop(
  face: Face,
  given: string | undefined,
  flags: { readonly yes?: boolean; readonly force?: boolean },
): Promise<number> {
  const named = given === undefined ? undefined : requireSlug(given)
  return withIcebox(face, async (icebox) => {
    const slug = await slugOrPick(face, icebox, named, isActive)
    const done = await operate(face, flags, (context) =>
      icebox.bottles.stop(slug, flags.force ? { graceSeconds: 0, force: true } : {}, context),
    )
    await face.result({ json: { slug, ...done }, text: doneText(done, face.paint), essential: slug })
    const failed = leftError(done, slug)
    if (failed) throw failed
    return 0
  })
}

/** `icebox restart`: the same runtime with the same files. It does not wait for the agent's end. */
export async function restart(
  face: Face,
  given: string | undefined,
  flags: { readonly yes?: boolean },
): Promise<number> {
  const named = given === undefined ? undefined : requireSlug(given)
  return withIcebox(face, async ({ bottles, ...icebox }) => {
    const slug = await slugOrPick(face, { bottles, ...icebox }, named, (bottle) => bottle.state !== 'frozen')
    const started = new AbortController()
    await operate(face, flags, (context) =>
      bottles
        .restart(
          slug,
          { ...context, signal: AbortSignal.any([context.signal, started.signal]) },
          {
            onLaunched: () => started.abort(),
          },
        )
        .catch((thrown: unknown) => {
          // Ours: the agent runs, and only the waiting was given up.
          if (!started.signal.aborted) throw thrown
        }),
    )
    const done: Done = { done: [`restarted ${slug}`], left: [], unrecoverable: [] }
    await face.result({ json: { slug, ...done }, text: doneText(done, face.paint), essential: slug })
    return 0
  })
}

export interface StopRow {
  readonly slug: string
  readonly ok: boolean
  readonly message: string
}

/** Stops side by side; more would only queue inside the engine. */
const PARALLEL = 4

/**
 * Stops in order and answers with a row for each, also for those that were not tried. Without `goOn` nothing more is
 * begun after a failure. Source: scitex §7.
 */
export async function stopEach(
  slugs: readonly string[],
  goOn: boolean,
  stopOne: (slug: string) => Promise<string>,
): Promise<readonly StopRow[]> {
  const rows = new Map<string, StopRow>()
  const waiting = [...slugs]
  let isHalted = false
  const worker = async (): Promise<void> => {
    for (let slug = waiting.shift(); slug !== undefined; slug = waiting.shift()) {
      if (isHalted)
        rows.set(slug, { slug, ok: false, message: 'Not tried: another one could not be stopped.' })
      else {
        const row = await stopOne(slug).then(
          (message) => ({ slug, ok: true, message }),
          (thrown: unknown) => ({ slug, ok: false, message: toFailure(thrown, slug).message }),
        )
        rows.set(slug, row)
        if (!row.ok && !goOn) isHalted = true
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
  return slugs.flatMap((slug) => rows.get(slug) ?? [])
}

/** `icebox stop-all`: a row per bottle. Without `--force` it halts at the first failure; any failure makes it fail. */
export async function stopAll(face: Face, flags: { readonly force?: boolean }): Promise<number> {
  return withIcebox(face, async ({ bottles }) => {
    const running = (await bottles.list(face.signal)).filter(isActive)
    const rows = await operate(face, {}, (context) =>
      stopEach(
        running.map(({ slug }) => slug),
        flags.force === true,
        async (slug) => {
          const done = await bottles.stop(slug, flags.force ? { graceSeconds: 0, force: true } : {}, context)
          const failed = leftError(done, slug)
          if (failed) throw failed
          return done.done.join('; ')
        },
      ),
    )
    face.signal.throwIfAborted()
    await face.result({
      json: rows,
      text: rows.length === 0 ? 'No bottle runs.' : rowTable(face, rows),
      essential: rows
        .filter((row) => row.ok)
        .map((row) => row.slug)
        .join('\n'),
    })
    return rows.every((row) => row.ok) ? 0 : 1
  })
}

function rowTable(face: Face, rows: readonly StopRow[]): string {
  return formatTable(
    rows,
    [
      { title: 'BOTTLE', cell: (row) => row.slug, shrinkTo: 12 },
      {
        title: 'STOPPED',
        cell: (row) => (row.ok ? { text: 'yes', colour: 'green' } : { text: 'no', colour: 'red' }),
      },
      { title: 'MESSAGE', cell: (row) => row.message, shrinkTo: 10 },
    ],
    { width: face.stdout.width, paint: face.paint },
  )
}
