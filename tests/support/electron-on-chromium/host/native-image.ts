import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import type { NativeImage } from 'electron'
import { strict } from './strict.ts'

interface Pixels {
  readonly width: number
  readonly height: number
  readonly scaleFactor: number
  readonly data: Buffer
}

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** An image as its file; of the pixels only the size is known. */
export class NativeImageStandIn {
  readonly representations: Pixels[]
  isMacTemplateImage = false

  constructor(representations: readonly Pixels[] = []) {
    this.representations = [...representations]
  }

  isEmpty(): boolean {
    return this.representations.length === 0
  }

  isTemplateImage(): boolean {
    return this.isMacTemplateImage
  }

  setTemplateImage(isTemplate: boolean): void {
    this.isMacTemplateImage = isTemplate
  }

  getSize(): { width: number; height: number } {
    const [first] = this.representations
    if (!first) return { width: 0, height: 0 }
    return { width: first.width / first.scaleFactor, height: first.height / first.scaleFactor }
  }

  getScaleFactors(): number[] {
    return this.representations.map((each) => each.scaleFactor)
  }

  getAspectRatio(): number {
    const { width, height } = this.getSize()
    return height === 0 ? 1 : width / height
  }

  toPNG(): Buffer {
    return this.representations[0]?.data ?? Buffer.alloc(0)
  }

  toDataURL(): string {
    return `data:image/png;base64,${this.toPNG().toString('base64')}`
  }

  addRepresentation(options: { scaleFactor?: number; buffer?: Buffer; dataURL?: string }): void {
    const data = options.buffer ?? fromDataUrl(options.dataURL ?? '')
    const made = decode(data, options.scaleFactor ?? 1)
    if (made) this.representations.push(made)
  }

  resize({ width, height }: { width?: number; height?: number }): NativeImageStandIn {
    const size = this.getSize()
    const ratio = this.getAspectRatio()
    const wide = width ?? (height === undefined ? size.width : height * ratio)
    const high = height ?? wide / ratio
    return new NativeImageStandIn(
      this.representations
        .slice(0, 1)
        .map(({ data }) => ({ width: wide, height: high, scaleFactor: 1, data })),
    )
  }
}

function fromDataUrl(url: string): Buffer {
  const comma = url.indexOf(',')
  return /^data:image\/(png|jpeg);base64,/.test(url)
    ? Buffer.from(url.slice(comma + 1), 'base64')
    : Buffer.alloc(0)
}

/** Only what Electron decodes everywhere: PNG and JPEG. Null for anything else. */
function decode(data: Buffer, scaleFactor: number): Pixels | null {
  if (data.subarray(0, 8).equals(PNG) && data.length > 24) {
    const width = data.readUInt32BE(16)
    const height = data.readUInt32BE(20)
    return width > 0 && height > 0 ? { width, height, scaleFactor, data } : null
  }
  const isJpeg = data[0] === 0xff && data[1] === 0xd8
  return isJpeg ? { width: 1, height: 1, scaleFactor, data } : null
}

function fromBuffer(data: Buffer, scaleFactor = 1): NativeImageStandIn {
  const made = decode(data, scaleFactor)
  return new NativeImageStandIn(made ? [made] : [])
}

/** As Electron: `name@2x.png` belongs to `name.png`, and a name that ends in Template is one. */
function fromPath(path: string): NativeImageStandIn {
  const image = new NativeImageStandIn()
  const extension = extname(path)
  const stem = basename(path, extension)
  for (const [suffix, scaleFactor] of [
    ['', 1],
    ['@1.5x', 1.5],
    ['@2x', 2],
    ['@3x', 3],
  ] as const) {
    const file = join(dirname(path), `${stem}${suffix}${extension}`)
    const made = existsSync(file) ? decode(readFileSync(file), scaleFactor) : null
    if (made) image.representations.push(made)
  }
  image.isMacTemplateImage = process.platform === 'darwin' && stem.endsWith('Template')
  return image
}

export const nativeImage = strict('nativeImage', {
  createEmpty: () => new NativeImageStandIn(),
  createFromPath: (path: string) => fromPath(path),
  createFromBuffer: (data: Buffer, options?: { scaleFactor?: number }) =>
    fromBuffer(data, options?.scaleFactor),
  createFromDataURL: (url: string) => fromBuffer(fromDataUrl(url)),
  createThumbnailFromPath: (path: string): Promise<NativeImageStandIn> => {
    const image = fromPath(path)
    return image.isEmpty()
      ? Promise.reject(new Error('Unable to retrieve thumbnail preview image for the given path'))
      : Promise.resolve(image)
  },
})

/** @throws TypeError for what Electron takes for no image */
export function toImage(image: unknown): NativeImageStandIn {
  if (image instanceof NativeImageStandIn) return image
  if (typeof image === 'string') return fromPath(image)
  throw new TypeError('Error processing argument: expected an image or a path')
}

export type AnyImage = NativeImage | string
