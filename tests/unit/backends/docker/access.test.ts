import { expect, it } from 'vitest'
import { overlap, sinceOf } from '../../../../src-main/backends/docker/access-follow.ts'
import { homeIn } from '../../../../src-main/backends/docker/access-place.ts'
import { parseListing } from '../../../../src-main/backends/docker/access-read.ts'
import { kindOfMode } from '../../../../src-main/backends/docker/look-in-container.ts'

it('finds what a log and a connection both have', () => {
  const of = (earlier: string, since: string) => overlap(Buffer.from(earlier), Buffer.from(since))
  expect(of('abc\n', 'c\nnext')).toBe(2)
  expect(of('abc\n', 'other')).toBe(0)
  expect(of('', 'x')).toBe(0)
  expect(of('x', '')).toBe(0)
  expect(of('aa', 'aaa')).toBe(2)
})

it('reads the listing of a program, and leaves out what is none', () => {
  expect(parseListing('1700000000 12 ./a b/c\n\nfind: no\n1700000001 0 ./x\nabc 1 ./y\n')).toEqual([
    { path: 'a b/c', bytes: 12, modifiedAt: 1_700_000_000_000 },
    { path: 'x', bytes: 0, modifiedAt: 1_700_000_001_000 },
  ])
})

it('reads the kinds of the engine', () => {
  expect(kindOfMode(0o644)).toBe('file')
  expect(kindOfMode(2 ** 31 + 0o755)).toBe('folder')
  expect(kindOfMode(2 ** 27 + 0o777)).toBe('link')
  for (const bit of [26, 25, 24, 19]) expect(kindOfMode(2 ** bit + 0o600)).toBe('other')
  // Set-user-id and sticky say nothing about the kind.
  expect(kindOfMode(2 ** 23 + 2 ** 20 + 0o755)).toBe('file')
})

it('finds HOME in a configuration', () => {
  expect(homeIn(['PATH=/bin', 'HOME=/srv', 'HOMEX=/y'])).toBe('/srv')
  expect(homeIn(['HOME='])).toBeNull()
  expect(homeIn([])).toBeNull()
})

it('asks for what came after a time, to the nanosecond', () => {
  expect(sinceOf('2026-01-02T03:04:05.123456789Z')).toBe('1767323045.123456789')
  expect(sinceOf('2026-01-02T03:04:05Z')).toBe('1767323045.0')
  expect(sinceOf('0001-01-01T00:00:00Z')).toBe('0')
  expect(sinceOf('')).toBe('0')
})
