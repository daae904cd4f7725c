import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  humanTables,
  ownChildren,
  shellStrings,
  unboundedHelpers,
} from '../../support/arch/engine-programs.ts'
import { readSources, type Sources } from '../../support/arch/sources.ts'

const ROOT = join(import.meta.dirname, '../../..')
const FOLDERS = ['macos-container', 'smolmachines', 'guest', 'images'].map(
  (name) => `src-main/backends/${name}/`,
)

/** The adapters that drive an engine by its program, and what they share. */
let adapters: Sources
let helpers: Sources

beforeAll(async () => {
  const all = await readSources(ROOT, ['src-main/backends', 'src-main/system'], /\.ts$/)
  const pick = (fits: (path: string) => boolean) => new Map([...all].filter(([path]) => fits(path)))
  adapters = pick((path) => FOLDERS.some((folder) => path.startsWith(folder)))
  helpers = pick((path) => /system\/(?:run|stream)-command\.ts$/.test(path))
})

const made = (text: string): Sources => new Map([['a.ts', text]])

describe('the adapters of engines that are programs', () => {
  test('were found', () => {
    expect(adapters.size).toBeGreaterThan(50)
    expect(helpers.size).toBe(2)
  })
  test('read no table made for people', () => {
    expect(humanTables(adapters)).toEqual([])
  })
  test('build no shell script from data', () => {
    expect(shellStrings(adapters)).toEqual([])
  })
  test('start programs only by helpers that bound every call', () => {
    expect(ownChildren(adapters)).toEqual([])
    expect(unboundedHelpers(helpers)).toEqual([])
  })
})

describe('the rules can fail', () => {
  test.each([
    `run(['list', '--all'])`,
    `run(['machine', 'ls'], signal)`,
    `const args = ['image', 'list', '--format', 'table']`,
    `const rows = stdout.trim().split(/\\s{2,}/)`,
  ])('a table: %s', (text) => {
    expect(humanTables(made(text))).toHaveLength(1)
  })
  test.each([
    `run(['list', '--all', '--format', 'json'])`,
    `run(['machine', 'ls', '--json'])`,
    `run(['exec', 'web', 'ls'])`,
    `const names = ['web', 'list']`.replace('list', 'lists'),
  ])('no table: %s', (text) => {
    expect(humanTables(made(text))).toEqual([])
  })
  test.each([
    'run(["sh", "-c", `cat $' + '{path}`])',
    `run(['/bin/sh', '-c', 'cat ' + path])`,
    `run(['sh', '-lc', quote(argv)])`,
    `const f = (script: string) => run(['sh', '-c', script])`,
    'const SCRIPT = `rm $' + '{folder}`\n\nrun(["sh", "-c", SCRIPT])',
  ])('a script from data: %s', (text) => {
    expect(shellStrings(made(text))).toHaveLength(1)
  })
  test.each([
    `run(['sh', '-c', 'cat "$1"', 'sh', path])`,
    'const SCRIPT = `cat "$1"`\n\nrun(["sh", "-c", SCRIPT, "sh", path])',
    'const DIR = "/run"\nconst SCRIPT = `cat $' + '{DIR}/x`\n\nrun(["sh", "-c", SCRIPT])',
    `const script = 'a' +\n  'b'\nawait run(['sh', '-c', script, 'sh'])`,
  ])('a constant script: %s', (text) => {
    expect(shellStrings(made(text))).toEqual([])
  })
  test('a program started by hand, and a helper without a limit', () => {
    expect(ownChildren(made(`import { spawn } from 'node:child_process'`))).toHaveLength(1)
    expect(unboundedHelpers(made('interface CommandOptions {\n  readonly timeout?: number\n}'))).toHaveLength(
      1,
    )
  })
})
