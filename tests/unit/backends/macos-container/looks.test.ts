import { expect, it } from 'vitest'
import { decodeContainers } from '../../../../src-main/backends/macos-container/decode.ts'
import { createLooks } from '../../../../src-main/backends/macos-container/looks.ts'

const [entry = null] = decodeContainers([{ id: 'a', status: 'running' }])
const [other = null] = decodeContainers([{ id: 'a', status: 'stopped' }])

it('remembers for a moment, absence too, and takes the newer of two', () => {
  let now = 1000
  const looks = createLooks(() => now)
  expect(looks.recent('a')).toBeUndefined()
  looks.seen('a', entry, now)
  looks.seen('gone', null, now)
  expect(looks.recent('a')).toBe(entry)
  expect(looks.recent('gone')).toBeNull()
  now += 500
  if (other) looks.seenAll([other], now)
  expect(looks.recent('a')).toBe(other)
  expect(looks.recent('nobody')).toBeNull()
  now += 999
  expect(looks.recent('a')).toBe(other)
  now += 1
  expect(looks.recent('a')).toBeUndefined()
  expect(looks.recent('a', 5000)).toBe(other)
  looks.forget()
  expect(looks.recent('a', 5000)).toBeUndefined()
})

it('counts a look from the question, not from the answer', () => {
  const looks = createLooks(() => 2000)
  looks.seen('a', entry, 900)
  expect(looks.recent('a')).toBeUndefined()
})
