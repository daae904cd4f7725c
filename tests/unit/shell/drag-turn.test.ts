import { beforeEach, describe, expect, test } from 'vitest'
import type { TakenFile } from '../../../src-main/artifacts/drag-cache/drag-cache.ts'
import type { DragIcons } from '../../../src-main/shell/drag-icons.ts'
import { type DragOutParts, dragOut, iconName } from '../../../src-main/shell/drag-turn.ts'

const icons = { files: 'f', 'files+volumes': 'v', 'files+memory': 'm', several: 's' } as unknown as DragIcons
let drags: unknown[]
let told: unknown[]
let noted: (readonly string[])[]
let isGone: boolean
let isDestroyed: boolean
let now: number

const file = (token: string): TakenFile => ({
  token,
  file: `/cache/${token}.bottle`,
  fileName: `${token}.bottle`,
  bytes: 1,
  fidelity: token === 'v' ? 'files+volumes' : 'files',
  seenAt: 1000,
  isThere: async () => !isGone,
})
const drag = (tokens: unknown): void => {
  const parts: DragOutParts = {
    cache: {
      take: (token) => (token.length === 1 ? file(token) : null),
      dragged: async (all) => void noted.push(all),
    },
    icons,
    contents: {
      startDrag: (item: unknown) => void drags.push(item),
      send: (_channel: string, command: unknown) => void told.push(command),
      isDestroyed: () => isDestroyed,
    } as DragOutParts['contents'],
    warn: (error) => {
      throw error
    },
    now: () => now,
  }
  dragOut(parts, tokens)
}

beforeEach(() => {
  drags = []
  told = []
  noted = []
  isGone = false
  isDestroyed = false
  now = 2000
})

test('files that were just seen are dragged in the same turn, and that is noted', () => {
  drag(['a', 'v'])
  expect(drags).toEqual([
    { file: '/cache/a.bottle', files: ['/cache/a.bottle', '/cache/v.bottle'], icon: 's' },
  ])
  expect(noted).toEqual([['a', 'v']])
  expect(told).toEqual([])
})

test('one token given twice is one file', () => {
  drag(['v', 'v'])
  expect(drags).toEqual([{ file: '/cache/v.bottle', files: ['/cache/v.bottle'], icon: 'v' }])
})

test('files that were not seen for a while are looked for first', async () => {
  now = 1000 + 60_000
  drag(['a'])
  expect(drags).toEqual([])
  await expect.poll(() => drags).toHaveLength(1)
  isGone = true
  drag(['b'])
  await expect.poll(() => told).toEqual([{ id: 'drag-refused', tokens: ['b'] }])
  expect(drags).toHaveLength(1)
})

test('a page that is gone by then is told and given nothing', async () => {
  now = 1000 + 60_000
  isDestroyed = true
  drag(['a'])
  await new Promise((resolve) => setImmediate(resolve))
  drag(['unknown'])
  expect([drags, told]).toEqual([[], []])
})

describe('nothing is dragged', () => {
  test('with one token that stands for no file, and the page is told which', () => {
    drag(['a', 'forged', 'unknown'])
    expect(drags).toEqual([])
    expect(told).toEqual([{ id: 'drag-refused', tokens: ['forged', 'unknown'] }])
  })
  test.each([[undefined], [null], ['a'], [{ 0: 'a', length: 1 }], [[]], [['a', 1]], [Array(201).fill('a')]])(
    'for %j',
    (tokens) => {
      drag(tokens)
      expect([drags, told]).toEqual([[], []])
    },
  )
})

test.each([
  [['files'], 'files'],
  [['files+memory'], 'files+memory'],
  [['files', 'files'], 'several'],
  [[], 'files'],
] as const)('%j shows %s', (fidelities, name) => expect(iconName(fidelities)).toBe(name))
