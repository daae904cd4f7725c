import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { openStateRoot, requireRealFolder, stateRootDir } from '../../../src-main/state/root.ts'
import { tempFolder, testRoot } from '../../support/test-root.ts'

const ROOT_MODULE = join(import.meta.dirname, '../../../src-main/state/root.ts')

afterEach(() => vi.unstubAllEnvs())

describe('stateRootDir', () => {
  test('the flag, else the environment, else the home folder', () => {
    vi.stubEnv('ICEBOX_HOME', '/srv/icebox')
    expect(stateRootDir('/elsewhere')).toBe('/elsewhere')
    expect(stateRootDir()).toBe('/srv/icebox')
    vi.stubEnv('ICEBOX_HOME', '')
    expect(stateRootDir()).toBe(join(homedir(), '.bot-bottle'))
  })

  test('without a home folder it says what to set', () => {
    vi.stubEnv('ICEBOX_HOME', '')
    vi.stubEnv('HOME', 'not-absolute')
    expect(() => stateRootDir()).toThrow(/ICEBOX_HOME/)
  })
})

describe('openStateRoot', () => {
  test('makes private folders and an id that stays', async () => {
    const root = await testRoot()
    const again = await openStateRoot(root.dir)
    expect(root.id).toMatch(/^[0-9a-f-]{36}$/)
    expect(again.id).toBe(root.id)
    for (const part of ['', 'state', 'icebox', 'trash']) {
      expect((await stat(join(root.dir, part))).mode & 0o777).toBe(0o700)
    }
  })

  test('processes that open it first at the same time agree on the id', async () => {
    const dir = join(await tempFolder(), 'fresh')
    const code = `import { openStateRoot } from ${JSON.stringify(ROOT_MODULE)}
      console.log((await openStateRoot(process.argv[1])).id)`
    const open = () =>
      promisify(execFile)(process.execPath, ['--input-type=module-typescript', '-e', code, dir])
    const ids = (await Promise.all([open(), open(), open()])).map(({ stdout }) => stdout.trim())
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/)
    expect(new Set(ids).size).toBe(1)
  })

  test.each(['', '{"id":', '{"id":"x"}', '[]', 'null'])('a damaged id %j is told and kept', async (text) => {
    const { dir } = await testRoot()
    await writeFile(join(dir, 'icebox/root.json'), text)
    await expect(openStateRoot(dir)).rejects.toMatchObject({ code: 'corrupt-state' })
    expect(await readFile(join(dir, 'icebox/root.json'), 'utf8')).toBe(text)
  })

  test('where it must exist it is opened as it is, and none is made', async () => {
    const { dir, id } = await testRoot()
    expect((await openStateRoot(dir, { mustExist: true })).id).toBe(id)
    await rm(dir, { recursive: true })
    await expect(openStateRoot(dir, { mustExist: true })).rejects.toMatchObject({ code: 'not-found' })
    await mkdir(dir)
    await expect(openStateRoot(dir, { mustExist: true })).rejects.toMatchObject({ code: 'not-found' })
    expect(await readdir(dir)).toEqual([])
  })

  test('a file in the way is named', async () => {
    const file = join(await tempFolder(), 'file')
    await writeFile(file, '')
    for (const dir of [file, join(file, 'below')]) {
      await expect(openStateRoot(dir)).rejects.toMatchObject({
        code: 'permission',
        message: expect.stringContaining(dir),
      })
    }
  })
})

describe('path', () => {
  test('never leaves the root', async () => {
    const root = await testRoot()
    expect(root.path('state', 'web', 'metadata.json')).toBe(join(root.dir, 'state/web/metadata.json'))
    expect(root.path()).toBe(root.dir)
    const outside = [
      ['..'],
      ['state', '../../x'],
      ['/etc'],
      ['state', 'web', '../../../x'],
      ['..', `${root.dir.slice(root.dir.lastIndexOf('/') + 1)}-twin`],
    ]
    for (const parts of outside) {
      expect(() => root.path(...parts)).toThrow(expect.objectContaining({ code: 'invalid-slug' }))
    }
  })
})

describe('requireRealFolder', () => {
  test('refuses a link, takes a folder and a missing one', async () => {
    const root = await testRoot()
    const elsewhere = await tempFolder()
    await symlink(elsewhere, root.path('state', 'linked'))
    await symlink('/nowhere/at/all', root.path('state', 'dangling'))
    await mkdir(root.path('state', 'real'))
    for (const slug of ['linked', 'dangling']) {
      await expect(requireRealFolder(root.path('state', slug))).rejects.toMatchObject({
        code: 'corrupt-state',
      })
    }
    await requireRealFolder(root.path('state', 'real'))
    await requireRealFolder(root.path('state', 'missing'))
  })
})
