import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../../../src-main/snapshots/diff/compare-trees.ts'
import { applyLayer, EMPTY_TREE, nodeAt, type TreeNode } from '../../../src-main/snapshots/diff/layer-tree.ts'
import type { ListedEntry } from '../../../src-main/workers/types.ts'
import { folder, hardLink, opaque, symlink, textFile, whiteout } from '../../support/listed-entries.ts'

function treeOf(...layers: readonly (readonly ListedEntry[])[]): TreeNode {
  return layers.reduce((tree, entries, at) => applyLayer(tree, entries, at), EMPTY_TREE)
}

function pathsOf(tree: TreeNode, prefix = ''): string[] {
  return [...(tree.children ?? [])].flatMap(([name, node]) => [
    `${prefix}${name}${node.children ? '/' : `=${node.entry?.hash || node.entry?.link || ''}`}`,
    ...pathsOf(node, `${prefix}${name}/`),
  ])
}

const shown = (before: TreeNode, after: TreeNode) =>
  compareTrees(before, after)
    .map(({ kind, path }) => `${kind} ${path}`)
    .sort()

describe('layers', () => {
  test('a whiteout hides what is below it and nothing of its own layer, in any order', () => {
    const base = [folder('a'), textFile('a/old', 'x'), textFile('b', 'x')]
    const upper = [textFile('a/new', 'y'), whiteout('a'), folder('a'), whiteout('b'), textFile('b', 'z')]
    for (const layer of [upper, [...upper].reverse()]) {
      expect(pathsOf(treeOf(base, layer)).sort()).toEqual(['a/', 'a/new=y', 'b=z'])
    }
  })

  test('a whiteout of what is not there is nothing', () => {
    const tree = treeOf([folder('a')])
    expect(shown(tree, applyLayer(tree, [whiteout('a/b/c'), whiteout('q')], 1))).toEqual([])
  })

  test('an opaque folder keeps itself and what its layer brings', () => {
    const tree = treeOf(
      [folder('a'), textFile('a/x', '1'), folder('a/y')],
      [opaque('a'), textFile('a/z', '2')],
    )
    expect(pathsOf(tree)).toEqual(['a/', 'a/z=2'])
  })

  test('a file takes the place of a folder and the other way round', () => {
    const base = treeOf([folder('a'), textFile('a/x', '1'), textFile('f', '1')])
    const next = applyLayer(base, [textFile('a', '2'), folder('f'), textFile('f/y', '3')], 1)
    expect(pathsOf(next).sort()).toEqual(['a=2', 'f/', 'f/y=3'])
    expect(shown(base, next)).toEqual(['added f/y', 'changed a', 'changed f', 'removed a/x'])
  })

  test('a folder that is listed again keeps its content', () => {
    expect(pathsOf(treeOf([folder('a'), textFile('a/x', '1')], [folder('a', { mode: 0o700 })]))).toEqual([
      'a/',
      'a/x=1',
    ])
  })

  test('a hard link has the content of its target, and keeps it when the target is replaced later', () => {
    const base = treeOf([textFile('a', 'one'), hardLink('b', 'a')])
    expect(pathsOf(base)).toEqual(['a=one', 'b=one'])
    const next = applyLayer(base, [textFile('a', 'two')], 1)
    expect(pathsOf(next)).toEqual(['a=two', 'b=one'])
    expect(nodeAt(next, 'b')).toMatchObject({ layer: 0, entry: { path: 'a' } })
  })

  test('changing one name of a linked file changes all of them', () => {
    const base = treeOf([textFile('a', 'one'), hardLink('b', 'a')])
    expect(shown(base, applyLayer(base, [hardLink('b', 'a'), textFile('a', 'two')], 1))).toEqual([
      'changed a',
      'changed b',
    ])
  })

  test('links to later links are found; a circle is left out', () => {
    const tree = treeOf([
      hardLink('c', 'b'),
      hardLink('b', 'a'),
      textFile('a', '1'),
      hardLink('x', 'y'),
      hardLink('y', 'x'),
    ])
    expect(pathsOf(tree).sort()).toEqual(['a=1', 'b=1', 'c=1'])
  })

  test('an older tree is not changed by layers put on it', () => {
    const base = treeOf([folder('a'), textFile('a/x', '1'), folder('b'), textFile('b/y', '1')])
    const before = pathsOf(base)
    const next = applyLayer(base, [whiteout('a/x'), textFile('b/z', '1'), opaque('b')], 1)
    applyLayer(next, [whiteout('b')], 2)
    expect(pathsOf(base)).toEqual(before)
    expect(pathsOf(next)).toEqual(['a/', 'b/', 'b/z=1'])
  })

  test('a path whose folders no layer lists', () => {
    expect(pathsOf(treeOf([textFile('a/b/c', '1')]))).toEqual(['a/', 'a/b/', 'a/b/c=1'])
  })

  test('names of objects and prototypes are plain names', () => {
    expect(pathsOf(treeOf([folder('__proto__'), textFile('constructor', '1')])).sort()).toEqual([
      '__proto__/',
      'constructor=1',
    ])
  })
})

describe('comparing', () => {
  test('metadata is mode, owner and attributes; times are nothing', () => {
    const base = treeOf([
      textFile('a', '1'),
      textFile('b', '1'),
      textFile('c', '1'),
      folder('d'),
      symlink('l', 'a'),
    ])
    const next = applyLayer(
      base,
      [
        textFile('a', '1', { mtime: '99' }),
        textFile('b', '1', { mode: 0o755 }),
        textFile('c', '1', { extra: 'abcd' }),
        folder('d', { mtime: '99' }),
        symlink('l', 'a', { mode: 0o644, mtime: '99' }),
      ],
      1,
    )
    expect(shown(base, next)).toEqual(['metadata b', 'metadata c'])
    expect(shown(base, applyLayer(base, [folder('d', { uid: 7 })], 1))).toEqual(['metadata d'])
  })

  test('removed and put back the same is nothing', () => {
    const base = treeOf([folder('a'), textFile('a/x', '1')])
    const gone = applyLayer(base, [whiteout('a')], 1)
    expect(shown(base, gone)).toEqual(['removed a', 'removed a/x'])
    expect(shown(base, applyLayer(gone, [folder('a'), textFile('a/x', '1')], 2))).toEqual([])
  })

  test('a link with another target and another kind of thing are changed', () => {
    const base = treeOf([symlink('l', 'a'), textFile('f', '1')])
    expect(shown(base, applyLayer(base, [symlink('l', 'b'), symlink('f', 'x')], 1))).toEqual([
      'changed f',
      'changed l',
    ])
  })
})

type Model = Map<string, string>

/** Folders end in nothing and hold '', files hold their text. */
const model = fc
  .array(
    fc.tuple(
      fc.array(fc.constantFrom('a', 'b', 'c', 'é', '__proto__'), { minLength: 1, maxLength: 4 }),
      fc.constantFrom('', '1', '2'),
    ),
    {
      maxLength: 20,
    },
  )
  .map((pairs) => {
    const tree: Model = new Map()
    for (const [names, text] of pairs) {
      const parents = names.slice(0, -1).map((_, at) => names.slice(0, at + 1).join('/'))
      if (parents.some((parent) => (tree.get(parent) ?? '') !== '')) continue
      const path = names.join('/')
      if (tree.has(path)) continue
      for (const parent of parents) tree.set(parent, '')
      tree.set(path, text)
    }
    return tree
  })

/** A layer that turns one tree into another, as an engine writes it: whiteouts only where their folder stays. */
function layerBetween(before: Model, after: Model, useOpaque: boolean): ListedEntry[] {
  const entries: ListedEntry[] = []
  const isFolder = (tree: Model, path: string) => path === '' || tree.get(path) === ''
  const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')))
  for (const path of before.keys()) {
    if (!after.has(path) && isFolder(after, parentOf(path)) && !(useOpaque && parentOf(path) !== ''))
      entries.push(whiteout(path))
  }
  for (const [path, text] of after) {
    const opaqued = useOpaque && parentOf(path) !== '' && before.get(parentOf(path)) === ''
    if (text === '') {
      entries.push(folder(path))
      if (useOpaque && before.get(path) === '') entries.push(opaque(path))
    } else if (opaqued || before.get(path) !== text) entries.push(textFile(path, text))
  }
  return entries
}

const entriesOf = (tree: Model) =>
  [...tree].map(([path, text]) => (text === '' ? folder(path) : textFile(path, text)))

describe('any two trees', () => {
  test('layers lead from one to the other, and the differences are those of the plain lists', () => {
    fc.assert(
      fc.property(model, model, fc.boolean(), fc.boolean(), (before, after, useOpaque, reversed) => {
        const base = treeOf(entriesOf(before))
        const layer = layerBetween(before, after, useOpaque)
        const next = applyLayer(base, reversed ? layer.reverse() : layer, 1)
        expect(pathsOf(next).sort()).toEqual(pathsOf(treeOf(entriesOf(after))).sort())
        const expected = [...new Set([...before.keys(), ...after.keys()])].flatMap((path) => {
          const [was, is] = [before.get(path), after.get(path)]
          if (was === is) return []
          return [`${was === undefined ? 'added' : is === undefined ? 'removed' : 'changed'} ${path}`]
        })
        expect(shown(base, next)).toEqual(expected.sort())
        expect(pathsOf(base).sort()).toEqual(pathsOf(treeOf(entriesOf(before))).sort())
      }),
      { numRuns: 2000 },
    )
  })
})
