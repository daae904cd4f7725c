import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  fenceViolations,
  importCycles,
  layerViolations,
  rendererViolations,
} from '../../support/arch/layers.ts'
import { readSources, type Sources } from '../../support/arch/sources.ts'

const ROOT = join(import.meta.dirname, '../../..')
let sources: Sources

beforeAll(async () => {
  sources = await readSources(ROOT, ['src-preload', 'src-main', 'src-renderer'], /\.tsx?$/)
})

const made = (files: Record<string, string>): Sources => new Map(Object.entries(files))

describe('the sources', () => {
  test('were found', () => {
    expect(sources.size).toBeGreaterThan(20)
  })
  test('import in one direction', () => {
    expect(layerViolations(sources)).toEqual([])
  })
  test('keep fenced packages behind their fence', () => {
    expect(fenceViolations(sources)).toEqual([])
  })
  test('of the renderer know nothing of the main process', () => {
    expect(rendererViolations(sources)).toEqual([])
  })
  test('have no import cycle', () => {
    expect(importCycles(sources)).toEqual([])
  })
})

describe('the rules can fail', () => {
  test('an import that goes up, even of a type', () => {
    const bad = made({ 'src-main/state/a.ts': `import type { B } from '../bottles/b.ts'` })
    expect(layerViolations(bad)).toEqual([
      'src-main/state/a.ts (state) imports src-main/bottles/b.ts (bottles)',
    ])
  })
  test('an import between siblings', () => {
    expect(layerViolations(made({ 'src-main/menus/a.ts': `import { b } from '../ipc/b.ts'` }))).toHaveLength(
      1,
    )
  })
  test('a folder without a place', () => {
    expect(layerViolations(made({ 'src-main/utils/a.ts': '' }))).toEqual(['src-main/utils/a.ts has no layer'])
  })
  test('main importing the renderer, and the contract importing main', () => {
    expect(layerViolations(made({ 'src-main/ipc/a.ts': `import '../../src-renderer/b.ts'` }))).toHaveLength(1)
    expect(
      layerViolations(made({ 'src-preload/contract/a.ts': `import '../../src-main/state/b.ts'` })),
    ).toHaveLength(1)
  })
  test('down and within a layer is fine', () => {
    const good = made({
      'src-main/bottles/a.ts': `import './b.ts'\nimport '../state/c.ts'\nimport '../../src-preload/contract/d.ts'`,
      'src-main/cli/a.ts': `import '../icebox.ts'\nimport '../cli.ts'`,
    })
    expect(layerViolations(good)).toEqual([])
  })
  test.each([
    ['electron', 'src-main/bottles/a.ts'],
    ['electron/main', 'src-main/ipc/socket.ts'],
    ['dockerode', 'src-main/bottles/a.ts'],
    ['execa', 'src-main/backends/host/a.ts'],
    ['electron-store', 'src-main/state/settings.ts'],
    ['electron-updater', 'src-main/shell/tray.ts'],
  ])('%s from %s', (specifier, path) => {
    expect(fenceViolations(made({ [path]: `import type { X } from '${specifier}'` }))).toHaveLength(1)
    expect(fenceViolations(made({ [path]: `const x = await import('${specifier}')` }))).toHaveLength(1)
  })
  test('fenced packages at home are fine', () => {
    const good = made({
      'src-main/shell/tray.ts': `import { Tray } from 'electron'`,
      'src-main/ipc/electron-transport.ts': `import { ipcMain } from 'electron'`,
      'src-main/backends/docker/client.ts': `import Docker from 'dockerode'`,
      'src-main/system/run-command.ts': `await import('execa')`,
    })
    expect(fenceViolations(good)).toEqual([])
  })
  test.each([
    `import { a } from '../src-main/state/a.ts'`,
    `import type { A } from '../src-main/state/a.ts'`,
    `import { calls } from '../src-preload/contract/calls.ts'`,
    `import { z } from 'zod'`,
    `import { readFile } from 'node:fs/promises'`,
  ])('the renderer with %s', (line) => {
    expect(rendererViolations(made({ 'src-renderer/a.ts': line }))).toHaveLength(1)
  })
  test('the renderer may take types and the contract’s plain tables', () => {
    const text = `import type { Bottle } from '../src-preload/contract/entities.ts'\nimport { CALLS } from '../src-preload/contract/channels.ts'`
    expect(rendererViolations(made({ 'src-renderer/a.ts': text }))).toEqual([])
  })
  test('a cycle, but not one that is erased', () => {
    const cycle = made({
      'a/x.ts': `import './y.ts'`,
      'a/y.ts': `import './z.ts'`,
      'a/z.ts': `await import('./x.ts')`,
    })
    expect(importCycles(cycle)).toEqual(['a/x.ts → a/y.ts → a/z.ts → a/x.ts'])
    const erased = made({ 'a/x.ts': `import './y.ts'`, 'a/y.ts': `import type { X } from './x.ts'` })
    expect(importCycles(erased)).toEqual([])
  })
})
