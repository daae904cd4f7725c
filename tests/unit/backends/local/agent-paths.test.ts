import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fileParts, pathParts, requireReadable } from '../../../../src-main/backends/local/agent-paths.ts'

const at = (path: string) => ({ base: 'home', path }) as const

it('takes a path apart', () => {
  expect(pathParts(at('a//b/./c'))).toEqual(['a', 'b', 'c'])
  expect(pathParts(at(''))).toEqual([])
  expect(fileParts(at('a/b'))).toEqual({ folders: ['a'], name: 'b' })
  expect(pathParts(at('..a/b..'))).toEqual(['..a', 'b..'])
})

it('lets none leave its base', () => {
  for (const path of ['/a', '..', 'a/..', '../a', 'a/../b', 'a\0']) {
    expect(() => pathParts(at(path)), path).toThrow(expect.objectContaining({ code: 'denied' }))
  }
  for (const path of ['', '.', '/'])
    expect(() => fileParts(at(path)), path).toThrow(expect.objectContaining({ code: 'denied' }))
  fc.assert(
    fc.property(fc.array(fc.constantFrom('.', '..', '/', 'a', '\0', 'b/'), { maxLength: 8 }), (pieces) => {
      let parts: readonly string[] = []
      try {
        parts = pathParts(at(pieces.join('')))
      } catch {
        return
      }
      expect(parts.every((part) => part !== '' && part !== '.' && part !== '..' && !/[/\0]/.test(part))).toBe(
        true,
      )
    }),
  )
})

it('reads no huge file as a whole', () => {
  expect(() => requireReadable(at('a'), 1e9)).toThrow(expect.objectContaining({ code: 'unsupported' }))
  requireReadable(at('a'), 1e6)
})
