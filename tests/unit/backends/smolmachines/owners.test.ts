import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Machine, parseMachines } from '../../../../src-main/backends/smolmachines/decode.ts'
import { pickMachine } from '../../../../src-main/backends/smolmachines/find.ts'
import { isShown, toFact } from '../../../../src-main/backends/smolmachines/list.ts'
import {
  type OwnerRecord,
  ownerOf,
  readOwners,
  recordFile,
  removeOwner,
  writeOwner,
} from '../../../../src-main/backends/smolmachines/owners.ts'

const machine = (more: object = {}): Machine => {
  const text = JSON.stringify([
    { name: 'bot-bottle-a', state: 'stopped', created_at: 1_787_000_000, ...more },
  ])
  const [found] = parseMachines(text)
  if (!found) throw new Error('no machine')
  return found
}
const record: OwnerRecord = {
  ...{ name: 'bot-bottle-a', root: 'mine', slug: 'a', runId: 'r1', role: 'agent' },
  writtenAt: '2026-08-17T20:53:20.500Z',
  createdAt: null,
}
const labels = { 'dev.icebox.root': 'other', 'dev.icebox.slug': 'a', 'dev.icebox.run': 'r9' }

describe('whose a machine is', () => {
  it('labels tell before any record', () => {
    expect(ownerOf(machine({ labels }), record)).toMatchObject({ root: 'other', runId: 'r9', role: 'agent' })
  })

  it('a record tells where there are no labels', () => {
    expect(ownerOf(machine(), record)).toMatchObject({ root: 'mine', runId: 'r1' })
    expect(ownerOf(machine(), null)).toBeNull()
  })

  it('a record tells nothing of another machine that took the name', () => {
    expect(ownerOf(machine({ created_at: 1_786_999_000 }), record)).toBeNull()
    const known = { ...record, createdAt: '2026-08-17T20:53:20.000Z' }
    expect(ownerOf(machine(), known)).not.toBeNull()
    expect(ownerOf(machine({ created_at: 1_787_000_005 }), known)).toBeNull()
  })
})

describe('what a list shows', () => {
  const own = { machine: machine(), owner: record }
  const scope = { adopted: new Set<string>() }

  it('is this root’s, unmarked ones with a bottle’s name, and adopted ones', () => {
    expect(isShown('mine', own, scope)).toBe(true)
    expect(
      isShown('mine', { machine: machine({ labels }), owner: { ...record, root: 'other' } }, scope),
    ).toBe(false)
    expect(isShown('mine', { machine: machine(), owner: null }, scope)).toBe(true)
    expect(isShown('mine', { machine: machine({ name: 'dev' }), owner: null }, scope)).toBe(false)
    expect(
      isShown('mine', { machine: machine({ name: 'dev' }), owner: null }, { adopted: new Set(['dev']) }),
    ).toBe(true)
  })

  it('is narrowed to some bottles, whatever their machines are called', () => {
    const long = { machine: machine({ name: 'bot-bottle-a-r1' }), owner: record }
    expect(isShown('mine', long, { ...scope, slugs: ['a'] })).toBe(true)
    expect(isShown('mine', long, { ...scope, slugs: ['b'] })).toBe(false)
  })

  it('leaves helpers out', () => {
    expect(isShown('mine', { ...own, owner: { ...record, role: 'helper' } }, scope)).toBe(false)
  })

  it('tells the agent’s end, not the machine’s', () => {
    const ref = { backend: 'smolmachines', id: '', name: '', slug: 'a', runId: 'r1' } as const
    const run = { ref: { ...ref, volumes: [], networks: [], sidecars: [], facts: {} } }
    const running = { machine: machine({ state: 'running' }), owner: record }
    const exit = { exitCode: 7, endedAt: '2026-08-17T18:00:00Z' }
    expect(toFact(running, { kind: 'exited', exit, ...run })).toMatchObject({ state: 'exited', exitCode: 7 })
    expect(toFact(own, { kind: 'running', ...run })).toMatchObject({ state: 'running', exitCode: null })
    expect(toFact(own, { kind: 'gone' })).toMatchObject({ state: 'exited', exitCode: null })
    expect(toFact({ ...own, machine: machine({ state: 'frozen' }) }, { kind: 'running', ...run }).state).toBe(
      'paused',
    )
    expect(toFact({ ...own, machine: machine({ state: 'created' }) }, { kind: 'gone' }).state).toBe('created')
  })
})

describe('finding by name', () => {
  it('prefers nobody’s machine of that very name, never another root’s', () => {
    const plain = { machine: machine(), owner: null }
    const foreign = { machine: machine({ labels }), owner: { ...record, root: 'other' } }
    const long = { machine: machine({ name: 'bot-bottle-a-r1' }), owner: record }
    expect(pickMachine('mine', 'bot-bottle-a', [plain, long])).toBe(plain)
    expect(pickMachine('mine', 'bot-bottle-a', [foreign, long])).toBe(long)
    expect(pickMachine('mine', 'bot-bottle-a', [foreign])).toBeNull()
    expect(pickMachine('mine', 'bot-bottle-b', [plain, long])).toBeNull()
  })
})

describe('records', () => {
  let home: string
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'icebox-owners-'))
  })
  afterAll(() => rm(home, { recursive: true }))

  it('are written, read and removed, and a damaged one is nobody’s', async () => {
    expect((await readOwners(home)).size).toBe(0)
    await writeOwner(home, record)
    await writeFile(recordFile(home, 'bot-bottle-b'), '{"root":')
    const owners = await readOwners(home)
    expect([...owners.keys()]).toEqual(['bot-bottle-a'])
    expect(owners.get('bot-bottle-a')).toEqual(record)
    await removeOwner(home, 'bot-bottle-a')
    expect((await readOwners(home)).size).toBe(0)
  })
})
