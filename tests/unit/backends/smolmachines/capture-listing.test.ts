import { describe, expect, it } from 'vitest'
import { isSameFile, parseListed } from '../../../../src-main/backends/smolmachines/capture-listing.ts'
import { parseMarker, parseSurvey } from '../../../../src-main/backends/smolmachines/guest-scripts.ts'

const SINCE = 1000
const file = (modified: number, bytes: number, isLink = false) => ({ modified, bytes, isLink })

describe('a file of a snapshot', () => {
  it.each([
    ['is the same', file(5, 1), file(5, 1), true],
    ['is missing', file(5, 1), undefined, false],
    ['is older', file(50, 1), file(5, 1), false],
    ['has another length', file(5, 2), file(5, 1), false],
    ['was written by a boot since', file(5, 2), file(1001, 1), true],
    ['was written and removed by a boot', file(999, 2), undefined, true],
    ['is a link, whatever its time', file(5, 2, true), file(7, 2, true), true],
  ])('%s', (_name, before, after, expected) => {
    expect(isSameFile(before, after, SINCE)).toBe(expected)
  })

  it('is read from a line of the listing', () => {
    expect(parseListed('81a4 17 3 ./a b')).toEqual({ isLink: false, modified: 17, bytes: 3, name: './a b' })
    expect(parseListed('a1ff 17 3 ./l')?.isLink).toBe(true)
    expect(parseListed('the rest of a name')).toBeNull()
  })
})

it('a survey and a marker are read from their lines', () => {
  expect(parseSurvey('marked\ntmpfs /tmp\nworkspace\n')).toEqual({
    filledTmpfs: ['/tmp'],
    hasWorkspace: true,
    user: null,
  })
  expect(parseSurvey('user 0:0\n').user).toBeNull()
  expect(parseSurvey('user 1000:100\n').user).toBe('1000:100')
  expect(parseSurvey('')).toEqual({ filledTmpfs: [], hasWorkspace: false, user: null })
  expect(parseMarker('marker 20260101T000000Z-ab12\n')).toBe('20260101T000000Z-ab12')
  expect(parseMarker('nothing')).toBeNull()
})
