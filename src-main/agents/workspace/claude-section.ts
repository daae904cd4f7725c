import { bottleError } from '../../system/bottle-error.ts'

const START = '<!-- icebox:start'
const END = '<!-- icebox:end -->'
const START_LINE = /<!-- icebox:start[^\n]*-->/g
const NOTE = '<!-- Icebox replaces what is between these marks at each start. Write below or above them. -->'

/** Where the section begins and ends in a text; null without one. @throws BottleError `manifest-invalid` for damaged marks */
function sectionIn(text: string, file: string): { readonly from: number; readonly to: number } | null {
  const starts = [...text.matchAll(START_LINE)].map(({ index }) => index)
  const ends: number[] = []
  for (let at = text.indexOf(END); at >= 0; at = text.indexOf(END, at + 1)) ends.push(at)
  const [from] = starts
  const [end] = ends
  if (from === undefined && end === undefined && !text.includes(START)) return null
  if (starts.length === 1 && ends.length === 1 && from !== undefined && end !== undefined && from < end) {
    const to = end + END.length
    return { from, to: text[to] === '\n' ? to + 1 : to }
  }
  throw bottleError(
    'manifest-invalid',
    `The marks of Icebox in ${file} of the workspace are damaged: exactly one start and one end are expected, in this order. ` +
      'Remove what is left of them there, and start again; nothing was changed.',
  )
}

/**
 * The text with the managed section in it: in its old place, else above all else. What a person wrote stays as it is. Pure.
 * @throws BottleError `manifest-invalid` where the marks are damaged, since replacing could lose a person's text
 */
export function withSection(old: string | null, section: string, owner: string, file: string): string {
  const before = old ?? ''
  const place = sectionIn(before, file) ?? { from: 0, to: 0 }
  // No text of a definition can end the section.
  const body = section.replaceAll('<!-- icebox:', '<!-- icebox :').trim()
  const block = `${START} agent=${owner.replace(/[^A-Za-z0-9._-]/g, '_')} -->\n${NOTE}\n${body}\n${END}\n`
  return before.slice(0, place.from) + block + before.slice(place.to)
}

/** The text without the section; null when nothing else was in it. Pure. @throws BottleError as `withSection` */
export function withoutSection(old: string | null, file: string): string | null {
  if (old === null) return null
  const place = sectionIn(old, file)
  if (!place) return old
  const rest = old.slice(0, place.from) + old.slice(place.to)
  return rest === '' ? null : rest
}
