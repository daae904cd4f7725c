import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { parseSessionMark, readSession, writeSession } from '../../../src-main/state/session-file.ts'
import { parseSnapshot } from '../../../src-main/state/snapshot-files.ts'
import { testRoot } from '../../support/test-root.ts'

const MARK = { provider: 'claude', id: 'a-1', lastActivityAt: '2026-11-21T10:00:00.000Z' }
const SEEN = { runId: 'r1', mark: MARK, seenAt: '2026-11-21T10:00:01.000Z' }

async function scene() {
  const root = await testRoot()
  await mkdir(root.path('state', 'box'), { recursive: true })
  return { root, file: root.path('state', 'box', 'agent', 'session.json') }
}

test('what was seen of a run is known again, of that run only', async () => {
  const { root, file } = await scene()
  expect(await readSession(root, 'box', 'r1')).toBeNull()
  await writeSession(root, 'box', SEEN)
  expect(await readSession(root, 'box', 'r1')).toEqual(SEEN)
  expect(await readSession(root, 'box', 'r2')).toBeNull()
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  await writeSession(root, 'box', { ...SEEN, mark: null })
  expect((await readSession(root, 'box', 'r1'))?.mark).toBeNull()
})

test('weakness 14: writes are whole, keys of others survive, and a damaged file costs its content only', async () => {
  const { root, file } = await scene()
  await writeSession(root, 'box', SEEN)
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), later: [1] }))
  const many = Array.from({ length: 20 }, (_, at) => writeSession(root, 'box', { ...SEEN, seenAt: `${at}` }))
  await Promise.all(many)
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ later: [1], runId: 'r1' })
  expect(await readdir(root.path('state', 'box', 'agent'))).toEqual(['session.json'])
  await writeFile(file, '{"runId": "r1", "mark"')
  expect(await readSession(root, 'box', 'r1')).toBeNull()
  await writeSession(root, 'box', SEEN)
  expect(await readSession(root, 'box', 'r1')).toEqual(SEEN)
})

test('a bottle that was destroyed meanwhile stays gone', async () => {
  const { root } = await scene()
  await expect(writeSession(root, 'gone', SEEN)).rejects.toThrow('ENOENT')
  expect(await readdir(root.path('state'))).toEqual(['box'])
})

test.each([null, 1, 'x', {}, { ...MARK, id: '--help' }, { ...MARK, id: 'a b' }, { ...MARK, provider: 1 }])(
  '%j is no mark',
  (value) => {
    expect(parseSessionMark(value)).toBeNull()
  },
)

test('a snapshot tells a conversation, none, or that nobody knows', () => {
  const record = { id: '20261121T100000Z-aaaa', reference: 'x:1' }
  const session = (value: unknown) => parseSnapshot({ ...record, session: value })?.session
  expect(session(MARK)).toEqual(MARK)
  expect(session(null)).toBeNull()
  expect(session(undefined)).toBeUndefined()
  expect(session({ ...MARK, id: '-x' })).toBeUndefined()
})
