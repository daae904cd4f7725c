import { describe, expect, it } from 'vitest'
import { summarise, type TreeEntry } from '../../../../src-main/backends/host/tree-manifest.ts'

const entry = (path: string, more: Partial<TreeEntry> = {}): TreeEntry => ({
  kind: 'f',
  mode: '644',
  size: 10,
  blocks: 8,
  time: '1.5',
  path,
  target: '',
  ...more,
})

describe('summarise', () => {
  const base = [
    entry('a'),
    entry('b'),
    entry('d', { kind: 'd', mode: '755' }),
    entry('l', { kind: 'l', target: 'a' }),
  ]
  const digest = (entries: readonly TreeEntry[]): string => summarise(entries).digest

  it('does not depend on the order', () => {
    expect(digest(base.toReversed())).toBe(digest(base))
  })

  it.each([
    ['a name', base.with(0, entry('x'))],
    ['a mode', base.with(0, entry('a', { mode: '755' }))],
    ['a size', base.with(0, entry('a', { size: 11 }))],
    ['a time', base.with(0, entry('a', { time: '1.6' }))],
    ['a folder mode', base.with(2, entry('d', { kind: 'd', mode: '700' }))],
    ['a link target', base.with(3, entry('l', { kind: 'l', target: 'b' }))],
    ['a kind', base.with(0, entry('a', { kind: 'd', mode: '644' }))],
    ['an entry less', base.slice(1)],
  ])('sees %s', (_what, changed) => {
    expect(digest(changed)).not.toBe(digest(base))
  })

  it.each([
    ['blocks', base.with(0, entry('a', { blocks: 0 }))],
    ['the time of a folder', base.with(2, entry('d', { kind: 'd', mode: '755', time: '9', size: 99 }))],
    ['the mode of a link', base.with(3, entry('l', { kind: 'l', target: 'a', mode: '755', time: '9' }))],
    ['a socket', [...base, entry('s', { kind: 's' })]],
  ])('passes over %s', (_what, changed) => {
    expect(digest(changed)).toBe(digest(base))
  })

  it('can not be fooled by names that look like fields', () => {
    expect(digest([entry('a\nb')])).not.toBe(digest([entry('a'), entry('b')]))
  })

  it('counts files only, holes not', () => {
    const found = summarise([entry('a', { size: 1000, blocks: 8 }), entry('hole', { size: 1e9, blocks: 0 })])
    expect([found.entries, found.bytes, found.diskBytes]).toEqual([2, 1e9 + 1000, 1000])
  })

  it('names what can not be brought back, but not a thousand times', () => {
    expect(summarise([entry('p', { kind: 'p' }), entry('s', { kind: 's' })]).leftOut).toEqual([
      'pipe p',
      'socket s',
    ])
    const many = Array.from({ length: 1000 }, (_unused, index) => entry(`s${index}`, { kind: 's' }))
    const { leftOut } = summarise(many)
    expect(leftOut).toHaveLength(21)
    expect(leftOut.at(-1)).toBe('980 more special files')
  })
})
