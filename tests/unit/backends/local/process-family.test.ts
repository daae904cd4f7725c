import { describe, expect, it } from 'vitest'
import { familyOf } from '../../../../src-main/backends/local/process-family.ts'
import { type ProcessRow, parseStat } from '../../../../src-main/backends/local/process-table.ts'

const row = (pid: number, parent: number, more: Partial<ProcessRow> = {}): ProcessRow => ({
  pid,
  parent,
  group: pid,
  session: pid,
  state: 'S',
  ...more,
})
const pids = (members: readonly { pid: number }[]): number[] => members.map((member) => member.pid)

describe('familyOf', () => {
  const table = [
    row(1, 0),
    row(50, 1),
    row(100, 50),
    row(101, 100, { group: 100, session: 100 }),
    row(102, 101),
    row(103, 1, { session: 100 }),
    row(104, 103),
    row(105, 1, { group: 100 }),
    row(106, 101, { state: 'Z' }),
    row(200, 1),
    row(201, 200),
  ]

  it('takes descendants, session and group, parents first, and nobody else', () => {
    const members = familyOf(table, 100, [], 50)
    expect(pids(members)).toEqual([100, 101, 102, 103, 105, 104])
    expect(members.map((member) => member.depth)).toEqual([0, 1, 2, 100, 100, 101])
  })

  it('adds strays and what is below them', () => {
    expect(pids(familyOf(table, 100, [200], 50))).toContain(201)
    expect(pids(familyOf(table, null, [200], 50))).toEqual([200, 201])
    expect(familyOf(table, null, [], 50)).toEqual([])
  })

  it('never touches the process that asks, nor what works for it, when it runs inside', () => {
    const inside = [...table, row(300, 102), row(301, 300)]
    expect(pids(familyOf(inside, 100, [], 300))).toEqual([100, 101, 102, 103, 105, 104])
  })

  it('never takes pid 1', () => {
    expect(familyOf([row(1, 0), row(2, 1)], null, [1], 99)).toEqual([])
  })
})

it('parses a process whose name holds blanks and parentheses', () => {
  const text = '4242 (a b) c) (d) T 7 8 9 0 -1 4194560 1 0 0'
  expect(parseStat(text)).toEqual({ pid: 4242, parent: 7, group: 8, session: 9, state: 'T' })
})
