import type { DragRecord } from './types.ts'

/** Where one artifact is on its way to a file that can be dragged. */
export type EntryState =
  | { readonly state: 'cold' }
  | { readonly state: 'preparing'; readonly taskId: string }
  | { readonly state: 'ready'; readonly record: DragRecord }
  | { readonly state: 'failed' }

/** Everything that can happen to it. */
export type EntryEvent =
  | { readonly type: 'begun'; readonly taskId: string }
  | { readonly type: 'made'; readonly taskId: string; readonly record: DragRecord }
  | { readonly type: 'failed'; readonly taskId: string }
  /** Lies on the disk: made before a restart, or by another process. */
  | { readonly type: 'found'; readonly record: DragRecord }
  | { readonly type: 'used'; readonly at: number }
  | { readonly type: 'dragged'; readonly at: number }
  /** Evicted, damaged, or no longer what its snapshot is. */
  | { readonly type: 'gone' }

export const COLD: EntryState = { state: 'cold' }

/** The state after an event; an event that makes no sense here returns the very same state. Pure. */
export function reduceEntry(entry: EntryState, event: EntryEvent): EntryState {
  switch (event.type) {
    case 'begun':
      return entry.state === 'preparing' ? entry : { state: 'preparing', taskId: event.taskId }
    case 'made':
      return isOf(entry, event.taskId) ? { state: 'ready', record: event.record } : entry
    case 'failed':
      return isOf(entry, event.taskId) ? { state: 'failed' } : entry
    case 'found':
      if (entry.state === 'preparing') return entry
      return {
        state: 'ready',
        record: entry.state === 'ready' ? newest(entry.record, event.record) : event.record,
      }
    case 'used':
      return entry.state === 'ready'
        ? { state: 'ready', record: { ...entry.record, usedAt: Math.max(entry.record.usedAt, event.at) } }
        : entry
    case 'dragged':
      return entry.state === 'ready'
        ? { state: 'ready', record: { ...entry.record, usedAt: event.at, draggedAt: event.at } }
        : entry
    case 'gone':
      return entry.state === 'ready' || entry.state === 'failed' ? COLD : entry
  }
}

function isOf(entry: EntryState, taskId: string): boolean {
  return entry.state === 'preparing' && entry.taskId === taskId
}

/** The file as it lies there now, with the last times that anybody knows of. */
function newest(known: DragRecord, found: DragRecord): DragRecord {
  const draggedAt = Math.max(known.draggedAt ?? 0, found.draggedAt ?? 0)
  return { ...found, usedAt: Math.max(known.usedAt, found.usedAt), draggedAt: draggedAt || null }
}
