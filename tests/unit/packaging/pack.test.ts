import { access, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BUNDLED, BUNDLED_WITH_THEM } from '../../../.electron-builder.config.ts'
import manifest from '../../../package.json' with { type: 'json' }
import { runChild } from '../../support/child.ts'
import { type AsarFile, extractAsar, readAsar } from '../../support/packaging/asar.ts'
import { wrongFuses } from '../../support/packaging/fuses.ts'
import { packApp } from '../../support/packaging/pack.ts'
import { needs, type Reached, reach } from '../../support/packaging/reach.ts'

// electron-builder packs the build for real; only the Electron that it packs around is none.

const ENTRIES = ['out/main/index.js', 'out/main/worker.js']
/** Electron brings its own, and these two load it. */
const NEEDS_ELECTRON = ['electron', 'electron-store', 'electron-updater']
const PACKING = 250_000

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'icebox-pack-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

test(
  'a setting that electron-builder does not know is refused',
  async () => {
    const { exitCode, output } = await packApp(dir, 'linux', ['-c.linux.nonsense=1'])
    expect(output).toContain('configuration.linux should be')
    expect(exitCode).not.toBe(0)
  },
  PACKING,
)

describe('the Linux app', () => {
  let unpacked: string
  let files: ReadonlyMap<string, AsarFile>
  let reached: Reached
  let manifests: ReadonlyMap<string, { readonly dependencies?: Readonly<Record<string, string>> }>

  beforeAll(async () => {
    const packed = await packApp(dir, 'linux')
    if (packed.exitCode !== 0) throw new Error(packed.output)
    unpacked = packed.unpacked
    files = await readAsar(join(unpacked, 'resources/app.asar'))
    const texts = new Map<string, string>()
    for (const file of files.values()) {
      if (/^out\/main\/.*\.js$/.test(file.path)) texts.set(file.path, (await file.read()).toString('utf8'))
    }
    reached = reach(ENTRIES, texts)
    const found = [...files.values()].filter(({ path }) => /^node_modules\/.*package\.json$/.test(path))
    manifests = new Map(
      await Promise.all(
        found.map(
          async ({ path, read }) =>
            [path.slice(0, -'/package.json'.length), JSON.parse(String(await read()))] as const,
        ),
      ),
    )
  }, PACKING)

  test('has every module that its entries can reach', () => {
    expect(reached.files.size).toBeGreaterThan(50)
    for (const path of ['package.json', 'out/preload/index.cjs', 'out/renderer/index.html', 'LICENSE']) {
      expect(files.has(path), path).toBe(true)
    }
  })

  test('has the whole page', async () => {
    const built = await readdir(join(import.meta.dirname, '../../../out/renderer'), {
      recursive: true,
      withFileTypes: true,
    })
    const names = built
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.map'))
      .map(({ name }) => name)
    const packed = [...files.keys()].filter((path) => path.startsWith('out/renderer/'))
    expect(packed.map((path) => path.slice(path.lastIndexOf('/') + 1)).sort()).toEqual(names.sort())
  })

  test('takes from outside only what it declares, and all of that is there', () => {
    const outside = [...reached.packages].filter((name) => name !== 'electron')
    expect(outside.filter((name) => !(name in manifest.dependencies))).toEqual([])
    expect(needs(outside, manifests).missing).toEqual([])
  })

  test('misses nothing by what is left out', () => {
    const leftOut: readonly string[] = [...BUNDLED, ...BUNDLED_WITH_THEM]
    expect([...reached.packages].filter((name) => leftOut.includes(name))).toEqual([])
    for (const name of leftOut) expect(manifests.has(`node_modules/${name}`), name).toBe(false)
  })

  test('has the terms of what is bundled', () => {
    const terms = (name: string) => new RegExp(`^node_modules/${name}/licen[sc]e(\\.\\w+)?$`, 'i')
    for (const name of [...BUNDLED, 'docker-modem', 'ssh2'])
      expect([...files.keys()].filter((path) => terms(name).test(path)).length, name).toBe(1)
  })

  test('has nothing else', () => {
    const known =
      /^(package\.json|LICENSE|node_modules\/.+|out\/main\/((index|serve|worker)\.js|chunks\/[^/]+\.js)|out\/preload\/index\.cjs|out\/renderer\/.+|src-main\/shell\/resources\/(tray|drag)\/.+|src-main\/shell\/resources\/icon\.png)$/
    expect([...files.keys()].filter((path) => !known.test(path))).toEqual([])
    expect([...files.keys()].filter((path) => /\.(map|tsx?|test\.js)$/.test(path))).toEqual([])
    expect(
      [...manifests.keys()].filter((path) => /\/(vitest|electron|playwright|typescript)$/.test(path)),
    ).toEqual([])
  })

  test('has no scripts and no development packages in its manifest', async () => {
    const packed = JSON.parse(String(await files.get('package.json')?.read())) as Record<string, unknown>
    expect(packed).toMatchObject({
      name: 'icebox',
      productName: 'Icebox',
      main: 'out/main/index.js',
      type: 'module',
    })
    expect(packed).not.toHaveProperty('devDependencies')
    expect(packed).not.toHaveProperty('scripts')
  })

  test('keeps in its archive everything but icons and native code', () => {
    const loose = [...files.values()].filter(({ isUnpacked }) => isUnpacked).map(({ path }) => path)
    expect(
      loose.filter((path) => !/^src-main\/shell\/resources\/|^node_modules\/@lydell\/node-pty-/.test(path)),
    ).toEqual([])
    expect(loose.filter((path) => path.endsWith('.node'))).toHaveLength(1)
  })

  test('loads every package from outside without this repository', async () => {
    const away = join(dir, 'away')
    await extractAsar(files, away)
    const names = [...reached.packages].filter((name) => !NEEDS_ELECTRON.includes(name))
    expect(names).toContain('@lydell/node-pty')
    await writeFile(
      join(away, 'out/main/probe.mjs'),
      names.map((name) => `await import(${JSON.stringify(name)})`).join('\n'),
    )
    const run = await runChild(process.execPath, [join(away, 'out/main/probe.mjs')], {
      timeout: 60_000,
      cwd: away,
    })
    expect(run.output).toBe('')
    expect(run.exitCode).toBe(0)
  })

  test('leaves the plain name to the command, and has its fuses set', async () => {
    const program = join(unpacked, 'icebox-desktop')
    expect((await stat(program)).mode & 0o111).toBe(0o111)
    expect(await wrongFuses(program)).toEqual([])
    expect(await readdir(join(unpacked, 'locales'))).toEqual(['en-US.pak'])
  })

  test('names no source of updates, for none is configured', async () => {
    await expect(access(join(unpacked, 'resources/app-update.yml'))).rejects.toThrow('ENOENT')
  })
})

test(
  'the macOS app knows its files and links, is whole, and has its fuses set',
  async () => {
    const { exitCode, output, unpacked } = await packApp(dir, 'darwin')
    expect(exitCode, output).toBe(0)
    const app = join(unpacked, 'Icebox.app')
    const plist = (await readFile(join(app, 'Contents/Info.plist'), 'utf8')).replace(/>\s+</g, '><')
    const expected = [
      '<key>CFBundleTypeExtensions</key><array><string>bottle</string></array>',
      '<key>CFBundleURLSchemes</key><array><string>icebox</string></array>',
      '<key>UTTypeIdentifier</key><string>app.icebox.bottle</string>',
      '<key>LSMinimumSystemVersion</key><string>13.0</string>',
      '<key>ElectronAsarIntegrity</key><dict><key>Resources/app.asar</key>',
    ]
    for (const text of expected) expect(plist).toContain(text)
    expect(await wrongFuses(app)).toEqual([])
    const files = await readAsar(join(app, 'Contents/Resources/app.asar'))
    expect([...files.keys()]).toEqual(expect.arrayContaining(ENTRIES))
  },
  PACKING,
)
