import { chmod, lstat, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { removeTree } from '../../../src-main/state/remove-tree.ts'

let base: string
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'remove-'))
})

test('deletes names of any bytes, read-only folders, and no target of a link', async () => {
  const tree = join(base, 'tree')
  await mkdir(join(tree, 'locked', 'inner'), { recursive: true })
  await writeFile(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe, 0x80])]), 'odd')
  await writeFile(join(tree, 'locked', 'file'), 'x')
  await writeFile(join(base, 'outside'), 'kept')
  await symlink(base, join(tree, 'link'))
  await chmod(join(tree, 'locked'), 0o500)
  await removeTree(tree)
  await expect(lstat(tree)).rejects.toMatchObject({ code: 'ENOENT' })
  expect(await readFile(join(base, 'outside'), 'utf8')).toBe('kept')
})

test('takes a missing tree for done', async () => {
  await removeTree(join(base, 'nothing'))
})
