import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StateRoot } from '../../../src-main/state/root.ts'
import {
  currentSnapshot,
  isSnapshotId,
  markPreserved,
  newSnapshotId,
  parseSnapshot,
  pickSnapshot,
  readCommittedImage,
  readSnapshots,
  removeSnapshotRecord,
  writeCommittedImage,
  writeSnapshot,
} from '../../../src-main/state/snapshot-files.ts'
import { Snapshot } from '../../../src-preload/contract/index.ts'
import { SNAPSHOT_ID, sampleSnapshot } from '../../support/samples.ts'
import { testRoot } from '../../support/test-root.ts'

async function webRoot(): Promise<StateRoot> {
  const root = await testRoot()
  await mkdir(root.path('state', 'web', 'snapshots'), { recursive: true })
  return root
}

const recordFile = (root: StateRoot, id: string) => root.path('state', 'web', 'snapshots', `${id}.json`)

describe('newSnapshotId', () => {
  test('sorts by time and never repeats', () => {
    expect(newSnapshotId(new Date('2026-11-21T07:45:00.999Z'))).toMatch(/^20261121T074500Z-[0-9a-z]{4}$/)
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
        const id = newSnapshotId(date)
        expect(isSnapshotId(id)).toBe(true)
        const later = newSnapshotId(new Date(date.getTime() + 1000))
        expect(id < later || date.getTime() > Date.parse('9999-12-31')).toBe(true)
      }),
    )
  })
})

describe('parseSnapshot', () => {
  test('fills what an older version left out', () => {
    const parsed = parseSnapshot({ id: SNAPSHOT_ID, reference: 'img:1' })
    expect(Snapshot.safeParse(parsed).success).toBe(true)
    expect(parsed).toMatchObject({ backend: 'docker', fidelity: 'files', reason: 'user', status: 'ready' })
  })

  test('keeps what a later version added', () => {
    const parsed = parseSnapshot({ id: SNAPSHOT_ID, reference: 'img:1', later: true })
    expect(parsed).toHaveProperty('later', true)
  })

  test('a proof of restore is read, and what is none is none', () => {
    const of = (verified: unknown) =>
      parseSnapshot({ id: SNAPSHOT_ID, reference: 'img:1', verified })?.verified
    const passed = { at: '2026-11-21T08:00:00.000Z', outcome: 'passed', check: 'true', detail: 'ok' }
    expect(of(passed)).toEqual(passed)
    expect(of({ ...passed, check: 7 })).toEqual({ ...passed, check: null })
    for (const bad of [undefined, null, true, 'passed', {}, { outcome: 'maybe' }]) expect(of(bad)).toBeNull()
  })

  test.each([
    {},
    { id: SNAPSHOT_ID },
    { id: SNAPSHOT_ID, reference: '' },
    { id: '../x', reference: 'img' },
    { id: `${SNAPSHOT_ID}\n`, reference: 'img' },
    { id: 7, reference: 'img' },
  ])('%j is no record', (value) => {
    expect(parseSnapshot(value)).toBeNull()
  })

  test.each(['../../../etc/passwd', '/etc/passwd', 'a/b', '..', '.', '', 'a\\b', 'a\0b'])(
    'a volume kept in %j makes it no record',
    (file) => {
      const volume = { destination: '/data', kind: 'named', name: 'v', file, bytes: 1, sha256: 'x' }
      expect(parseSnapshot({ id: SNAPSHOT_ID, reference: 'img', volumes: [volume] })).toBeNull()
      const good = { ...volume, file: 'volume-1.tar' }
      expect(parseSnapshot({ id: SNAPSHOT_ID, reference: 'img', volumes: [good] })?.volumes).toEqual([good])
    },
  )

  test('takes any JSON and gives a record of the contract, or none', () => {
    const record = fc
      .dictionary(
        fc.constantFrom(
          'slug',
          'parent',
          'leftOut',
          'bytes',
          'ownBytes',
          'reason',
          'status',
          'facts',
          'note',
        ),
        fc.jsonValue(),
      )
      .map((more) => ({ ...more, id: SNAPSHOT_ID, reference: 'img:1' }))
    fc.assert(
      fc.property(record, (value) => {
        const parsed = parseSnapshot(value)
        expect(Snapshot.safeParse(parsed).error).toBeUndefined()
      }),
    )
  })
})

describe('records on disk', () => {
  test('come back as written, oldest first, whatever else lies there', async () => {
    const root = await webRoot()
    const [a, b, c] = ['20260101T000000Z-zzzz', '20260101T000001Z-aaaa', '20260102T000000Z-0000']
    for (const id of [c, a, b]) await writeSnapshot(root, sampleSnapshot({ id: id ?? '' }))
    await mkdir(root.path('state', 'web', 'snapshots', `${a}.d`))
    await writeFile(root.path('state', 'web', 'snapshots', '.x.json.0123.tmp'), '{')
    await writeFile(root.path('state', 'web', 'snapshots', 'notes.json'), '{')
    const { snapshots, damaged } = await readSnapshots(root, 'web')
    expect(snapshots.map((snapshot) => snapshot.id)).toEqual([a, b, c])
    expect(snapshots[0]).toEqual(sampleSnapshot({ id: a ?? '' }))
    expect(damaged).toEqual([])
  })

  test('two of one second are in the order of their making', async () => {
    const root = await webRoot()
    const first = sampleSnapshot({ id: '20260101T000000Z-zzzz', createdAt: '2026-01-01T00:00:00.100Z' })
    const second = sampleSnapshot({ id: '20260101T000000Z-aaaa', createdAt: '2026-01-01T00:00:00.900Z' })
    await writeSnapshot(root, second)
    await writeSnapshot(root, first)
    const { snapshots } = await readSnapshots(root, 'web')
    expect(snapshots.map((snapshot) => snapshot.id)).toEqual([first.id, second.id])
    expect(pickSnapshot('web', snapshots, 'latest').id).toBe(second.id)
  })

  test('a damaged one is named and copied once, and hides no other', async () => {
    const root = await webRoot()
    await writeSnapshot(root, sampleSnapshot())
    const torn = recordFile(root, '20260101T000000Z-torn')
    const wrong = recordFile(root, '20260101T000000Z-mine')
    await writeFile(torn, '{"id": "2026')
    await writeFile(wrong, JSON.stringify(sampleSnapshot()))
    for (let n = 0; n < 3; n++) {
      const { snapshots, damaged } = await readSnapshots(root, 'web')
      expect(snapshots.map((snapshot) => snapshot.id)).toEqual([SNAPSHOT_ID])
      expect([...damaged].sort()).toEqual([wrong, torn].sort())
    }
    expect(await readdir(root.path('icebox', 'quarantine'))).toHaveLength(2)
    expect(await readFile(torn, 'utf8')).toBe('{"id": "2026')
  })

  test('one of a newer Icebox is read, never written', async () => {
    const root = await webRoot()
    const text = JSON.stringify({ ...sampleSnapshot(), version: 2, news: 'x' })
    await writeFile(recordFile(root, SNAPSHOT_ID), text)
    const { snapshots } = await readSnapshots(root, 'web')
    expect(snapshots).toHaveLength(1)
    await expect(writeSnapshot(root, sampleSnapshot({ note: 'mine' }))).rejects.toMatchObject({
      code: 'unsupported',
    })
    expect(await readFile(recordFile(root, SNAPSHOT_ID), 'utf8')).toBe(text)
  })

  test('a bottle that was destroyed meanwhile does not come back', async () => {
    const root = await testRoot()
    await expect(writeSnapshot(root, sampleSnapshot())).rejects.toThrow()
    expect(await readdir(root.path('state'))).toEqual([])
  })

  test('no folder, or a file in its place, holds none', async () => {
    const root = await testRoot()
    await mkdir(root.path('state', 'web'))
    expect((await readSnapshots(root, 'web')).snapshots).toEqual([])
    await writeFile(root.path('state', 'web', 'snapshots'), '')
    expect((await readSnapshots(root, 'web')).snapshots).toEqual([])
    expect((await readSnapshots(root, 'nowhere')).snapshots).toEqual([])
  })

  test('a removed record is gone, and removing it again is no error', async () => {
    const root = await webRoot()
    await writeSnapshot(root, sampleSnapshot())
    await removeSnapshotRecord(root, 'web', SNAPSHOT_ID)
    await removeSnapshotRecord(root, 'web', SNAPSHOT_ID)
    expect((await readSnapshots(root, 'web')).snapshots).toEqual([])
  })
})

describe('committed-image', () => {
  const read = async (content: string | Buffer) => {
    const root = await webRoot()
    await writeFile(root.path('state', 'web', 'committed-image'), content)
    return readCommittedImage(root, 'web')
  }

  test.each([
    ['bot-bottle-committed-web:latest\n', 'bot-bottle-committed-web:latest'],
    ['bot-bottle-committed-web:20261121T074500Z-k3f9', 'bot-bottle-committed-web:20261121T074500Z-k3f9'],
    ['  localhost:5000/a/b@sha256:0af \r\n', 'localhost:5000/a/b@sha256:0af'],
    ['/home/a b/état/snapshots/x.d\n', '/home/a b/état/snapshots/x.d'],
  ])('%j names %j', async (content, reference) => {
    expect(await read(content)).toEqual({ kind: 'ok', reference })
  })

  test.each([
    '',
    '\n',
    '   \n',
    'a\nb\n',
    'img:1\nimg:2',
    'two words',
    '/a\n/b\n',
    '/a\0b',
    '--flag',
    '-v',
    '$(id)',
    'img;rm',
    Buffer.from([0x69, 0x6d, 0xff, 0xfe]),
    Buffer.from([0x2f, 0x69, 0xff, 0xfe]),
    `img:${'x'.repeat(5000)}`,
  ])('%j is corrupt', async (content) => {
    expect(await read(content)).toMatchObject({ kind: 'corrupt' })
  })

  test('absent, and a folder in its place, are told apart', async () => {
    const root = await webRoot()
    expect(await readCommittedImage(root, 'web')).toEqual({ kind: 'absent' })
    await mkdir(root.path('state', 'web', 'committed-image'))
    expect(await readCommittedImage(root, 'web')).toMatchObject({ kind: 'corrupt' })
  })

  test('is one line and a newline, and switches whole', async () => {
    const root = await webRoot()
    await writeCommittedImage(root, 'web', 'a-much-longer-reference:1')
    await writeCommittedImage(root, 'web', 'img:2')
    expect(await readFile(root.path('state', 'web', 'committed-image'), 'utf8')).toBe('img:2\n')
  })

  test('what is written is read back', async () => {
    const root = await webRoot()
    const part = fc.stringMatching(/^[a-z0-9]{1,20}$/)
    const path = fc.array(fc.stringMatching(/^[\w äß.-]{1,12}[a-z]$/), { minLength: 1, maxLength: 4 })
    const reference = fc.oneof(
      fc.tuple(part, part).map(([name, tag]) => `${name}:${tag}`),
      path.map((parts) => `/${parts.join('/')}`),
    )
    await fc.assert(
      fc.asyncProperty(reference, async (text) => {
        await writeCommittedImage(root, 'web', text)
        expect(await readCommittedImage(root, 'web')).toEqual({ kind: 'ok', reference: text })
      }),
      { numRuns: 25 },
    )
  })
})

describe('.preserve', () => {
  test('is an empty file, and marking again keeps it so', async () => {
    const root = await webRoot()
    await markPreserved(root, 'web')
    await markPreserved(root, 'web')
    expect((await stat(root.path('state', 'web', '.preserve'))).size).toBe(0)
    await rm(root.path('state', 'web'), { recursive: true })
    await expect(markPreserved(root, 'web')).rejects.toThrow()
  })
})

describe('choosing a snapshot', () => {
  const old = sampleSnapshot({ id: '20260101T000000Z-aaaa' })
  const mid = sampleSnapshot({ id: '20260101T000000Z-abcd' })
  const young = sampleSnapshot({ id: '20260202T000000Z-aaaa' })
  const all = [old, mid, young]

  test('by id, by a clear beginning, or the latest', () => {
    expect(pickSnapshot('web', all, mid.id)).toBe(mid)
    expect(pickSnapshot('web', all, 'latest')).toBe(young)
    expect(pickSnapshot('web', all, '202602')).toBe(young)
    expect(pickSnapshot('web', all, '20260101T000000Z-ab')).toBe(mid)
  })

  test.each(['', '202', '2026', '20260101', 'nothing', '20270101T000000Z-aaaa', '../x'])(
    '%j is refused, with what there is',
    (wanted) => {
      expect(() => pickSnapshot('web', all, wanted)).toThrow(
        expect.objectContaining({ code: 'snapshot-missing', message: expect.stringContaining(young.id) }),
      )
    },
  )

  test('without any, it says none', () => {
    expect(() => pickSnapshot('web', [], 'latest')).toThrow(/none/)
  })

  test('the current one is what committed-image names, not the newest', () => {
    expect(currentSnapshot(all, { kind: 'ok', reference: old.reference })).toBe(old)
    expect(currentSnapshot(all, { kind: 'ok', reference: 'bot-bottle-committed-web:latest' })).toBeNull()
    expect(currentSnapshot(all, { kind: 'absent' })).toBeNull()
    expect(currentSnapshot(all, { kind: 'corrupt', file: 'x' })).toBeNull()
  })
})
