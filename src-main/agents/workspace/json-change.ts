import { isDeepStrictEqual } from 'node:util'
import type { Json } from '../definitions.ts'

export type JsonObject = { readonly [key: string]: Json }

/** One change to a JSON file that a person may have written too. */
export type JsonChange =
  /** The value at a path; `always` replaces a person's own, else it is set only where there is none. */
  | { readonly kind: 'set'; readonly path: readonly string[]; readonly value: Json; readonly always: boolean }
  /** One more item of a list, unless it holds it already. */
  | { readonly kind: 'add'; readonly path: readonly string[]; readonly value: Json }

/** What a change did, so that it can be taken back. */
export interface JsonUndo {
  readonly path: readonly string[]
  readonly put: Json
  readonly isItem: boolean
  /** What was there before; absent when nothing was. */
  readonly had?: Json
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Applies changes; one that finds something else than a list or an object on its way is left out. Pure. */
export function applyChanges(
  before: JsonObject,
  changes: readonly JsonChange[],
): { readonly value: JsonObject; readonly undo: readonly JsonUndo[] } {
  let value = before
  const undo: JsonUndo[] = []
  for (const { kind, path, value: put, ...change } of changes) {
    if (!isReachable(value, path)) continue
    const had = valueAt(value, path)
    if (kind === 'set') {
      const isAlways = 'always' in change && change.always === true
      if (isDeepStrictEqual(had, put) || (had !== undefined && !isAlways)) continue
      value = setAt(value, path, put)
      undo.push({ path, put, isItem: false, ...(had === undefined ? {} : { had }) })
    } else {
      if (had !== undefined && !Array.isArray(had)) continue
      const items: readonly Json[] = had ?? []
      if (items.some((item) => isDeepStrictEqual(item, put))) continue
      value = setAt(value, path, [...items, put])
      undo.push({ path, put, isItem: true })
    }
  }
  return { value, undo }
}

/** Takes changes back, the last one first; what a person changed since stays. Pure. */
export function undoChanges(after: JsonObject, undo: readonly JsonUndo[]): JsonObject {
  let value = after
  for (const { path, put, isItem, had } of [...undo].reverse()) {
    const now = valueAt(value, path)
    if (isItem) {
      if (!Array.isArray(now)) continue
      const items: readonly Json[] = now
      const at = items.findLastIndex((item) => isDeepStrictEqual(item, put))
      if (at < 0) continue
      const rest = items.filter((_item, index) => index !== at)
      value = rest.length > 0 ? setAt(value, path, rest) : dropAt(value, path)
    } else if (isDeepStrictEqual(now, put)) {
      value = had === undefined ? dropAt(value, path) : setAt(value, path, had)
    }
  }
  return value
}

function isReachable(value: Json, path: readonly string[]): boolean {
  let at: Json | undefined = value
  for (const key of path.slice(0, -1)) {
    if (!isObject(at)) return false
    at = Object.hasOwn(at, key) ? at[key] : {}
  }
  return isObject(at)
}

function valueAt(value: JsonObject, path: readonly string[]): Json | undefined {
  let at: Json | undefined = value
  for (const key of path) at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined
  return at
}

function setAt(value: JsonObject, [key, ...rest]: readonly string[], put: Json): JsonObject {
  if (key === undefined) return value
  const inner = Object.hasOwn(value, key) ? value[key] : undefined
  return { ...value, [key]: rest.length === 0 ? put : setAt(isObject(inner) ? inner : {}, rest, put) }
}

/** Removes a value, and the objects around it that are empty then. */
function dropAt(value: JsonObject, [key, ...rest]: readonly string[]): JsonObject {
  if (key === undefined || !Object.hasOwn(value, key)) return value
  const others = Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))
  const inner = value[key]
  if (rest.length === 0 || !isObject(inner)) return others
  const left = dropAt(inner, rest)
  return Object.keys(left).length > 0 ? { ...value, [key]: left } : others
}
