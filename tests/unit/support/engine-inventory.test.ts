import { expect, test } from 'vitest'
import { compareInventories, isOurs } from '../../support/engine-inventory.ts'

test('tells what appeared and what vanished', () => {
  const before = new Map([
    ['container 1', 'container old'],
    ['image 2', 'image kept'],
  ])
  const after = new Map([
    ['image 2', 'image kept'],
    ['volume 3', 'volume bot-bottle-x'],
  ])
  expect(compareInventories(before, after)).toEqual({
    appeared: ['volume bot-bottle-x'],
    vanished: ['container old'],
  })
})

test('the same id under a new tag is a new thing', () => {
  const before = new Map([['image 2 a:1', 'image a:1']])
  const after = new Map([
    ['image 2 a:1', 'image a:1'],
    ['image 2 a:2', 'image a:2'],
  ])
  expect(compareInventories(before, after).appeared).toEqual(['image a:2'])
})

test('only names that Icebox gives count as ours', () => {
  expect(isOurs('container bot-bottle-web-1 (busybox, Up)')).toBe(true)
  expect(isOurs('volume icebox-run-x')).toBe(true)
  expect(isOurs('container postgres (postgres:17, Up)')).toBe(false)
})
