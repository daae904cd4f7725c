import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { layOutLanes, type TreeItem } from '../../../../src-renderer/snapshots/lanes.ts'

const item = (id: string, parent: string | null, at: number): TreeItem => ({
  id,
  parent,
  at: new Date(at * 1000).toISOString(),
})

describe('the layout of a tree', () => {
  test('is one lane for a chain, newest on top', () => {
    const { rows, width } = layOutLanes([item('a', null, 1), item('b', 'a', 2), item('c', 'b', 3)])
    expect(rows.map((row) => row.item.id)).toEqual(['c', 'b', 'a'])
    expect(width).toBe(1)
    expect(rows[0]).toMatchObject({ hasLineAbove: false, hasLineBelow: true })
    expect(rows[2]).toMatchObject({ hasLineAbove: true, hasLineBelow: false })
  })

  test('branches off to the right and joins at the parent', () => {
    const { rows, width } = layOutLanes([
      item('root', null, 1),
      item('fork', 'root', 2),
      item('main', 'root', 3),
    ])
    expect(width).toBe(2)
    expect(rows.map((row) => [row.item.id, row.lane])).toEqual([
      ['main', 0],
      ['fork', 1],
      ['root', 0],
    ])
    expect(rows[1]?.passing).toEqual([0])
    expect(rows[2]?.joining).toEqual([1])
  })

  test('takes an unknown parent as none', () => {
    const { rows } = layOutLanes([item('a', 'gone', 1)])
    expect(rows[0]?.hasLineBelow).toBe(false)
  })

  test('puts a parent below its children whatever the clocks say', () => {
    const { rows } = layOutLanes([item('parent', null, 9), item('child', 'parent', 1)])
    expect(rows.map((row) => row.item.id)).toEqual(['child', 'parent'])
  })

  test('holds for every tree: each node once, parents below, no line through a node', () => {
    const trees = fc
      .array(fc.tuple(fc.nat(), fc.nat(50)), { maxLength: 60 })
      .map((nodes) =>
        nodes.map(([parent, at], index) =>
          item(`n${index}`, index === 0 || parent % 7 === 0 ? null : `n${parent % index}`, at),
        ),
      )
    fc.assert(
      fc.property(trees, (items) => {
        const { rows, width } = layOutLanes(items)
        expect(rows.map((row) => row.item.id).sort()).toEqual(items.map((node) => node.id).sort())
        const place = new Map(rows.map((row, index) => [row.item.id, index]))
        for (const row of rows) {
          const { parent } = row.item
          if (parent) expect(place.get(parent)).toBeGreaterThan(place.get(row.item.id) ?? Number.NaN)
          expect(row.passing).not.toContain(row.lane)
          expect(row.lane).toBeLessThan(width)
        }
        const ends = rows.filter((row) => row.item.parent === null).length
        const begun = rows.filter((row) => !row.hasLineAbove).length
        const joined = rows.reduce((sum, row) => sum + row.joining.length, 0)
        expect(begun - joined).toBe(ends)
      }),
    )
  })
})
