import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { Item } from 'electron'
import { NativeImageStandIn, nativeImage } from './native-image.ts'

/** A drag that begins later than this after the page's own comes too late for the system. */
const MAX_AGE_MS = 1000

/** @throws Error for a drag that the system would refuse, silently or not */
export function checkDrag(item: Item, lastDragStart: number): void {
  const files = item.files ?? (item.file ? [item.file] : [])
  if (files.length === 0) throw new Error("Must specify either 'file' or 'files' option")
  for (const file of files) {
    if (!isAbsolute(file)) throw new Error(`startDrag needs absolute paths, not ${file}`)
    if (!existsSync(file)) throw new Error(`startDrag needs files that exist, not ${file}`)
  }
  if (item.icon === undefined) throw new Error("Must specify 'icon' option")
  const icon =
    item.icon instanceof NativeImageStandIn ? item.icon : nativeImage.createFromPath(String(item.icon))
  if (icon.isEmpty()) throw new Error('startDrag needs an icon that is not empty')
  if (performance.now() - lastDragStart > MAX_AGE_MS) {
    throw new Error('startDrag needs a dragstart of the page in the last second')
  }
}
