import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Allowance, longFiles, ratchet, syncCalls, typeHoles } from '../../support/arch/habits.ts'
import { readSources, type Sources } from '../../support/arch/sources.ts'

const ROOT = join(import.meta.dirname, '../../..')

/** Blocking calls in the main process that stay, each with its reason. The list only ever shrinks. */
const BLOCKING: Readonly<Record<string, Allowance>> = {}

let product: Sources
let tests: Sources

beforeAll(async () => {
  product = await readSources(ROOT, ['src-preload', 'src-main', 'src-renderer'], /\.(tsx?|css)$/)
  tests = await readSources(ROOT, ['tests'], /\.tsx?$/)
})

const made = (text: string): Sources => new Map([['src-main/a.ts', text]])

describe('the sources', () => {
  test('have no file over 400 lines', () => {
    expect(longFiles(new Map([...product, ...tests]))).toEqual([])
  })
  test('have no hole in the types', () => {
    expect(typeHoles(product)).toEqual([])
    // This file names what it forbids.
    const others = [...tests].filter(([path]) => !path.startsWith('tests/unit/arch/'))
    expect(typeHoles(new Map(others))).toEqual([])
  })
  test('block nowhere in the main process', () => {
    const main = new Map([...product].filter(([path]) => path.startsWith('src-main/')))
    expect(ratchet(syncCalls(main), BLOCKING)).toEqual([])
  })
})

describe('the rules can fail', () => {
  test('a long file', () => {
    expect(longFiles(made('x\n'.repeat(401)))).toEqual(['src-main/a.ts has 401 lines'])
    expect(longFiles(made('x\n'.repeat(400)))).toEqual([])
  })
  test.each([
    'let a: any',
    'const a = b as any',
    'const a: Array<any> = []',
    'type A = string | any',
    'f(a: number, b: any)',
  ])('a hole: %s', (text) => {
    expect(typeHoles(made(text))).toHaveLength(1)
  })
  test.each(['// @ts-ignore', '/* @ts-nocheck */', '// @ts-expect-error'])('a switch: %s', (text) => {
    expect(typeHoles(made(text))).toHaveLength(1)
  })
  test('prose is no hole', () => {
    expect(typeHoles(made(`// of: any kind\nconst text = 'as any other'`))).toEqual([])
  })
  test('a blocking call, its growth and its slack', () => {
    const counts = syncCalls(made('readFileSync(a); execFileSync(b) // statSync()'))
    expect(counts.get('src-main/a.ts')).toBe(2)
    expect(ratchet(counts, {})).toHaveLength(1)
    expect(ratchet(counts, { 'src-main/a.ts': { count: 1, reason: 'x' } })).toHaveLength(1)
    expect(ratchet(counts, { 'src-main/a.ts': { count: 3, reason: 'x' } })).toHaveLength(1)
    expect(ratchet(counts, { 'src-main/a.ts': { count: 2, reason: 'x' } })).toEqual([])
    expect(ratchet(new Map(), { 'src-main/gone.ts': { count: 1, reason: 'x' } })).toHaveLength(1)
  })
})
