import { appendFile, mkdir, utimes, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { newestOf, readActivity } from '../../../src-main/bottles/activity.ts'
import type { StateRoot } from '../../../src-main/state/root.ts'
import type { ActivityEntry } from '../../../src-preload/contract/agents.ts'
import { testRoot } from '../../support/test-root.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 10, 21, 10, minute)).toISOString()

async function journal(root: StateRoot, slug: string, lines: readonly unknown[]): Promise<void> {
  await mkdir(root.path('state', slug, 'agent'), { recursive: true })
  await appendFile(
    root.path('state', slug, 'events.jsonl'),
    lines.map((line) => (typeof line === 'string' ? `${line}\n` : `${JSON.stringify(line)}\n`)).join(''),
  )
}

const done = (minute: number, message: string) => ({ at: at(minute), op: 'freeze', outcome: 'done', message })
const messages = (entries: readonly ActivityEntry[]) => entries.map(({ message }) => message)

test('entries of all bottles come newest first, and of one bottle alone on request', async () => {
  const root = await testRoot()
  await journal(root, 'web', [done(1, 'one'), done(4, 'four')])
  await journal(root, 'api', [done(2, 'two'), done(3, 'three')])
  expect(messages(await readActivity({ root }, { limit: 10 }))).toEqual(['four', 'three', 'two', 'one'])
  expect(messages(await readActivity({ root }, { limit: 3 }))).toEqual(['four', 'three', 'two'])
  expect(messages(await readActivity({ root }, { slug: 'api', limit: 10 }))).toEqual(['three', 'two'])
})

test('hooks are among them, without those that were only tried', async () => {
  const root = await testRoot()
  await journal(root, 'web', [done(1, 'frozen')])
  const hook = {
    at: at(2),
    point: 'post_freeze',
    kind: 'shell',
    run: 'notify',
    outcome: 'timeout',
    isTrial: false,
  }
  const lines = [hook, { ...hook, at: at(3), isTrial: true }].map((line) => JSON.stringify(line))
  await writeFile(root.path('state', 'web', 'agent', 'hooks.jsonl'), `${lines.join('\n')}\n`)
  expect(await readActivity({ root }, { limit: 10 })).toMatchObject([
    { slug: 'web', op: 'hook', outcome: 'failed', message: 'The post_freeze hook “notify” took too long.' },
    { slug: 'web', op: 'freeze', outcome: 'done' },
  ])
})

test('damaged lines, a long past and a bottle without a journal cost nothing else', async () => {
  const root = await testRoot()
  await mkdir(root.path('state', 'empty'), { recursive: true })
  await journal(root, 'web', [
    ...Array.from({ length: 400 }, (_, index) => done(index % 10, `${index} ${'x'.repeat(200)}`)),
    '{"at": "2026',
    '[]',
    'null',
    { at: at(20), op: 'freeze', outcome: 'dreamt', message: 'no such outcome' },
    done(30, 'last'),
  ])
  const found = await readActivity({ root }, { limit: 500 })
  expect(found[0]?.message).toBe('last')
  expect(found.length).toBeGreaterThan(30)
  expect(found.length).toBeLessThan(120)
  expect(messages(found)).not.toContain('no such outcome')
})

test('journals that nobody touched lately are not opened once there is enough', async () => {
  const root = await testRoot()
  const touched = async (slug: string, minute: number, line: unknown) => {
    await journal(root, slug, [line])
    await utimes(root.path('state', slug, 'events.jsonl'), new Date(at(minute)), new Date(at(minute)))
  }
  for (let index = 0; index < 16; index += 1) await touched(`new-${index}`, 10, done(10, 'lately'))
  // A lie that would show at once if the file were opened.
  await touched('old', 0, done(59, 'never read'))
  expect(new Set(messages(await readActivity({ root }, { limit: 5 })))).toEqual(new Set(['lately']))
  expect(messages(await readActivity({ root }, { limit: 17 }))[0]).toBe('never read')
})

test('of one moment the later line comes first', () => {
  const entry = (message: string): ActivityEntry => ({
    slug: 'web',
    at: at(1),
    op: 'stop',
    outcome: 'done',
    message,
  })
  expect(messages(newestOf([entry('a'), entry('b'), entry('c')], 2))).toEqual(['c', 'b'])
})

test('a name that is no slug is refused', async () => {
  const root = await testRoot()
  await expect(readActivity({ root }, { slug: '../x', limit: 1 })).rejects.toMatchObject({
    code: 'invalid-slug',
  })
})

test('a failed hook that two journals tell of is told once, and one that fails again is told again', async () => {
  const root = await testRoot()
  const hookAt = (seconds: number) => new Date(Date.UTC(2026, 10, 21, 10, 0, seconds)).toISOString()
  const message = 'The post_stop hook “x” ended with 1. icebox hooks web shows what it said.'
  await journal(root, 'web', [{ at: hookAt(1), op: 'hook', outcome: 'failed', message }])
  const record = { point: 'post_stop', kind: 'shell', run: 'x', outcome: 'failed', code: 1, isTrial: false }
  const lines = [hookAt(0), hookAt(40)].map((at) => JSON.stringify({ ...record, at }))
  await writeFile(root.path('state', 'web', 'agent', 'hooks.jsonl'), `${lines.join('\n')}\n`)
  const found = await readActivity({ root }, { limit: 10 })
  expect(found.map((entry) => entry.at)).toEqual([hookAt(40), hookAt(1)])
  expect(new Set(messages(found))).toEqual(new Set(['The post_stop hook “x” ended with 1.']))
})
