import type { DragRecord } from './types.ts'

export interface EvictionBounds {
  readonly now: number
  readonly maxBytes: number
  readonly maxAgeMs: number
  /** A slow program reads what was dropped on it late. */
  readonly dragGraceMs: number
  /** A page that has just been told of a file may drag it next. */
  readonly useGraceMs: number
}

/**
 * The files that go: those that nobody used for too long, then the least recently used ones until the rest fits. Never
 * one that was dragged or offered a short while ago, even when the cache is too large then. Pure.
 */
export function chooseEvictions(
  records: readonly DragRecord[],
  bounds: EvictionBounds,
): readonly DragRecord[] {
  const isOld = (record: DragRecord): boolean => bounds.now - record.usedAt > bounds.maxAgeMs
  const isProtected = ({ usedAt, draggedAt }: DragRecord): boolean =>
    (draggedAt !== null && bounds.now - draggedAt < bounds.dragGraceMs) ||
    bounds.now - usedAt < bounds.useGraceMs
  let bytes = records.reduce((sum, record) => sum + record.bytes, 0)
  const gone: DragRecord[] = []
  for (const record of records.toSorted((a, b) => a.usedAt - b.usedAt)) {
    if (isProtected(record) || !(isOld(record) || bytes > bounds.maxBytes)) continue
    gone.push(record)
    bytes -= record.bytes
  }
  return gone
}
