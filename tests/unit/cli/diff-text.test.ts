import { describe, expect, test } from 'vitest'
import { diffText, fileDiffText, signed } from '../../../src-main/cli/diff-text.ts'
import { colourPaint, plainPaint } from '../../../src-main/cli/style.ts'
import type { DiffEntry, SnapshotDiff } from '../../../src-preload/contract/artifacts.ts'

const entry = (path: string, change: Partial<DiffEntry> = {}): DiffEntry => ({
  path,
  kind: 'added',
  type: 'file',
  bytesBefore: null,
  bytesAfter: 1000,
  ...change,
})

const empty: SnapshotDiff = {
  from: 'web@a',
  to: 'web',
  totals: { added: 0, changed: 0, removed: 0, bytes: 0 },
  folders: [],
  entries: [],
  truncated: 0,
  packages: [],
  config: [],
  volumes: [],
  notices: [],
}
const plain = { paint: plainPaint, width: undefined, hasNames: false }

describe('a difference in words', () => {
  test('says so when there is none', () => {
    expect(diffText(empty, plain)).toBe('web@a → web\nNothing differs.')
  })

  test('names every path while they are few', () => {
    const text = diffText(
      {
        ...empty,
        totals: { added: 1, changed: 1, removed: 1, bytes: -500 },
        entries: [
          entry('etc/a\u001b[31m\nb'),
          entry('etc/c', { kind: 'removed', bytesBefore: 1500, bytesAfter: null }),
          entry('etc/d', { kind: 'metadata', type: 'folder', bytesBefore: null, bytesAfter: null }),
        ],
      },
      plain,
    )
    expect(text).toContain('1 added, 1 changed, 1 removed, -500 B')
    expect(text).toContain('A etc/a [31m b  +1 kB')
    expect(text).toContain('D etc/c  -1.5 kB')
    expect(text).toMatch(/m etc\/d\/$/m)
  })

  test('sums folders when they are many, and names them on request', () => {
    const many = {
      ...empty,
      totals: { added: 41, changed: 0, removed: 0, bytes: 41_000 },
      folders: [{ path: 'srv', added: 41, changed: 0, removed: 0, bytes: 41_000 }],
      entries: Array.from({ length: 41 }, (_, index) => entry(`srv/${index}`)),
      truncated: 3,
    }
    const text = diffText(many, plain)
    expect(text).toMatch(/\/srv +41 +\+41 kB/)
    expect(text).not.toContain('srv/40')
    const named = diffText(many, { ...plain, hasNames: true })
    expect(named).toContain('A srv/40')
    expect(named).toContain('and 3 more')
  })

  test('tells packages, config and volumes, even when no file differs', () => {
    const text = diffText(
      {
        ...empty,
        packages: [{ manager: 'dpkg', name: 'curl', before: null, after: '8.1' }],
        config: [{ key: 'Env.PATH', before: '/bin', after: null }],
        volumes: [entry('/data/x')],
      },
      plain,
    )
    expect(text).toContain('dpkg curl (new) → 8.1')
    expect(text).toContain('Env.PATH: /bin → (none)')
    expect(text).toContain('A /data/x')
  })

  test('is coloured only when asked', () => {
    const some = { ...empty, entries: [entry('a')] }
    expect(diffText(some, plain)).not.toContain('\u001b')
    expect(diffText(some, { ...plain, paint: colourPaint })).toContain('\u001b[32m')
  })
})

describe('the difference of a file', () => {
  test('keeps tabs and takes control characters out', () => {
    const text = '--- a\n+++ b\n@@ -1 +1 @@\n-\told\n+new\u001b]0;x\u0007\n'
    expect(fileDiffText({ path: 'f', text, reason: null }, plainPaint)).toBe(
      '--- a\n+++ b\n@@ -1 +1 @@\n-\told\n+new�]0;x�',
    )
  })

  test('says why there is none', () => {
    expect(fileDiffText({ path: 'f', text: null, reason: 'it is binary' }, plainPaint)).toBe(
      'f: it is binary',
    )
    expect(fileDiffText({ path: 'f', text: '', reason: null }, plainPaint)).toContain('the same content')
  })
})

test.each([
  [310_000_000, '+310 MB'],
  [-2000, '-2 kB'],
  [0, '±0 B'],
])('%s bytes are %s', (bytes, text) => expect(signed(bytes)).toBe(text))
