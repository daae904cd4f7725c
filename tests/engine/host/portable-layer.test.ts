import { mkdtempSync } from 'node:fs'
import { mkdir, open, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deleteTree } from '../../../src-main/backends/host/clone-trees.ts'
import { walkTrees } from '../../../src-main/backends/host/portable/list-tree.ts'
import { packTrees } from '../../../src-main/backends/host/portable/pack-trees.ts'
import { END, padding, tarHeader } from '../../../src-main/backends/host/portable/tar-header.ts'
import { unpackTrees } from '../../../src-main/backends/host/portable/unpack-trees.ts'
import { createTarDecoder } from '../../../src-main/workers/tar/decoder.ts'
import { paxRecord } from '../../../src-main/workers/tar/pax.ts'
import { must } from '../../support/busybox-image.ts'
import { makeTree, sumTree, treeRecipe } from '../../support/odd-trees.ts'
import { never, textOf } from './host-fixture.ts'
import { allOf, EXACT, gnuTar, layerOf, makeRoots } from './portable-fixture.ts'

let base: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'icebox-portable-'))
})
afterEach(() => deleteTree(base))

describe('the layer of two trees', () => {
  it('brings any tree back bit for bit, packed by tar or by hand, and the same bytes come from a copy', async () => {
    const program = await gnuTar()
    let round = 0
    await fc.assert(
      fc.asyncProperty(treeRecipe(true), treeRecipe(true), async (work, home) => {
        const at = join(base, String(round++))
        makeRoots(join(at, 'from'))
        makeTree(join(at, 'from/workspace'), work)
        makeTree(join(at, 'from/home'), home)
        const before = sumTree(join(at, 'from'), EXACT).slice(1)
        await must('cp', ['-a', join(at, 'from'), join(at, 'copy')])
        for (const by of [program, null]) {
          const tar = await allOf(packTrees(join(at, 'from'), by, never()))
          expect((await allOf(packTrees(join(at, 'copy'), by, never()))).equals(tar)).toBe(true)
          const to = join(at, by ? 'by-tar' : 'by-hand')
          await unpackTrees(to, [layerOf(tar)], program, () => undefined, never())
          expect(sumTree(to, EXACT).slice(1)).toEqual(before)
        }
        expect(await walkTrees(join(at, 'from'), never())).toHaveLength(before.length)
        await deleteTree(at)
      }),
      { numRuns: 12, endOnFailure: true },
    )
  })

  it('keeps holes as holes, however large, in an archive of few bytes', async () => {
    makeRoots(join(base, 'from'))
    const file = await open(join(base, 'from/workspace/disk'), 'wx')
    await file.write('start', 0)
    await file.write('middle', 70_000_000)
    await file.truncate(150_000_000)
    await file.close()
    await must('ln', [join(base, 'from/workspace/disk'), join(base, 'from/workspace/twin')])
    const tar = await allOf(packTrees(join(base, 'from'), await gnuTar(), never()))
    expect(tar.length).toBeLessThan(100_000)
    await unpackTrees(join(base, 'to'), [layerOf(tar)], await gnuTar(), () => undefined, never())
    const found = await stat(join(base, 'to/workspace/disk'))
    expect(found).toMatchObject({ size: 150_000_000, nlink: 2 })
    expect(found.blocks * 512).toBeLessThan(1_000_000)
    await must('cmp', [join(base, 'from/workspace/disk'), join(base, 'to/workspace/disk')])
  }, 60_000)

  it('carries extended attributes of users', async () => {
    const note = paxRecord('SCHILY.xattr.user.note', '\x01\0\xff=\n')
    const header = (path: string, type: string, bytes: number) =>
      tarHeader({ path, kind: type, mode: 0o644, mtime: '5', target: '', stored: bytes, sparseSize: null })
    const extended = header('PaxHeaders/x', 'f', note.length)
    extended.write('x', 156)
    extended.write(
      `${(Number.parseInt(extended.toString('latin1', 148, 154), 8) + 72).toString(8).padStart(6, '0')}\0 `,
      148,
    )
    const folders = ['home/agent', 'workspace'].map((path) => header(path, 'd', 0))
    const tar = Buffer.concat([
      ...folders,
      extended,
      note,
      padding(note.length),
      header('workspace/tagged', 'f', 0),
      END,
    ])
    const to = join(base, 'to')
    await unpackTrees(to, [layerOf(tar)], await gnuTar(), () => undefined, never())
    const decoder = createTarDecoder()
    decoder.feed(await allOf(packTrees(to, await gnuTar(), never())))
    const found: [string, ReadonlyMap<string, string>][] = []
    for (let event = decoder.next(); event; event = decoder.next()) {
      if (event.kind === 'entry' && event.entry.xattrs.size > 0)
        found.push([event.entry.path, event.entry.xattrs])
    }
    expect(found).toEqual([['workspace/tagged', new Map([['user.note', '\x01\0\xff=\n']])]])
  })

  it('obeys whiteouts of upper layers and never writes through a link of a lower one', async () => {
    const layers = await Promise.all(
      [
        'mkdir -p workspace/keep workspace/emptied home/agent; echo 1 > workspace/keep/a; echo 1 > workspace/b; ' +
          'echo 1 > workspace/emptied/old; mkdir workspace/was-folder; echo 1 > workspace/was-folder/x; ln -s /tmp workspace/out',
        'mkdir -p workspace/keep workspace/emptied home/agent; echo 2 > workspace/keep/c; touch workspace/.wh.b; ' +
          'touch workspace/emptied/.wh..wh..opq; echo 2 > workspace/emptied/new; echo 2 > workspace/was-folder',
      ].map((script, index) => tarOf(script, String(index))),
    )
    const to = join(base, 'to')
    await unpackTrees(to, layers.map(layerOf), await gnuTar(), () => undefined, never())
    const found = await must('sh', ['-c', 'cd "$0"; find . -type f | sort | xargs grep -H .', to])
    expect(found.trim().split('\n')).toEqual([
      './workspace/emptied/new:2',
      './workspace/keep/a:1',
      './workspace/keep/c:2',
      './workspace/was-folder:2',
    ])
    const behind = await tarOf('mkdir -p workspace/out; echo bad > workspace/out/icebox-escaped', 'bad')
    await expect(
      unpackTrees(
        join(base, 'two'),
        [...layers, behind].map(layerOf),
        await gnuTar(),
        () => undefined,
        never(),
      ),
    ).rejects.toMatchObject({ code: 'artifact-invalid' })
    expect(await textOf('/tmp/icebox-escaped')).toBeNull()
  })

  async function tarOf(script: string, name: string): Promise<Buffer> {
    await mkdir(join(base, name))
    await must('sh', ['-c', `cd "$0"; ${script}`, join(base, name)])
    await must('tar', [
      '-C',
      join(base, name),
      '-cf',
      join(base, `${name}.tar`),
      'workspace',
      ...(name === 'bad' ? [] : ['home']),
    ])
    return readFile(join(base, `${name}.tar`))
  }
})
