import { execFile } from 'node:child_process'
import { chmod, mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

const never = new AbortController().signal
let tests: TestBottles
beforeAll(async () => {
  tests = await makeTestBottles('backend: host\nhealth: {command: [sh, -c, "test -e healthy"], timeout: 20}')
})
afterAll(() => tests.dispose())

const freeze = async (slug: string, pin = false): Promise<Snapshot> =>
  (await tests.icebox.bottles.freeze({ slug, pin }, tests.context())).snapshot
const live = (slug: string, ...path: string[]) =>
  join(tests.home.dir, 'state', slug, 'live/workspace', ...path)
const idsOf = async (slug: string) => (await tests.icebox.bottles.snapshots(slug)).map(({ id }) => id)
const remove = (slug: string, snapshot: string, confirm = true) =>
  tests.icebox.artifacts.deleteSnapshot({ slug, snapshot }, tests.context({ confirm }))

/** A bottle with snapshots, each after one more file `n`. */
async function frozen(count: number): Promise<{ slug: string; snapshots: Snapshot[] }> {
  const { slug } = await tests.run('true', 'host')
  const snapshots: Snapshot[] = []
  for (let n = 1; n <= count; n++) {
    await writeFile(live(slug, String(n)), 'x')
    snapshots.push(await freeze(slug))
  }
  return { slug, snapshots }
}

describe('a snapshot is deleted', () => {
  test('and comes back as it was; its children stay and are shown below its parent meanwhile', async () => {
    const { slug, snapshots } = await frozen(3)
    const [first, second, third] = snapshots as [Snapshot, Snapshot, Snapshot]
    const done = await remove(slug, second.id)
    expect(done.done[0]).toContain('icebox trash undo')
    const left = await tests.icebox.bottles.snapshots(slug)
    expect(left.map(({ id, parent }) => [id, parent])).toEqual([
      [first.id, null],
      [third.id, first.id],
    ])
    expect((await tests.icebox.bottles.detail(slug, never)).tree.at(-1)?.parent).toBe(first.id)
    const [entry] = await tests.icebox.bottles.trash()
    expect(entry).toMatchObject({ slug, snapshot: second.id, snapshots: 1 })
    expect(await tests.icebox.bottles.undo(entry?.id ?? '', tests.context())).toEqual({ slug })
    expect((await tests.icebox.bottles.snapshots(slug)).map(({ parent }) => parent)).toEqual([
      null,
      first.id,
      second.id,
    ])
    expect(await readdir(join(second.reference, 'workspace'))).toEqual(['1', '2'])
    expect(await tests.resume(`${slug}@${second.id}`, 'test -e 2 && test ! -e 3')).toBe(0)
    const journal = await tests.icebox.bottles.journal(slug)
    expect(journal.map(({ op }) => op)).toEqual(expect.arrayContaining(['delete snapshot', 'undo']))
  })

  test('the current one only while the files are there, and after a question', async () => {
    const { slug, snapshots } = await frozen(2)
    const [first, second] = snapshots as [Snapshot, Snapshot]
    await expect(remove(slug, second.id, false)).rejects.toMatchObject({ code: 'cancelled' })
    await remove(slug, second.id)
    expect(await tests.icebox.bottles.list(never)).toContainEqual(
      expect.objectContaining({ slug, currentSnapshot: first.id, snapshots: 1 }),
    )
    await remove(slug, first.id)
    expect(await idsOf(slug)).toEqual([])
    // The live files are all there is now, and they are kept: resuming freezes them first.
    expect(await tests.resume(slug, 'test -e 1 && test -e 2')).toBe(0)
    expect(await idsOf(slug)).toHaveLength(1)
  })

  test('the current one comes back as the current one', async () => {
    const { slug, snapshots } = await frozen(2)
    await remove(slug, snapshots[1]?.id ?? '')
    await tests.icebox.bottles.undo(slug, tests.context())
    expect((await tests.icebox.bottles.list(never)).find((row) => row.slug === slug)?.currentSnapshot).toBe(
      snapshots[1]?.id,
    )
  })

  test('never the only copy of the files', async () => {
    const { slug, snapshots } = await frozen(2)
    for (const part of ['live', 'run'])
      await rm(join(tests.home.dir, 'state', slug, part), { recursive: true })
    await expect(remove(slug, snapshots[1]?.id ?? '')).rejects.toMatchObject({ code: 'denied', slug })
    await remove(slug, snapshots[0]?.id ?? '')
    expect(await idsOf(slug)).toEqual([snapshots[1]?.id])
  })

  test('a pinned one only after a question', async () => {
    const { slug } = await tests.run('true', 'host')
    const pinned = await freeze(slug, true)
    await writeFile(live(slug, 'more'), 'x')
    await freeze(slug)
    await expect(remove(slug, pinned.id, false)).rejects.toMatchObject({ code: 'cancelled' })
    expect(await idsOf(slug)).toContain(pinned.id)
    await remove(slug, pinned.id)
    expect(await idsOf(slug)).not.toContain(pinned.id)
  })

  test('not one that a fork has nothing else than', async () => {
    const { slug, snapshots } = await frozen(2)
    const [fork] = await tests.icebox.bottles.fork(
      { slug, snapshot: snapshots[0]?.id, count: 1, mode: 'headless', prompt: 'true', cwd: tests.home.dir },
      tests.context(),
    )
    await expect(remove(slug, snapshots[0]?.id ?? '')).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining(fork?.slug ?? '?'),
    })
    await writeFile(live(fork?.slug ?? '', 'own'), 'x')
    await freeze(fork?.slug ?? '')
    await remove(slug, snapshots[0]?.id ?? '')
  })

  test('for good with the trash', async () => {
    const { slug, snapshots } = await frozen(2)
    await remove(slug, snapshots[0]?.id ?? '')
    const emptied = await tests.icebox.bottles.emptyTrash(tests.context())
    expect(emptied.left).toEqual([])
    expect(emptied.unrecoverable).toContain(`snapshot ${slug}@${snapshots[0]?.id}`)
    expect(await tests.icebox.bottles.trash()).toEqual([])
    expect(await idsOf(slug)).toEqual([snapshots[1]?.id])
    expect(await tests.resume(slug, 'test -e 2')).toBe(0)
  })
})

describe('differences', () => {
  const diff = async (slug: string, from: string | null, to: string | null) =>
    tests.icebox.artifacts.diff({ slug, snapshot: from }, { slug, snapshot: to }, tests.context())

  test('of two snapshots, and of a snapshot and the files as they are', async () => {
    const { slug } = await tests.run(
      'mkdir -p a/b; echo one > a/b/f; echo same > s; echo gone > g; ln -s s l',
    )
    await promisify(execFile)('sh', ['-c', 'printf x > "$(printf "bad\\377name")"'], { cwd: live(slug) })
    const first = await freeze(slug)
    await writeFile(live(slug, 'a/b/f'), 'two!\n')
    // Written again with the same content: no change.
    await writeFile(live(slug, 's'), 'same\n')
    await utimes(live(slug, 's'), 1, 1)
    await rm(live(slug, 'g'))
    await chmod(live(slug, 'a'), 0o700)
    await mkdir(live(slug, 'node_modules/left-pad'), { recursive: true })
    const lock = { packages: { 'node_modules/left-pad': { version: '1.3.0' } } }
    await writeFile(live(slug, 'node_modules/.package-lock.json'), JSON.stringify(lock))
    const expected = {
      totals: { added: 3, changed: 2, removed: 1, bytes: expect.any(Number) },
      entries: [
        { path: 'workspace/a', kind: 'metadata', type: 'folder', bytesBefore: null, bytesAfter: null },
        { path: 'workspace/a/b/f', kind: 'changed', type: 'file', bytesBefore: 4, bytesAfter: 5 },
        { path: 'workspace/g', kind: 'removed', type: 'file', bytesBefore: 5, bytesAfter: null },
        expect.objectContaining({ path: 'workspace/node_modules', kind: 'added', type: 'folder' }),
        expect.objectContaining({ path: 'workspace/node_modules/.package-lock.json', kind: 'added' }),
        expect.objectContaining({ path: 'workspace/node_modules/left-pad', kind: 'added' }),
      ],
      packages: [{ manager: 'npm', name: 'workspace: left-pad', before: null, after: '1.3.0' }],
      truncated: 0,
    }
    expect(await diff(slug, first.id, null)).toMatchObject({
      from: `${slug}@${first.id}`,
      to: slug,
      ...expected,
    })
    const second = await freeze(slug)
    expect(await diff(slug, first.id, 'latest')).toMatchObject({ to: `${slug}@${second.id}`, ...expected })
    expect((await diff(slug, second.id, null)).entries).toEqual([])
    const file = (path: string) =>
      tests.icebox.artifacts.diffFile(
        { slug, snapshot: first.id },
        { slug, snapshot: second.id },
        path,
        tests.context(),
      )
    expect((await file('workspace/a/b/f')).text).toContain('-one\n+two!')
    expect((await file('workspace/g')).text).toContain('-gone')
    expect(await file('workspace/l')).toMatchObject({ text: null, reason: 'It is a symbolic link.' })
    expect(await file('workspace/none')).toMatchObject({
      text: null,
      reason: 'Neither side has a file there.',
    })
    expect(await file('workspace/bad\\xffname')).toMatchObject({
      reason: 'Both sides have the same content.',
    })
    expect(await file('../../../../etc/passwd')).toMatchObject({
      text: null,
      reason: 'Neither side has a file there.',
    })
  })
})

describe('the proof of a restore', () => {
  const verify = (slug: string) => tests.icebox.artifacts.verify({ slug }, tests.context())

  test('passes or fails by the health check, and is kept in the record', async () => {
    const { slug } = await tests.run('true')
    await freeze(slug)
    expect((await verify(slug)).verified).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('ended with 1'),
    })
    await writeFile(live(slug, 'healthy'), '')
    await freeze(slug)
    const { verified } = await verify(slug)
    expect(verified).toMatchObject({ outcome: 'passed', check: expect.stringContaining('test -e healthy') })
    expect((await tests.icebox.bottles.snapshots(slug)).map((each) => each.verified?.outcome)).toEqual([
      'failed',
      'passed',
    ])
  })

  test('fails where the files are not those that were frozen', async () => {
    const { slug, snapshots } = await frozen(1)
    await writeFile(join(snapshots[0]?.reference ?? '', 'workspace/1'), 'spoilt')
    expect((await verify(slug)).verified).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('not those that were frozen'),
    })
  })
})

describe('space', () => {
  test('each snapshot is weighed, and thinning a dry run and a real one agree', async () => {
    const { slug, snapshots } = await frozen(4)
    const usage = await tests.icebox.artifacts.usage(never)
    expect(usage.notices).toEqual([])
    expect(usage.snapshots.filter((each) => each.slug === slug)).toHaveLength(4)
    expect(usage.freeBytes).toBeGreaterThan(0)
    const request = { slugs: [slug], policy: { last: 2, hourly: 0, daily: 0, weekly: 0 } }
    const planned = await tests.icebox.artifacts.prune({ ...request, dryRun: true }, tests.context())
    expect(planned.snapshots.map(({ id }) => id)).toEqual(snapshots.slice(0, 2).map(({ id }) => id))
    expect(await idsOf(slug)).toHaveLength(4)
    const real = await tests.icebox.artifacts.prune({ ...request, dryRun: false }, tests.context())
    expect(real).toEqual({ ...planned, dryRun: false })
    expect(await idsOf(slug)).toEqual(snapshots.slice(2).map(({ id }) => id))
    await expect(
      tests.icebox.artifacts.prune({ dryRun: true, slugs: ['nobody'] }, tests.context()),
    ).rejects.toMatchObject({ code: 'not-found' })
  })

  test('a freeze thins by itself only where the setting says so', async () => {
    const { slug } = await frozen(2)
    const settings = await tests.icebox.settings()
    for (const key of ['retentionHourly', 'retentionDaily', 'retentionWeekly']) await settings.set(key, 0)
    await settings.set('retentionLast', 1)
    await writeFile(live(slug, '3'), 'x')
    await freeze(slug)
    expect(await idsOf(slug)).toHaveLength(3)
    await settings.set('autoThin', true)
    await writeFile(live(slug, '4'), 'x')
    const newest = await freeze(slug)
    await settings.set('autoThin', false)
    expect(await idsOf(slug)).toEqual([newest.id])
  })
})
