import { toImage } from './native-image.ts'

/** The dock of macOS, as values. */
export class DockStandIn {
  menu: unknown = null
  badge = ''
  isShown = true
  bounces: string[] = []

  setMenu(menu: unknown): void {
    this.menu = menu
  }

  getMenu(): unknown {
    return this.menu
  }

  setBadge(text: string): void {
    if (typeof text !== 'string') throw new TypeError('a badge is text')
    this.badge = text
  }

  getBadge(): string {
    return this.badge
  }

  setIcon(image: unknown): void {
    if (toImage(image).isEmpty()) throw new Error('the stand-in takes no empty icon for the dock')
  }

  bounce(type = 'informational'): number {
    return this.bounces.push(type)
  }

  cancelBounce(): void {}
  downloadFinished(): void {}

  hide(): void {
    this.isShown = false
  }

  show(): Promise<void> {
    this.isShown = true
    return Promise.resolve()
  }

  isVisible(): boolean {
    return this.isShown
  }
}
