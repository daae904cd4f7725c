import { describe, expect, test } from 'vitest'
import { findSnapshot, parseTarget } from '../../../src-main/cli/target.ts'
import type { Snapshot } from '../../../src-preload/contract/entities.ts'

const snapshot = (id: string, status: Snapshot['status'] = 'ready'): Snapshot => ({
  version: 1,
  id,
  slug: 'web-1',
  parent: null,
  backend: 'host',
  reference: '/x',
  digest: '',
  createdAt: '2026-01-01T00:00:00.000Z',
  fidelity: 'files',
  leftOut: [],
  bytes: 0,
  ownBytes: null,
  reason: 'user',
  note: '',
  label: '',
  pinned: false,
  status,
  runId: null,
  agent: 'a',
  provider: 'custom',
  volumes: [],
  verified: null,
  facts: {},
})

describe('what is typed', () => {
  test('a slug, a snapshot', () => {
    expect(parseTarget('web-1')).toEqual({ slug: 'web-1', snapshot: null })
    expect(parseTarget('web-1@latest')).toEqual({ slug: 'web-1', snapshot: 'latest' })
  })
  test.each(['../x', '', '@latest', 'Web', 'a--b', '-a', 'a\n', '/abs', '../x@latest'])(
    '%j is no slug',
    (text) => {
      expect(() => parseTarget(text)).toThrow(expect.objectContaining({ code: 'invalid-slug' }))
    },
  )
  test('nothing behind the @', () => {
    expect(() => parseTarget('web-1@')).toThrow(expect.objectContaining({ code: 'snapshot-missing' }))
  })
})

describe('which snapshot', () => {
  const all = [
    snapshot('20260102T000000Z-bbbb'),
    snapshot('20260101T000000Z-aaaa'),
    snapshot('20260103T000000Z-cccc', 'in-doubt'),
  ]
  const find = (text: string | null) => findSnapshot({ slug: 'web-1', snapshot: text }, all).id

  test('the newest that is ready, by default and by name', () => {
    expect(find(null)).toBe('20260102T000000Z-bbbb')
    expect(find('latest')).toBe('20260102T000000Z-bbbb')
  })
  test('by id and by the beginning of one', () => {
    expect(find('20260101T000000Z-aaaa')).toBe('20260101T000000Z-aaaa')
    expect(find('20260101')).toBe('20260101T000000Z-aaaa')
  })
  test.each(['2026', '../x', 'nix'])('%j names none', (text) => {
    expect(() => find(text)).toThrow(expect.objectContaining({ code: 'snapshot-missing', slug: 'web-1' }))
  })
  test('a bottle without any', () => {
    expect(() => findSnapshot({ slug: 'web-1', snapshot: null }, [])).toThrow('icebox freeze web-1')
  })
})
