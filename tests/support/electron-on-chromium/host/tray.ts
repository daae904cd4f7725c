import { EventEmitter } from 'node:events'
import { Menu } from './menu.ts'
import { toImage } from './native-image.ts'
import { mustBeReady } from './runtime.ts'
import { strict } from './strict.ts'

const trays = new Set<TrayStandIn>()

class TrayStandIn extends EventEmitter {
  image: unknown
  pressedImage: unknown
  menu: Menu | null = null
  tooltip = ''
  title = ''
  private isGone = false

  constructor(image: unknown, guid?: string) {
    super()
    mustBeReady('Tray')
    if (guid !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(guid)) {
      throw new Error('Invalid GUID format')
    }
    this.image = this.check(image)
    trays.add(this)
    // biome-ignore lint/correctness/noConstructorReturn: unknown members must throw
    return strict('Tray', this)
  }

  setImage(image: unknown): void {
    this.mustLive()
    this.image = this.check(image)
  }

  setPressedImage(image: unknown): void {
    this.mustLive()
    this.pressedImage = this.check(image)
  }

  setToolTip(text: string): void {
    this.mustLive()
    if (typeof text !== 'string') throw new TypeError('a tool tip is text')
    this.tooltip = text
  }

  setTitle(text: string): void {
    this.mustLive()
    if (typeof text !== 'string') throw new TypeError('a title is text')
    this.title = text
  }

  getTitle(): string {
    return this.title
  }

  setContextMenu(menu: Menu | null): void {
    this.mustLive()
    if (menu !== null && !(menu instanceof Menu)) throw new TypeError('Invalid menu')
    this.menu = menu
  }

  popUpContextMenu(menu?: Menu): void {
    this.mustLive()
    if (!(menu ?? this.menu)) throw new Error('there is no menu to pop up')
  }

  closeContextMenu(): void {}
  setIgnoreDoubleClickEvents(): void {}

  getBounds(): { x: number; y: number; width: number; height: number } {
    return { x: 1800, y: 0, width: 22, height: 22 }
  }

  isDestroyed(): boolean {
    return this.isGone
  }

  destroy(): void {
    this.isGone = true
    trays.delete(this)
  }

  private check(image: unknown): unknown {
    const made = toImage(image)
    if (made.isEmpty()) throw new Error(`Failed to load image for the tray: it is empty`)
    return made
  }

  private mustLive(): void {
    if (this.isGone) throw new TypeError('Object has been destroyed')
  }
}

export const Tray = TrayStandIn
