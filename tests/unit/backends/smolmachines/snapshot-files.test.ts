import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSmolContext } from '../../../../src-main/backends/smolmachines/context.ts'
import { discardFiles } from '../../../../src-main/backends/smolmachines/inventory.ts'
import { smolDataRoot } from '../../../../src-main/backends/smolmachines/probe.ts'
import { artifactPath } from '../../../../src-main/backends/smolmachines/run-paths.ts'
import { tagSnapshotFile } from '../../../../src-main/backends/smolmachines/tag-snapshot.ts'
import type { Snapshot } from '../../../../src-preload/contract/index.ts'

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'icebox-smol-files-'))
})
afterAll(() => rm(home, { recursive: true }))

const ID = '20261121T170000Z-abcd'
const never = new AbortController().signal
const context = () => createSmolContext('r', home, { PATH: '/nowhere', HOME: home })
const snapshot = (reference: string): Snapshot => ({
  ...{ version: 1, id: ID, slug: 'web', parent: null, backend: 'smolmachines', reference, digest: '' },
  ...{
    createdAt: '2026-11-21T17:00:00Z',
    fidelity: 'files',
    leftOut: [],
    bytes: 1,
    ownBytes: 1,
    reason: 'user',
  },
  ...{ note: '', label: '', pinned: false, status: 'ready', runId: null, agent: '', provider: '' },
  ...{ volumes: [], verified: null, facts: {} },
})

describe('a pack that another program made', () => {
  it('gets a file of its own, and the original stays', async () => {
    const original = join(home, 'state/web/committed-smolmachine.smolmachine')
    await mkdir(join(home, 'state/web'), { recursive: true })
    await writeFile(original, 'packed')
    const tagged = await tagSnapshotFile(context(), snapshot(original), never)
    const digest = `sha256:${createHash('sha256').update('packed').digest('hex')}`
    const reference = join(home, 'state/web/snapshots', `${ID}.d`, 'bottle.smolmachine')
    expect(tagged).toEqual({ reference, digest })
    expect(await readFile(reference, 'utf8')).toBe('packed')
    expect(await readFile(original, 'utf8')).toBe('packed')
  })

  it('that is gone is told as gone', async () => {
    expect(await tagSnapshotFile(context(), snapshot('/nowhere/x.smolmachine'), never)).toBeNull()
  })
})

describe('the files of a snapshot', () => {
  it('are found where its bottle is now, whatever its name was', () => {
    const moved = snapshot('/other/state/old/snapshots/x.d/bottle.smolcheckpoint')
    expect(artifactPath(home, moved)).toEqual({
      name: 'bottle.smolcheckpoint',
      path: join(home, 'state/web/snapshots', `${ID}.d`, 'bottle.smolcheckpoint'),
    })
    expect(() => artifactPath(home, snapshot('bot-bottle-committed-web:latest'))).toThrow(
      expect.objectContaining({ code: 'snapshot-missing' }),
    )
    expect(() => artifactPath(home, { ...snapshot('/x/image.tar'), slug: '../..' })).toThrow()
  })

  it('go with it, and nothing that is not ours goes', async () => {
    const foreign = join(home, 'precious.smolmachine')
    await writeFile(foreign, 'precious')
    expect(await discardFiles(context(), snapshot(foreign))).toMatchObject({
      removed: [],
      left: [expect.any(String)],
    })
    expect(await readFile(foreign, 'utf8')).toBe('precious')
    const { path } = artifactPath(home, snapshot('/x/bottle.smolmachine'))
    expect((await discardFiles(context(), snapshot(path))).removed).toEqual([path])
    expect(await stat(path).catch(() => null)).toBeNull()
    expect(await discardFiles(context(), snapshot(path))).toEqual({ removed: [], left: [] })
  })
})

it('the engine’s own folder is told only when it is there', async () => {
  expect(await smolDataRoot(context())).toBeNull()
  const folder = process.platform === 'darwin' ? 'Library/Caches/smolvm' : '.cache/smolvm'
  await mkdir(join(home, folder), { recursive: true })
  expect(await smolDataRoot(context())).toBe(join(home, folder))
})
