import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../../../src-main/snapshots/diff/compare-trees.ts'
import { applyLayer, EMPTY_TREE, nodeAt } from '../../../src-main/snapshots/diff/layer-tree.ts'
import { commonLength, readImageTrees } from '../../../src-main/snapshots/layers/image-trees.ts'
import type { LayerReader, LayerSource } from '../../../src-main/snapshots/layers/layer-reader.ts'
import { readEntries } from '../../../src-main/snapshots/layers/read-entries.ts'
import { createWantedPaths } from '../../../src-main/snapshots/layers/wanted-paths.ts'
import { encodeEntry } from '../../../src-main/workers/listing.ts'
import type { ListedEntry } from '../../../src-main/workers/types.ts'
import { folder, hardLink, opaque, textFile, whiteout } from '../../support/listed-entries.ts'
import { tempFolder } from '../../support/test-root.ts'

const never = new AbortController().signal
type Layers = Readonly<Record<string, readonly ListedEntry[]>>

/** Only what the trees need: the layers lie in memory, and it is noted how much of each was asked for. */
function readerOf(layers: Layers): LayerReader & { readonly read: string[] } {
  const read: string[] = []
  return {
    read,
    prepare: async () => undefined,
    entries: async (diffId: string, isWanted: ((path: string, kind: string) => boolean) | null) => {
      const entries = (layers[diffId] ?? []).filter(({ path, kind }) => !isWanted || isWanted(path, kind))
      read.push(...entries.map(({ path }) => `${diffId}:${path}`))
      return entries
    },
  } as unknown as LayerReader & { readonly read: string[] }
}

const source = (diffIds: readonly string[]) => ({ image: { diffIds } }) as unknown as LayerSource

function differences(layers: Layers, from: readonly string[], to: readonly string[]): string[] {
  const treeOf = (ids: readonly string[]) =>
    ids.reduce((tree, id, at) => applyLayer(tree, layers[id] ?? [], at), EMPTY_TREE)
  return shown(compareTrees(treeOf(from), treeOf(to)))
}

const shown = (changes: ReturnType<typeof compareTrees>) =>
  changes
    .map(({ kind, path, before, after }) => `${kind} ${path} ${before?.entry?.hash} ${after?.entry?.hash}`)
    .sort()

async function read(layers: Layers, from: readonly string[], to: readonly string[]): Promise<string[]> {
  const trees = await readImageTrees(readerOf(layers), source(from), source(to), [], never)
  return shown(compareTrees(trees.from, trees.to))
}

describe('trees of two images', () => {
  test('of the layers below only what matters is taken in', async () => {
    const layers = {
      base: [
        folder('a'),
        textFile('a/x', '1'),
        textFile('a/y', '1'),
        folder('b'),
        textFile('b/z', '1'),
        folder('c'),
        textFile('c/d', '1'),
      ],
      upper: [folder('a'), textFile('a/x', '2'), whiteout('c')],
    }
    const reader = readerOf(layers)
    const trees = await readImageTrees(
      reader,
      source(['base']),
      source(['base', 'upper']),
      [{ path: 'b/z', isWhole: false }],
      never,
    )
    expect(reader.read.filter((line) => line.startsWith('base:'))).toEqual([
      'base:a',
      'base:a/x',
      // Tells that the folder is there.
      'base:a/y',
      'base:b',
      'base:b/z',
      'base:c',
      'base:c/d',
    ])
    expect(nodeAt(trees.from, 'b/z')?.entry?.hash).toBe('1')
    expect(shown(compareTrees(trees.from, trees.to))).toEqual(
      differences(layers, ['base'], ['base', 'upper']),
    )
  })

  test('a link below whose target nobody touched is still its target', async () => {
    const layers = {
      base: [textFile('far/target', 'one'), hardLink('far/link', 'far/target'), hardLink('near', 'far/link')],
      upper: [textFile('near', 'two')],
    }
    expect(await read(layers, ['base'], ['base', 'upper'])).toEqual(['changed near one two'])
  })

  const names = fc
    .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join('/'))
  const entries = fc.uniqueArray(fc.tuple(names, fc.constantFrom('f', 'g', 'd', 'w', 'o', 'h'), names), {
    maxLength: 8,
    selector: ([path]) => path,
  })
  // What lies in something that is no folder is no layer that a scan lets through.
  const isPossible = (list: readonly (readonly [string, string, string])[], path: string) =>
    !list.some(([other, kind]) => path.startsWith(`${other}/`) && kind !== 'd' && kind !== 'o')
  const layer = entries.map((list) =>
    list
      .filter(([path]) => isPossible(list, path))
      .map(([path, kind, link]): ListedEntry => {
        if (kind === 'd') return folder(path)
        if (kind === 'w') return whiteout(path)
        if (kind === 'o') return opaque(path)
        return kind === 'h' ? hardLink(path, link) : textFile(path, kind)
      }),
  )

  test('any layers: the same differences as of the whole trees', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(layer, { minLength: 2, maxLength: 5 }),
        fc.nat(4),
        fc.nat(4),
        async (list, cut, split) => {
          const layers = Object.fromEntries(list.map((each, at) => [`l${at}`, each]))
          const ids = Object.keys(layers)
          const shared = ids.slice(0, cut)
          const rest = ids.slice(cut)
          const [from, to] = [
            [...shared, ...rest.slice(0, split)],
            [...shared, ...rest.slice(split)],
          ]
          expect(await read(layers, from, to)).toEqual(differences(layers, from, to))
        },
      ),
      { numRuns: 1500 },
    )
  })

  test('what they share', () => {
    expect(commonLength(['a', 'b'], ['a', 'c'])).toBe(1)
    expect(commonLength(['a'], ['a', 'b'])).toBe(1)
    expect(commonLength([], ['a'])).toBe(0)
  })
})

describe('wanted paths', () => {
  test('the folders on the way, and with a whole one all below', () => {
    const wanted = createWantedPaths()
    wanted.add('a/b/c', false)
    wanted.add('w', true)
    const asked = ['', 'a', 'a/b', 'a/b/c', 'a/b/c/d', 'a/b/x', 'w', 'w/x/y', 'ww', 'b']
    expect(asked.filter(wanted.has)).toEqual(['', 'a', 'a/b', 'a/b/c', 'w', 'w/x/y'])
    wanted.add('b', false)
    expect(wanted.has('b')).toBe(true)
  })
})

describe('a listing', () => {
  test('is read whole or in part, names of any bytes included', async () => {
    const file = join(await tempFolder(), 'listing')
    const entries = [
      folder('a'),
      textFile('a/"quoted"\\', '1'),
      textFile('caf\xe9\n', '2'),
      textFile('[",]', '3'),
    ]
    await writeFile(file, entries.map((entry) => `${encodeEntry(entry)}\n`).join(''), 'latin1')
    expect(await readEntries(file, null, never)).toEqual(entries)
    for (const entry of entries)
      expect(await readEntries(file, (path) => path === entry.path, never)).toEqual([entry])
    expect(await readEntries(file, () => false, never)).toEqual([])
    await writeFile(file, encodeEntry(folder('a')), 'latin1')
    await expect(readEntries(file, null, never)).rejects.toMatchObject({ code: 'corrupt-state' })
  })
})
