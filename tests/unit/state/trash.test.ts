import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StateRoot } from '../../../src-main/state/root.ts'
import { openSettings } from '../../../src-main/state/settings.ts'
import { slugify } from '../../../src-main/state/slug.ts'
import { writeSnapshot } from '../../../src-main/state/snapshot-files.ts'
import {
  moveFromTrash,
  moveToTrash,
  purgeTrashFiles,
  readTrash,
  trashedSlugs,
  trashedSnapshots,
  trashSlug,
} from '../../../src-main/state/trash.ts'
import { sampleSnapshot } from '../../support/samples.ts'
import { tempFolder, testRoot } from '../../support/test-root.ts'

const NOW = new Date('2026-11-21T07:45:00.123Z')
const DAY = 86_400_000
/** The default of the setting. */
const TRASH_DAYS = 7

async function putBottle(root: StateRoot, slug: string): Promise<void> {
  await mkdir(root.path('state', slug))
  await writeFile(root.path('state', slug, 'metadata.json'), '{}')
}

describe('the trash', () => {
  test('takes a whole bottle and gives it back as it was', async () => {
    const root = await testRoot()
    await putBottle(root, 'web')
    await writeSnapshot(root, sampleSnapshot({ ownBytes: 100 }))
    const id = await moveToTrash(root, 'web', NOW)
    expect(id).toBe('web-20261121T074500Z')
    expect(await readdir(root.path('state'))).toEqual([])
    expect(await readTrash(root)).toEqual([
      {
        id,
        slug: 'web',
        destroyedAt: NOW.toISOString(),
        purgeAfter: new Date(NOW.getTime() + TRASH_DAYS * DAY).toISOString(),
        snapshots: 1,
        bytes: 100,
      },
    ])
    expect(await trashedSlugs(root)).toEqual(new Set(['web']))
    expect(await trashedSnapshots(root, id)).toHaveLength(1)
    await moveFromTrash(root, id, 'web')
    expect((await readdir(root.path('state', 'web'))).sort()).toEqual(['metadata.json', 'snapshots'])
    expect(await readTrash(root)).toEqual([])
  })

  test('two of one name and second stand side by side, newest first', async () => {
    const root = await testRoot()
    const times = [NOW, NOW, new Date(NOW.getTime() + 5000)]
    const ids: string[] = []
    for (const time of times) {
      await putBottle(root, 'web-1')
      ids.push(await moveToTrash(root, 'web-1', time))
    }
    expect(new Set(ids).size).toBe(3)
    const entries = await readTrash(root)
    expect(entries.map((entry) => entry.slug)).toEqual(['web-1', 'web-1', 'web-1'])
    expect(entries[0]?.id).toBe(ids[2])
  })

  test('a slug that was taken meanwhile keeps both', async () => {
    const root = await testRoot()
    await putBottle(root, 'web')
    const id = await moveToTrash(root, 'web', NOW)
    await putBottle(root, 'web')
    await expect(moveFromTrash(root, id, 'web')).rejects.toMatchObject({ code: 'exists' })
    expect(await readFile(root.path('state', 'web', 'metadata.json'), 'utf8')).toBe('{}')
    expect(await readTrash(root)).toHaveLength(1)
    await moveFromTrash(root, id, 'web-2')
    await expect(moveFromTrash(root, id, 'web-3')).rejects.toMatchObject({ code: 'not-found' })
  })

  test('purges one entry, without following links, also where folders are read-only', async () => {
    const root = await testRoot()
    const elsewhere = await tempFolder()
    await writeFile(`${elsewhere}/precious`, 'x')
    await putBottle(root, 'web')
    await mkdir(root.path('state', 'web', 'cache'), { mode: 0o500 })
    await symlink(elsewhere, root.path('state', 'web', 'link'))
    await putBottle(root, 'other')
    const id = await moveToTrash(root, 'web', NOW)
    const other = await moveToTrash(root, 'other', NOW)
    await purgeTrashFiles(root, id)
    await purgeTrashFiles(root, id)
    expect(await readdir(root.path('trash'))).toEqual([other])
    expect(await readdir(elsewhere)).toEqual(['precious'])
  })

  test.each(['', '.', '..', '../state', 'web', 'web-20261121T074500Z/..', '/etc'])(
    'refuses %j as an entry',
    async (id) => {
      const root = await testRoot()
      await putBottle(root, 'web')
      const kept = await moveToTrash(root, 'web', NOW)
      await expect(purgeTrashFiles(root, id)).rejects.toMatchObject({ code: 'not-found' })
      await expect(moveFromTrash(root, id, 'new')).rejects.toMatchObject({ code: 'not-found' })
      expect(await readdir(root.path('trash'))).toEqual([kept])
    },
  )

  test.each(['{', '{}', '{"destroyedAt":"soon"}', '{"destroyedAt":7}'])(
    'with the note %j the time is the one in the name',
    async (note) => {
      const root = await testRoot()
      await putBottle(root, 'web')
      const id = await moveToTrash(root, 'web', NOW)
      await writeFile(root.path('trash', id, 'destroyed.json'), note)
      expect((await readTrash(root))[0]?.destroyedAt).toBe('2026-11-21T07:45:00.000Z')
    },
  )

  test('without any usable time an entry is not due', async () => {
    const root = await testRoot()
    const before = Date.now()
    await mkdir(root.path('trash', 'web-99999999T999999Z'))
    const [entry] = await readTrash(root)
    expect(Date.parse(entry?.purgeAfter ?? '')).toBeGreaterThanOrEqual(before + TRASH_DAYS * DAY)
  })

  test('what else lies there is no entry', async () => {
    const root = await testRoot()
    for (const name of ['notes', 'Web-20261121T074500Z', '.web-20261121T074500Z', '-20261121T074500Z']) {
      await mkdir(root.path('trash', name))
    }
    expect(await readTrash(root)).toEqual([])
    expect(await trashedSlugs(root)).toEqual(new Set())
  })

  test('the slug is read back from any entry name', () => {
    const slug = fc.string({ maxLength: 80 }).map(slugify).filter(Boolean)
    fc.assert(
      fc.property(slug, fc.integer({ min: 2, max: 99 }), (text, n) => {
        expect(trashSlug(`${text}-20261121T074500Z`)).toBe(text)
        expect(trashSlug(`${text}-20261121T074500Z-${n}`)).toBe(text)
      }),
    )
  })
})

describe('how long things wait', () => {
  const daysLeft = async (root: StateRoot) => {
    const [entry] = await readTrash(root)
    return (Date.parse(entry?.purgeAfter ?? '') - NOW.getTime()) / DAY
  }
  const inTrash = async () => {
    const root = await testRoot()
    await putBottle(root, 'web')
    await moveToTrash(root, 'web', NOW)
    return root
  }
  test('is what the setting says, also for what lies there already', async () => {
    const root = await inTrash()
    expect(await daysLeft(root)).toBe(7)
    await (await openSettings(root)).set('trashDays', 30)
    expect(await daysLeft(root)).toBe(30)
  })
  test.each(['{"trashDays": 30', '{"trashDays": "a month"}'])(
    'is the longest time when the file can’t tell: %s',
    async (text) => {
      const root = await inTrash()
      await writeFile(root.path('icebox', 'settings.json'), text)
      expect(await daysLeft(root)).toBe(365)
    },
  )
})
