import type { Task } from '../../src-preload/contract/entities.ts'

/** A snapshot that can be dragged out of the window. */
export interface DragTarget {
  readonly slug: string
  readonly snapshot: string
}

/** How far one is on its way to a file. */
export type DragItem =
  | { readonly state: 'cold' }
  | { readonly state: 'preparing'; readonly taskId: string | null }
  | {
      readonly state: 'ready'
      readonly token: string
      readonly fileName: string
      readonly bytes: number
      /** Where a browser fetches it from; null on the desktop, and until it is known. */
      readonly link: string | null
    }
  /** It holds secrets: a person has to choose what becomes of them before it leaves. */
  | { readonly state: 'choice' }
  | { readonly state: 'failed'; readonly failure: NonNullable<Task['error']> }

export type DragItems = ReadonlyMap<string, DragItem>

export const COLD: DragItem = { state: 'cold' }

/** The name of a target in the map. Pure. */
export function keyOf({ slug, snapshot }: DragTarget): string {
  return `${slug}@${snapshot}`
}

/** The items after the end of a task that prepared one; the same map when it prepared none of them. Pure. */
export function afterTask(items: DragItems, task: Task): DragItems {
  const found = [...items].find(([, item]) => item.state === 'preparing' && item.taskId === task.id)
  if (!found) return items
  const next = new Map(items)
  if (task.error?.code === 'secrets-found') next.set(found[0], { state: 'choice' })
  else if (task.state === 'failed' && task.error) next.set(found[0], { state: 'failed', failure: task.error })
  // Done: what was made is asked for next. Cancelled: nothing was made.
  else next.set(found[0], task.state === 'done' ? { state: 'preparing', taskId: null } : COLD)
  return next
}

/** What `DownloadURL` takes: type, name and address. A name with a colon would end the name. Pure. */
export function downloadUrl(fileName: string, link: string, origin: string): string {
  return `application/octet-stream:${fileName.replaceAll(':', '_')}:${origin}${link}`
}
