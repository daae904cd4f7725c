import { isDeepStrictEqual } from 'node:util'
import { bottleError } from '../../system/bottle-error.ts'
import type { Json } from '../definitions.ts'
import {
  applyChanges,
  isObject,
  type JsonChange,
  type JsonObject,
  type JsonUndo,
  undoChanges,
} from './json-change.ts'

/** What was done to one file, kept in the bottle so that a later start or stop can take back exactly that. */
export interface FileRecord {
  /** The person's text; null when there was no file. */
  readonly before: string | null
  /** The text that was written. */
  readonly after: string
  readonly undo: readonly JsonUndo[]
}

/**
 * Changes a person's JSON file. Pure.
 * @returns null when nothing is to be changed
 * @throws BottleError `manifest-invalid` where the file is no JSON object, since it could only be overwritten, and for
 *   what is nested too deeply
 */
export function changeFile(
  before: string | null,
  changes: readonly JsonChange[],
  file: string,
): FileRecord | null {
  const value = before === null || before.trim() === '' ? {} : parseObject(before)
  if (value === null) {
    throw bottleError(
      'manifest-invalid',
      `${file} of the workspace is not a JSON object, so nothing can be added to it. Repair or remove it and start again.`,
    )
  }
  return unlessTooDeep(file, () => {
    const { value: after, undo } = applyChanges(value, changes)
    return undo.length === 0 ? null : { before, after: textOf(after), undo }
  })
}

/**
 * Takes back what was done to a file: to the byte where nobody changed it since, else value by value. Pure.
 * @returns null when nothing is left, so that the file goes
 * @throws BottleError `manifest-invalid` for what is nested too deeply
 */
export function restoreFile(now: string | null, record: FileRecord, file: string): string | null {
  if (now === null || now === record.after) return now === null ? null : record.before
  const value = parseObject(now)
  // Somebody broke it meanwhile; their text is theirs.
  if (value === null) return now
  return unlessTooDeep(file, () => {
    const restored = undoChanges(value, record.undo)
    // Nothing of it is there any more, so the text is a person's to the byte.
    if (restored === value) return now
    const original = record.before === null || record.before.trim() === '' ? {} : parseObject(record.before)
    return isDeepStrictEqual(restored, original) ? record.before : textOf(restored)
  })
}

/** An agent can nest its files deeper than they can be followed. Pure. @throws BottleError `manifest-invalid` for those */
export function unlessTooDeep<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    const sentence = `${file} of the workspace is nested too deeply, so it was left as it is. Repair or remove it.`
    throw bottleError('manifest-invalid', sentence, { cause })
  }
}

function parseObject(text: string): JsonObject | null {
  try {
    const value = JSON.parse(text) as Json
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

const textOf = (value: JsonObject): string => `${JSON.stringify(value, null, 2)}\n`
