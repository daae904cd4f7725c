import { execFileSync } from 'node:child_process'
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { cloneTrees, deleteTree } from '../../../src-main/backends/host/clone-trees.ts'
import { listByWalking, summarise, treeManifest } from '../../../src-main/backends/host/tree-manifest.ts'
import { never } from './host-fixture.ts'

let base: string
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'icebox-clone-'))
})
afterEach(() => deleteTree(base))

// Any byte but the two that a name can't hold.
const name = fc
  .uint8Array({ min: 1, max: 255, minLength: 1, maxLength: 24 })
  .map((bytes) => Buffer.from(bytes).toString('latin1').replaceAll('/', '_'))
  .filter((text) => text !== '.' && text !== '..')
const item = fc.record({
  name,
  folder: fc.option(name, { nil: null }),
  kind: fc.constantFrom('file', 'link', 'fifo', 'hole'),
  mode: fc.constantFrom(0o644, 0o600, 0o755, 0o4755, 0o444),
  size: fc.nat(5000),
  time: fc.integer({ min: 1, max: 2_000_000_000 }),
})
const bytes = (...parts: string[]): Buffer => Buffer.from(parts.join('/'), 'latin1')

it('clones trees of any names, kinds, modes and times so that no listing tells them apart', async () => {
  let round = 0
  await fc.assert(
    fc.asyncProperty(fc.array(item, { maxLength: 12 }), async (items) => {
      const at = join(base, String(round++))
      await mkdir(join(at, 'from', 'tree'), { recursive: true })
      await mkdir(join(at, 'to'))
      for (const each of items) await make(join(at, 'from', 'tree'), each)
      const before = await treeManifest(join(at, 'from'), ['tree'], never())
      await cloneTrees([join(at, 'from', 'tree')], join(at, 'to'), never())
      expect(await treeManifest(join(at, 'to'), ['tree'], never())).toEqual(before)
      expect(await treeManifest(join(at, 'from'), ['tree'], never())).toEqual(before)
      // The slow way, which other systems use, sees the same.
      expect(summarise(await listByWalking(join(at, 'to'), ['tree'], never()))).toEqual(before)
      execFileSync('diff', ['-r', '--no-dereference', '-x', '*fifo*', join(at, 'from'), join(at, 'to')])
      await deleteTree(at)
      expect(await readdir(base)).toEqual([])
    }),
    { numRuns: 25 },
  )
})

async function make(
  folder: string,
  each: typeof item extends fc.Arbitrary<infer T> ? T : never,
): Promise<void> {
  const parent = each.folder === null ? bytes(folder) : bytes(folder, `d${each.folder}`)
  await mkdir(parent, { recursive: true })
  const path = Buffer.concat([parent, Buffer.from('/'), bytes(`${each.kind}${each.name}`)])
  const isThere = await stat(path).catch(() => null)
  if (isThere) return
  if (each.kind === 'link') return symlink(bytes(each.name), path).catch(ignoreExisting)
  if (each.kind === 'fifo') {
    execFileSync('mkfifo', [join(folder, `fifo-${each.size}`)], { stdio: 'ignore' })
    return rm(join(folder, `fifo-${each.size + 1}`), { force: true })
  }
  await writeFile(path, each.kind === 'file' ? 'x'.repeat(each.size) : '')
  await utimes(path, each.time, each.time)
  await chmod(path, each.mode)
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}

it('deletes read-only folders and odd names, and what a link points to never', async () => {
  await mkdir(join(base, 'keep'))
  await writeFile(join(base, 'keep', 'me'), '1')
  await mkdir(join(base, 'tree', 'mod', 'deep'), { recursive: true })
  await writeFile(Buffer.concat([Buffer.from(join(base, 'tree/mod/deep/')), Buffer.from([0xff, 0xfe])]), 'x')
  await symlink(join(base, 'keep'), join(base, 'tree', 'mod', 'link'))
  await chmod(join(base, 'tree', 'mod', 'deep'), 0o555)
  await chmod(join(base, 'tree', 'mod'), 0o555)
  await deleteTree(join(base, 'tree'))
  await deleteTree(join(base, 'tree'))
  expect(await readdir(base)).toEqual(['keep'])
  expect(await readFile(join(base, 'keep', 'me'), 'utf8')).toBe('1')
})

it('tells a missing source', async () => {
  await mkdir(join(base, 'to'))
  await expect(cloneTrees([join(base, 'nothing')], join(base, 'to'), never())).rejects.toMatchObject({
    code: 'engine-failed',
  })
})
