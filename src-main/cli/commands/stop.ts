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
      icebox.bottles.stop(slug, flags.force ? { graceSeconds: 0 } : {}, context),
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

interface StopRow {
  readonly slug: string
  readonly ok: boolean
  readonly message: string
}

/** `icebox stop-all`: every bottle is tried, each tells how it went, and one failure makes the whole fail. */
export async function stopAll(face: Face, flags: { readonly force?: boolean }): Promise<number> {
  return withIcebox(face, async ({ bottles }) => {
    const running = (await bottles.list(face.signal)).filter(isActive)
    const rows = await operate(face, {}, (context) =>
      Promise.all(
        running.map(async ({ slug }): Promise<StopRow> => {
          try {
            const done = await bottles.stop(slug, flags.force ? { graceSeconds: 0 } : {}, context)
            const failed = leftError(done, slug)
            return { slug, ok: failed === null, message: failed?.message ?? done.done.join('; ') }
          } catch (thrown) {
            return { slug, ok: false, message: toFailure(thrown, slug).message }
          }
        }),
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
