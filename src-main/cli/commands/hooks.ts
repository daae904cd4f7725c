import { type AgentHooks, HookPoint, type HookRecord } from '../../../src-preload/contract/agents.ts'
import { requireSlug } from '../../state/slug.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { Face } from '../face.ts'
import { operate, slugOrPick, withIcebox } from '../session.ts'
import type { Colour } from '../style.ts'
import { formatTable } from '../table.ts'
import { formatAge, plural } from '../units.ts'
import { usageError } from '../usage.ts'
import { oneLine } from '../width.ts'

/** Records that are shown to a person. */
const SHOWN = 20

/** `icebox hooks`: what a bottle was started with, and what came of it. */
export async function hooks(
  face: Face,
  given: string | undefined,
  flags: { readonly lines?: string },
): Promise<number> {
  const named = given === undefined ? undefined : requireSlug(given)
  const shown = flags.lines === undefined ? SHOWN : countOf(flags.lines)
  return withIcebox(face, async (icebox) => {
    const slug = await slugOrPick(face, icebox, named)
    const found = await icebox.bottles.hooks(slug)
    const journal = shown === 0 ? [] : found.journal.slice(-shown)
    await face.result({
      json: {
        slug,
        configured: found.configured,
        journal: face.json && !flags.lines ? found.journal : journal,
      },
      text: hooksText(face, slug, { ...found, journal }, Date.now()),
      essential: Object.keys(found.configured).join('\n'),
    })
    return 0
  })
}

function countOf(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 0) return count
  throw usageError(`--lines takes a number, not ${JSON.stringify(text.slice(0, 40))}.`)
}

/** `icebox hooks try`: runs the hooks of a point with what they were told last. A failing one makes the command fail. */
export async function tryHook(face: Face, given: string, givenPoint: string): Promise<number> {
  const slug = requireSlug(given)
  const point = HookPoint.safeParse(givenPoint).data
  if (!point) {
    throw usageError(
      `There is no hook point ${JSON.stringify(givenPoint.slice(0, 40))}. There are ${HookPoint.options.join(', ')}.`,
    )
  }
  return withIcebox(face, async (icebox) => {
    const records = await operate(face, {}, ({ signal }) => icebox.bottles.tryHook(slug, point, signal))
    face.signal.throwIfAborted()
    const failed = records.filter(({ outcome }) => outcome !== 'done')
    await face.result({
      json: { slug, point, records },
      text: records.map((record) => tryText(face, record)).join('\n'),
      essential: records.map(({ outcome }) => outcome).join('\n'),
    })
    if (failed.length === 0) return 0
    throw bottleError('hook-failed', `${failed.length} of ${plural(records.length, 'hook')} failed.`, {
      slug,
    })
  })
}

/** Exported for its test. */
export function hooksText(
  face: Pick<Face, 'paint' | 'stdout'>,
  slug: string,
  { configured, journal }: AgentHooks,
  now: number,
): string {
  const rows = HookPoint.options.flatMap((point) =>
    (configured[point] ?? []).map((hook) => ({ point, ...hook })),
  )
  const options = { width: face.stdout.width, paint: face.paint }
  const list =
    rows.length === 0
      ? `${slug} was started without hooks.`
      : formatTable(
          rows,
          [
            { title: 'POINT', cell: (row) => row.point },
            { title: 'KIND', cell: (row) => row.kind },
            { title: 'LIMIT', cell: (row) => `${row.timeoutSeconds} s`, align: 'right' },
            { title: 'REQUIRED', cell: (row) => (row.required ? 'yes' : '') },
            { title: 'HOOK', cell: (row) => row.run, shrinkTo: 20 },
          ],
          options,
        )
  if (journal.length === 0) return list
  const done = formatTable(
    journal,
    [
      { title: 'WHEN', cell: (record) => formatAge(record.at, now) },
      { title: 'POINT', cell: (record) => record.point },
      { title: 'OUTCOME', cell: (record) => ({ text: outcomeText(record), colour: colourOf(record) }) },
      { title: 'TOOK', cell: (record) => `${(record.durationMs / 1000).toFixed(1)} s`, align: 'right' },
      { title: 'HOOK', cell: (record) => record.run, shrinkTo: 20 },
      { title: 'SAID', cell: (record) => lastLine(record.output), shrinkTo: 20 },
    ],
    options,
  )
  return `${list}\n\n${done}`
}

function outcomeText({ outcome, code, isTrial }: HookRecord): string {
  const word = outcome === 'failed' && code !== null ? `failed, ${code}` : outcome
  return isTrial ? `${word} (tried)` : word
}

function colourOf({ outcome }: HookRecord): Colour {
  return outcome === 'done' ? 'green' : 'red'
}

function lastLine(output: string): string {
  return output.trimEnd().split('\n').at(-1) ?? ''
}

function tryText(face: Pick<Face, 'paint'>, record: HookRecord): string {
  const head = `${face.paint(colourOf(record), outcomeText({ ...record, isTrial: false }))}  ${oneLine(record.run)}`
  const said = record.output
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `  ${oneLine(line)}`)
  return [head, ...said].join('\n')
}
