import type { Rectangle } from 'electron'

/** How a window lay when it was last seen. */
export interface WindowPlace {
  /** Of the window when it is neither maximized nor in full screen. */
  readonly bounds: Rectangle
  readonly isMaximized: boolean
  readonly isFullScreen: boolean
}

export const MIN_WIDTH = 640
export const MIN_HEIGHT = 420
const SIZE = { width: 1280, height: 820 }
/** Less of a window than this can't be found or grabbed. */
const GRABBABLE = 64
const MOST_PIXELS = 100_000

/** Reads a record of an earlier run; null for anything that no window could have been. Pure. */
export function parsePlace(value: unknown): WindowPlace | null {
  const { bounds, isMaximized, isFullScreen } = asRecord(value)
  const { x, y, width, height } = asRecord(bounds)
  if (!isPixels(x) || !isPixels(y) || !isPixels(width) || !isPixels(height)) return null
  if (width < 1 || height < 1) return null
  return {
    bounds: { x, y, width, height },
    isMaximized: isMaximized === true,
    isFullScreen: isFullScreen === true,
  }
}

/**
 * Where the window opens: as it lay, made to fit the display that shows most of it; in the middle of the first display
 * when none does any more. Without displays or record, the system chooses the place. Pure.
 * @param workAreas of all displays, the primary one first
 */
export function fitPlace(place: WindowPlace | null, workAreas: readonly Rectangle[]): Partial<Rectangle> {
  const first = workAreas[0]
  if (!first) return SIZE
  if (!place) return { width: Math.min(SIZE.width, first.width), height: Math.min(SIZE.height, first.height) }
  const { bounds } = place
  const best = workAreas.reduce((most, area) => (shared(area, bounds) > shared(most, bounds) ? area : most))
  const width = clamp(bounds.width, Math.min(MIN_WIDTH, best.width), best.width)
  const height = clamp(bounds.height, Math.min(MIN_HEIGHT, best.height), best.height)
  if (!isGrabbable(best, bounds)) {
    return {
      x: first.x + Math.round((first.width - Math.min(width, first.width)) / 2),
      y: first.y + Math.round((first.height - Math.min(height, first.height)) / 2),
      width: Math.min(width, first.width),
      height: Math.min(height, first.height),
    }
  }
  return {
    x: clamp(bounds.x, best.x, best.x + best.width - width),
    y: clamp(bounds.y, best.y, best.y + best.height - height),
    width,
    height,
  }
}

function shared(area: Rectangle, bounds: Rectangle): number {
  const width = overlap(area.x, area.width, bounds.x, bounds.width)
  return width * overlap(area.y, area.height, bounds.y, bounds.height)
}

/** The top of a window is where it is grabbed. */
function isGrabbable(area: Rectangle, bounds: Rectangle): boolean {
  const isTopSeen = bounds.y >= area.y - GRABBABLE && bounds.y <= area.y + area.height - GRABBABLE
  return isTopSeen && overlap(area.x, area.width, bounds.x, bounds.width) >= GRABBABLE
}

function overlap(a: number, aSize: number, b: number, bSize: number): number {
  return Math.max(0, Math.min(a + aSize, b + bSize) - Math.max(a, b))
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most))
}

function isPixels(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(Number(value)) <= MOST_PIXELS
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}
