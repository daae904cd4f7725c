import { join } from 'node:path'
import { type NativeImage, nativeImage } from 'electron'

/** What lies under the pointer during a drag. None of them is ever empty: with an empty one no drag begins. */
export interface DragIcons {
  readonly files: NativeImage
  readonly 'files+volumes': NativeImage
  readonly 'files+memory': NativeImage
  readonly several: NativeImage
}

const SIDE = 32

/** Reads the pictures once. One that can't be read is a plain square in the colour of ice. */
export function loadDragIcons(folder: string, warn: (error: unknown) => void): DragIcons {
  const load = (name: string): NativeImage => {
    const icon = nativeImage.createFromPath(join(folder, `${name}.png`))
    if (!icon.isEmpty()) return icon
    warn(new Error(`The picture ${name}.png for drags can't be read.`))
    return nativeImage.createFromBitmap(square(SIDE), { width: SIDE, height: SIDE })
  }
  return {
    files: load('files'),
    'files+volumes': load('files-volumes'),
    'files+memory': load('files-memory'),
    several: load('several'),
  }
}

/** Blue, green, red, opacity for each pixel. Pure. */
function square(side: number): Buffer {
  return Buffer.alloc(side * side * 4, Buffer.from([0xc4, 0x83, 0x23, 0xff]))
}
