import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { desktopViolations, preloadProblems } from '../../support/arch/desktop-rules.ts'
import { readSources, type Sources } from '../../support/arch/sources.ts'

const ROOT = join(import.meta.dirname, '../../..')
let sources: Sources

beforeAll(async () => {
  sources = await readSources(ROOT, ['src-preload', 'src-main', 'src-renderer'], /\.tsx?$/)
})

test('windows, links, channels and rights of pages are each in one place', () => {
  expect(desktopViolations(sources)).toEqual([])
})

// Row 3.
test('the built preload is one small CommonJS file that requires nothing but electron', async () => {
  const folder = join(ROOT, 'out/preload')
  const names = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new Error('This test reads the build: run npm run build first.', { cause })
  })
  const files = await Promise.all(
    names.map(async (name) => [`/${name}`, await readFile(join(folder, name), 'utf8')] as const),
  )
  expect(preloadProblems(new Map(files))).toEqual([])
})

// Row 19.
test('Electron is pinned, and its types are those of the pinned version', async () => {
  const read = async (path: string): Promise<{ version: string; devDependencies: Record<string, string> }> =>
    JSON.parse(await readFile(join(ROOT, path), 'utf8'))
  const pinned = (await read('package.json')).devDependencies.electron
  expect(pinned).toMatch(/^\d+\.\d+\.\d+$/)
  expect(Number.parseInt(pinned ?? '', 10)).toBeGreaterThanOrEqual(45)
  expect((await read('node_modules/electron/package.json')).version).toBe(pinned)
})

describe('the rules can fail', () => {
  test.each([
    ['src-main/shell/tray.ts', 'new BrowserWindow({})'],
    ['src-main/shell/tray.ts', 'shell.openExternal(url)'],
    ['src-main/shell/security.ts', 'openExternal(a); shell.openPath(path)'],
    ['src-main/shell/drag-out.ts', 'shell.showItemInFolder(path)'],
    ['src-main/shell/tray.ts', `ipcMain.handle('x', run)`],
    ['src-preload/index.ts', `ipcRenderer.sendSync('x')`],
    ['src-main/shell/tray.ts', `contents.executeJavaScript('x')`],
    ['src-main/shell/tray.ts', 'const a = { sandbox: false }'],
    ['src-main/shell/tray.ts', 'const a = { nodeIntegrationInWorker: true }'],
    ['src-renderer/log.tsx', 'element.innerHTML = text'],
    ['src-main/shell/desktop-settings.ts', `new Store({ encryptionKey: 'x' })`],
    ['src-main/backends/host/run.ts', 'spawn(process.execPath, [])'],
    ['src-main/workers/a.ts', `const a = fork('./worker.js')`],
    ['src-main/backends/docker/a.ts', `spawn('docker ps', { shell: true })`],
    ['src-main/backends/docker/a.ts', `exec('docker rm x')`],
    ['src-main/backends/docker/a.ts', `spawn('docker ps', { shell: '/bin/bash' })`],
    ['src-main/backends/docker/a.ts', `import { exec } from 'node:child_process'`],
    ['src-main/shell/main-window.ts', 'nothing of a window'],
  ])('%s with %s', (path, text) => {
    expect(desktopViolations(new Map([[path, text]]))).toHaveLength(1)
  })
  test('a preload with a helper beside it, one that requires more, a large one, and a module', () => {
    const good = 'let e=require("electron");'
    expect(preloadProblems(new Map([['/index.cjs', good]]))).toEqual([])
    expect(
      preloadProblems(
        new Map([
          ['/index.cjs', good],
          ['/shared.cjs', good],
        ]),
      ),
    ).toHaveLength(1)
    expect(preloadProblems(new Map([['/index.mjs', good]]))).toHaveLength(1)
    expect(preloadProblems(new Map([['/index.cjs', `${good}require("zod")`]]))).toEqual(['requires "zod"'])
    expect(preloadProblems(new Map([['/index.cjs', `${good}require(name)`]]))).toEqual(['requires name'])
    expect(preloadProblems(new Map([['/index.cjs', good + 'x'.repeat(10_000)]]))).toHaveLength(1)
    expect(preloadProblems(new Map([['/index.cjs', `import "./a.js"\n${good}`]]))).toEqual(['is no CommonJS'])
  })
})
