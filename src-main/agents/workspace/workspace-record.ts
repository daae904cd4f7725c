import { type FileRecord, unlessTooDeep } from './json-file.ts'

/** What was done to which file. */
export type Records = Readonly<Record<string, FileRecord>>

/** Keys on the way to a value; Icebox itself writes no longer ones. */
const MOST_KEYS = 16

/** The records as the bottle keeps them. Pure. @throws BottleError `manifest-invalid` for what is nested too deeply */
export const recordText = (records: Records, file: string): string =>
  unlessTooDeep(file, () => `${JSON.stringify({ version: 1, files: records })}\n`)

/** A damaged record costs the taking back and nothing of a person's. Pure. */
export function readRecords(text: string | null): Records {
  if (text === null) return {}
  try {
    const { files } = JSON.parse(text) as { files?: unknown }
    if (typeof files !== 'object' || files === null) return {}
    return Object.fromEntries(Object.entries(files).filter(([, record]) => isRecord(record))) as Records
  } catch {
    return {}
  }
}

function isRecord(value: unknown): value is FileRecord {
  if (typeof value !== 'object' || value === null) return false
  const { before, after, undo } = value as Partial<Record<keyof FileRecord, unknown>>
  const isText = typeof after === 'string' && (before === null || typeof before === 'string')
  return (
    isText &&
    Array.isArray(undo) &&
    undo.every(
      (one: { path?: unknown } | null) =>
        Array.isArray(one?.path) &&
        one.path.length <= MOST_KEYS &&
        one.path.every((key: unknown) => typeof key === 'string'),
    )
  )
}
