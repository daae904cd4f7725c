import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkImportFile, requirePaths } from '../../../src-main/shell/import-paths.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'icebox-paths-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

describe('paths', () => {
  test('of this machine are taken, and made plain', () => {
    expect(requirePaths(['/a/./b.bottle', '/c/../d.bottle'])).toEqual(['/a/b.bottle', '/d.bottle'])
    expect(requirePaths([])).toEqual([])
  })
  test.each([
    ['a relative one', ['here.bottle']],
    ['none, as for what no file system holds', ['']],
    ['one of another machine', ['//server/share/x.bottle']],
    ['one of another machine, written otherwise', ['\\\\server\\x.bottle']],
    ['an address', ['file:///etc/passwd']],
    ['one that ends early', ['/etc/pass\0wd']],
    ['one without end', [`/${'x'.repeat(5000)}`]],
    ['no text', [7]],
    ['one among good ones', ['/a.bottle', 'b.bottle']],
    ['no list', '/etc/passwd'],
    ['nothing', undefined],
    ['more than anybody drops', Array(101).fill('/a.bottle')],
  ])('are refused: %s', (_what, paths) => {
    expect(() => requirePaths(paths)).toThrow(expect.objectContaining({ code: 'usage' }))
  })
})

describe('a file', () => {
  test('is taken, through a link too', async () => {
    const file = join(dir, 'a.bottle')
    await writeFile(file, 'x')
    await symlink(file, join(dir, 'b.bottle'))
    expect(await checkImportFile(file)).toBe(file)
    expect(await checkImportFile(join(dir, 'b.bottle'))).toBe(join(dir, 'b.bottle'))
  })
  test('that is gone, a folder, empty or no plain file is refused by its name', async () => {
    await mkdir(join(dir, 'folder.bottle'))
    await writeFile(join(dir, 'empty.bottle'), '')
    await promisify(execFile)('mkfifo', [join(dir, 'pipe.bottle')])
    const refusal = async (name: string) => checkImportFile(join(dir, name)).catch((error: Error) => error)
    expect(await refusal('gone.bottle')).toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/^gone\.bottle is not there/),
    })
    expect(await refusal('folder.bottle')).toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/is a folder/),
    })
    expect(await refusal('empty.bottle')).toMatchObject({
      code: 'artifact-invalid',
      message: expect.stringMatching(/is empty/),
    })
    // Opening it would wait for whoever writes into it.
    expect(await refusal('pipe.bottle')).toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/no plain file/),
    })
    expect(await refusal('empty.bottle/x')).toMatchObject({ code: 'not-found' })
  })
})
