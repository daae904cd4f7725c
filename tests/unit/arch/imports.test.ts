import { expect, test } from 'vitest'
import { importsOf, withoutComments } from '../../support/arch/imports.ts'

const specifiers = (source: string) => importsOf(source).map((line) => line.specifier)

test('reads every form of import', () => {
  const source = `
import a from 'a'
import * as b from "b"
import { c,
  d } from './c.ts'
import './side-effect.css'
export { e } from './e.ts'
export * from './f.ts'
const g = await import('./g.ts')
`
  expect(specifiers(source).sort()).toEqual([
    './c.ts',
    './e.ts',
    './f.ts',
    './g.ts',
    './side-effect.css',
    'a',
    'b',
  ])
})

test('tells erased imports apart', () => {
  const kinds = (source: string) => importsOf(source)[0]?.isTypeOnly
  expect(kinds(`import type { A } from 'a'`)).toBe(true)
  expect(kinds(`import { type A, type B } from 'a'`)).toBe(true)
  expect(kinds(`import { type A, b } from 'a'`)).toBe(false)
  expect(kinds(`import type, { b } from 'a'`)).toBe(false)
  expect(kinds(`export type { A } from 'a'`)).toBe(true)
  expect(kinds(`import 'a'`)).toBe(false)
})

test('comments and strings do not count', () => {
  const source = `
// import a from 'a'
/* import b from 'b'
 await import('c') */
const glob = '**/*.ts' // import('d')
const url = 'https://example.org' + await import('./real.ts')
`
  expect(specifiers(source)).toEqual(['./real.ts'])
})

test('blanking comments keeps every line in its place', () => {
  const source = 'a /* x\ny */ b\n// c\nd'
  expect(
    withoutComments(source)
      .split('\n')
      .map((line) => line.length),
  ).toEqual(source.split('\n').map((line) => line.length))
})
