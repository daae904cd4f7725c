import { appendFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { appendJournal, readJournal } from '../../../src-main/state/journal.ts'
import type { StateRoot } from '../../../src-main/state/root.ts'
import { testRoot } from '../../support/test-root.ts'

const CAP = 262_144

async function webRoot(): Promise<StateRoot> {
  const root = await testRoot()
  await mkdir(root.path('state', 'web'))
  return root
}

const entry = (message: string) => ({ op: 'freeze', outcome: 'done', message }) as const

describe('the journal', () => {
  test('keeps order, time and text', async () => {
    const root = await webRoot()
    await appendJournal(root, 'web', entry('one'))
    await appendJournal(root, 'web', { ...entry('two\nlines "quoted"'), code: 'busy' })
    const read = await readJournal(root, 'web')
    expect(read.map(({ message }) => message)).toEqual(['one', 'two\nlines "quoted"'])
    expect(read[1]?.code).toBe('busy')
    expect(Number.isNaN(Date.parse(read[0]?.at ?? ''))).toBe(false)
  })

  test('is capped: the older half goes, the newest stays', async () => {
    const root = await webRoot()
    const file = root.path('state', 'web', 'events.jsonl')
    const line = `${JSON.stringify({ at: '2026-01-01T00:00:00Z', ...entry('x'.repeat(900)) })}\n`
    await writeFile(file, line.repeat(Math.floor(CAP / line.length)))
    await appendJournal(root, 'web', entry('y'.repeat(1200)))
    await appendJournal(root, 'web', entry('the newest'))
    expect((await stat(file)).size).toBeLessThan(CAP * 0.6)
    const read = await readJournal(root, 'web')
    expect(read.at(-1)?.message).toBe('the newest')
    expect(read.at(-2)?.message).toBe('y'.repeat(1200))
    expect(read.length).toBeGreaterThan(100)
  })

  test('one endless message cannot fill it', async () => {
    const root = await webRoot()
    for (let n = 0; n < 3; n++) await appendJournal(root, 'web', entry('x'.repeat(CAP * 2)))
    expect((await stat(root.path('state', 'web', 'events.jsonl'))).size).toBeLessThan(CAP)
    expect(await readJournal(root, 'web')).toHaveLength(3)
  })

  test('lines that are torn or no entries are left out', async () => {
    const root = await webRoot()
    await appendJournal(root, 'web', entry('good'))
    await appendFile(
      root.path('state', 'web', 'events.jsonl'),
      'null\n7\n{"at":1}\n[]\n\n{"at":"2026","op":"fre',
    )
    expect((await readJournal(root, 'web')).map(({ message }) => message)).toEqual(['good'])
  })

  test('a bottle that is gone does not come back for its journal', async () => {
    const root = await testRoot()
    await appendJournal(root, 'web', entry('late'))
    expect(await readdir(root.path('state'))).toEqual([])
    expect(await readJournal(root, 'web')).toEqual([])
  })
})
