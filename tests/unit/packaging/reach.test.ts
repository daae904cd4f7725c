import { expect, test } from 'vitest'
import { needs, packageOf, reach } from '../../support/packaging/reach.ts'

test.each([
  ['conf', 'conf'],
  ['tar-stream/pack', 'tar-stream'],
  ['@a/b', '@a/b'],
  ['@a/b/c.js', '@a/b'],
])('%s is of %s', (specifier, name) => {
  expect(packageOf(specifier)).toBe(name)
})

test('what an entry reaches, at once and later, without what Node has', () => {
  const built = new Map([
    ['out/main/index.js', `import { a } from './chunks/a.js'\nconst b = () => await import("conf")`],
    ['out/main/chunks/a.js', `import path from 'node:path'\nimport fs from 'fs'\nimport '../worker.js'`],
    ['out/main/worker.js', `import x from "@s/x/deep"`],
    ['out/main/cli.js', `import y from 'never'`],
  ])
  const { files, packages } = reach(['out/main/index.js'], built)
  expect([...files].sort()).toEqual(['out/main/chunks/a.js', 'out/main/index.js', 'out/main/worker.js'])
  expect([...packages].sort()).toEqual(['@s/x', 'conf'])
})

test('a chunk that is not there is an error', () => {
  expect(() => reach(['a.js'], new Map([['a.js', `import './b.js'`]]))).toThrow('b.js is not there')
})

test('packages are found as Node finds them, the nearest first', () => {
  const manifests = new Map([
    ['node_modules/a', { dependencies: { b: '1', c: '1' } }],
    ['node_modules/a/node_modules/b', { dependencies: { c: '1' } }],
    ['node_modules/b', {}],
    ['node_modules/c', { dependencies: { gone: '1', maybe: '1' }, optionalDependencies: { maybe: '1' } }],
  ])
  const { folders, missing } = needs(['a'], manifests)
  expect([...folders].sort()).toEqual(['node_modules/a', 'node_modules/a/node_modules/b', 'node_modules/c'])
  expect(missing).toEqual(['gone, for node_modules/c'])
})

test('a package that the app itself lacks', () => {
  expect(needs(['a'], new Map()).missing).toEqual(['a, for the app'])
})
