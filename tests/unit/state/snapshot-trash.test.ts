import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { noteGone, readGone } from '../../../src-main/state/gone-snapshots.ts'
import type { StateRoot } from '../../../src-main/state/root.ts'
import { readSnapshots, writeSnapshot } from '../../../src-main/state/snapshot-files.ts'
import {
  moveSnapshotFromTrash,
  moveSnapshotToTrash,
  readSnapshotEntry,
} from '../../../src-main/state/snapshot-trash.ts'
import { readTrash, trashedSnapshots } from '../../../src-main/state/trash.ts'
import { sampleSnapshot } from '../../support/samples.ts'
import { testRoot } from '../../support/test-root.ts'

const NOW = new Date('2026-11-21T07:45:00.123Z')
const OLD = sampleSnapshot({ id: '20261120T000000Z-aaaa' })
const NEW = sampleSnapshot({ id: '20261121T000000Z-bbbb', parent: OLD.id, ownBytes: 7 })

async function bottle(): Promise<StateRoot> {
  const root = await testRoot()
  await mkdir(root.path('state', 'web'))
  for (const snapshot of [OLD, NEW]) {
    await writeSnapshot(root, snapshot)
    const parts = root.path('state', 'web', 'snapshots', `${snapshot.id}.d`)
    await mkdir(parts)
    await writeFile(`${parts}/volume.tar`, snapshot.id)
  }
  return root
}

const idsOf = async (root: StateRoot) => (await readSnapshots(root, 'web')).snapshots.map(({ id }) => id)
const partOf = (root: StateRoot, id: string) =>
  readFile(root.path('state', 'web', 'snapshots', `${id}.d`, 'volume.tar'), 'utf8')

async function putBack(root: StateRoot, id: string): Promise<void> {
  const entry = await readSnapshotEntry(root, id)
  if (!entry) throw new Error('no entry of a snapshot')
  await moveSnapshotFromTrash(root, id, entry)
}

afterEach(() => {
  delete process.env.ICEBOX_FAULT
})

describe('one snapshot in the trash', () => {
  test('goes with its parts and comes back as it was', async () => {
    const root = await bottle()
    const before = await readSnapshots(root, 'web')
    const id = await moveSnapshotToTrash(root, NEW, true, NOW)
    expect(await idsOf(root)).toEqual([OLD.id])
    expect((await readdir(root.path('state', 'web', 'snapshots'))).sort()).toEqual([
      `${OLD.id}.d`,
      `${OLD.id}.json`,
    ])
    expect(await readTrash(root)).toMatchObject([
      { id, slug: 'web', snapshot: NEW.id, snapshots: 1, bytes: 7 },
    ])
    expect(await readSnapshotEntry(root, id)).toMatchObject({
      slug: 'web',
      wasCurrent: true,
      isOnlyHere: true,
    })
    await putBack(root, id)
    expect(await readSnapshots(root, 'web')).toEqual(before)
    expect(await partOf(root, NEW.id)).toBe(NEW.id)
    expect(await readdir(root.path('trash'))).toEqual([])
  })

  test('a whole bottle is no entry of a snapshot', async () => {
    const root = await testRoot()
    await mkdir(root.path('trash', 'web-20261121T074500Z'))
    expect(await readSnapshotEntry(root, 'web-20261121T074500Z')).toBeNull()
  })

  test('without its bottle it stays where it is', async () => {
    const root = await bottle()
    const id = await moveSnapshotToTrash(root, NEW, false, NOW)
    const entry = await readSnapshotEntry(root, id)
    const { rename } = await import('node:fs/promises')
    await rename(root.path('state', 'web'), root.path('state', 'web-2'))
    if (!entry) throw new Error('no entry')
    await expect(moveSnapshotFromTrash(root, id, entry)).rejects.toMatchObject({
      code: 'not-found',
      slug: 'web',
    })
    expect(await trashedSnapshots(root, id)).toHaveLength(1)
  })

  test.each(['delete-snapshot:after-entry', 'delete-snapshot:after-record'])(
    'cut off at %s nothing is lost',
    async (point) => {
      const root = await bottle()
      process.env.ICEBOX_FAULT = `${point}:throw`
      await expect(moveSnapshotToTrash(root, NEW, true, NOW)).rejects.toThrow('fault')
      delete process.env.ICEBOX_FAULT
      const [entry] = await readTrash(root)
      const id = entry?.id ?? ''
      const isStillThere = (await idsOf(root)).includes(NEW.id)
      expect(await readSnapshotEntry(root, id)).toMatchObject({ isOnlyHere: !isStillThere })
      await putBack(root, id)
      expect(await idsOf(root)).toEqual([OLD.id, NEW.id])
      expect(await partOf(root, NEW.id)).toBe(NEW.id)
      expect(await readTrash(root)).toEqual([])
    },
  )

  test('an undo that was cut off can be done again', async () => {
    const root = await bottle()
    const id = await moveSnapshotToTrash(root, NEW, true, NOW)
    process.env.ICEBOX_FAULT = 'undo-snapshot:after-record:throw'
    await expect(putBack(root, id)).rejects.toThrow('fault')
    delete process.env.ICEBOX_FAULT
    expect(await readSnapshotEntry(root, id)).toMatchObject({ isOnlyHere: false })
    await putBack(root, id)
    expect(await partOf(root, NEW.id)).toBe(NEW.id)
    expect(await readTrash(root)).toEqual([])
  })

  test('an entry whose record is gone says so', async () => {
    const root = await bottle()
    const id = await moveSnapshotToTrash(root, NEW, true, NOW)
    await writeFile(root.path('trash', id, 'snapshots', `${NEW.id}.json`), '{')
    await expect(readSnapshotEntry(root, id)).rejects.toMatchObject({ code: 'corrupt-state' })
  })
})

test('parents of deleted snapshots are remembered, and a damaged note is none', async () => {
  const root = await bottle()
  expect(await readGone(root, 'web')).toEqual(new Map())
  await noteGone(root, OLD)
  await noteGone(root, NEW)
  expect(await readGone(root, 'web')).toEqual(
    new Map([
      [OLD.id, null],
      [NEW.id, OLD.id],
    ]),
  )
  expect(await idsOf(root)).toEqual([OLD.id, NEW.id])
  await writeFile(root.path('state', 'web', 'snapshots', 'gone.json'), '[')
  expect(await readGone(root, 'web')).toEqual(new Map())
})
