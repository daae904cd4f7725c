import { EventEmitter } from 'node:events'
import type { Display, Rectangle } from 'electron'
import { standIn } from './runtime.ts'
import { strict } from './strict.ts'

export const WORK_AREA: Rectangle = { x: 0, y: 0, width: 1920, height: 1040 }

class ScreenStandIn extends EventEmitter {
  displays: Display[] = [
    {
      id: 1,
      label: 'stand-in',
      bounds: { x: 0, y: 0, width: 1920, height: 1080 },
      workArea: { ...WORK_AREA },
      size: { width: 1920, height: 1080 },
      workAreaSize: { width: WORK_AREA.width, height: WORK_AREA.height },
      scaleFactor: 1,
      rotation: 0,
      internal: true,
    } as Display,
  ]

  getPrimaryDisplay(): Display {
    this.check()
    return this.displays[0] as Display
  }

  getAllDisplays(): Display[] {
    this.check()
    return [...this.displays]
  }

  getCursorScreenPoint(): { x: number; y: number } {
    return { x: 0, y: 0 }
  }

  getDisplayNearestPoint(): Display {
    return this.getPrimaryDisplay()
  }

  getDisplayMatching({ x, y }: Rectangle): Display {
    this.check()
    const holds = ({ bounds }: Display): boolean =>
      x >= bounds.x && y >= bounds.y && x < bounds.x + bounds.width && y < bounds.y + bounds.height
    return this.displays.find(holds) ?? this.getPrimaryDisplay()
  }

  private check(): void {
    if (!standIn.isReady) throw new Error("The 'screen' module can't be used before the app 'ready' event")
  }
}

export const screen = strict('screen', new ScreenStandIn())
