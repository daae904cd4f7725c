import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fitPlace, MIN_HEIGHT, parsePlace, type WindowPlace } from '../../../src-main/shell/window-bounds.ts'

const MAIN = { x: 0, y: 25, width: 1440, height: 875 }
const RIGHT = { x: 1440, y: 0, width: 1920, height: 1080 }
const at = (x: number, y: number, width = 1000, height = 700): WindowPlace => ({
  bounds: { x, y, width, height },
  isMaximized: false,
  isFullScreen: false,
})

test('a first window has a size that fits and a place that the system chooses', () => {
  expect(fitPlace(null, [MAIN])).toEqual({ width: 1280, height: 820 })
  expect(fitPlace(null, [{ x: 0, y: 0, width: 1024, height: 600 }])).toEqual({ width: 1024, height: 600 })
  expect(fitPlace(at(5, 5), [])).toEqual({ width: 1280, height: 820 })
})

test('a window comes back as it lay, on whichever display', () => {
  expect(fitPlace(at(100, 100), [MAIN, RIGHT])).toEqual(at(100, 100).bounds)
  expect(fitPlace(at(2000, 200), [MAIN, RIGHT])).toEqual(at(2000, 200).bounds)
})

test('a window of a display that is gone comes to the middle of the first', () => {
  expect(fitPlace(at(2000, 200), [MAIN])).toEqual({ x: 220, y: 113, width: 1000, height: 700 })
  expect(fitPlace(at(100, -5000), [MAIN, RIGHT])).toMatchObject({ x: 220, y: 113 })
  // Only its foot could be seen, which nobody can grab.
  expect(fitPlace(at(100, 890), [MAIN])).toMatchObject({ x: 220, y: 113 })
})

test('a window that hangs over an edge or is too large is fitted', () => {
  expect(fitPlace(at(900, 400), [MAIN])).toEqual({ x: 440, y: 200, width: 1000, height: 700 })
  expect(fitPlace(at(-50, 0, 4000, 3000), [MAIN])).toEqual({ x: 0, y: 25, width: 1440, height: 875 })
  expect(fitPlace(at(10, 30, 100, 10), [MAIN])).toMatchObject({ height: MIN_HEIGHT })
})

test('the display that shows most of a window has it', () => {
  expect(fitPlace(at(1340, 100), [MAIN, RIGHT])).toMatchObject({ x: 1440 })
  expect(fitPlace(at(600, 100), [MAIN, RIGHT])).toMatchObject({ x: 440 })
})

test('a fitted window lies on a display as a whole', () => {
  const px = fc.integer({ min: -5000, max: 5000 })
  fc.assert(
    fc.property(
      px,
      px,
      fc.integer({ min: 1, max: 9000 }),
      fc.integer({ min: 1, max: 9000 }),
      (x, y, w, h) => {
        const {
          x: left = Number.NaN,
          y: top = Number.NaN,
          width = 0,
          height = 0,
        } = fitPlace(at(x, y, w, h), [MAIN, RIGHT])
        const fits = [MAIN, RIGHT].some(
          (area) =>
            left >= area.x &&
            top >= area.y &&
            left + width <= area.x + area.width &&
            top + height <= area.y + area.height,
        )
        expect(fits).toBe(true)
      },
    ),
  )
})

test('a record is read whole or not at all', () => {
  expect(parsePlace({ ...at(1, 2), isMaximized: true, more: 1 })).toEqual({ ...at(1, 2), isMaximized: true })
  for (const bad of [null, 7, {}, { bounds: null }, { bounds: { x: 1, y: 2, width: 3 } }, at(0, 0, 0, 5)])
    expect(parsePlace(bad)).toBeNull()
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 1.5, '1', 1e9])
    expect(parsePlace({ bounds: { x: bad, y: 0, width: 10, height: 10 } })).toBeNull()
})
