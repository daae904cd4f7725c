import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Captured } from '../../../src-main/backends/backend.ts'
import {
  type CaptureTarget,
  type FreezeOptions,
  Freezer,
  type FreezeSubject,
} from '../../../src-main/backends/freezer.ts'
import { readIntent } from '../../../src-main/state/intent.ts'
import { readJournal } from '../../../src-main/state/journal.ts'
import type { StateRoot } from '../../../src-main/state/root.ts'
import { readCommittedImage, readSnapshots } from '../../../src-main/state/snapshot-files.ts'
import { bottleError } from '../../../src-main/system/bottle-error.ts'
import { sampleRef } from '../../support/samples.ts'
import { testRoot } from '../../support/test-root.ts'

afterEach(() => vi.unstubAllEnvs())

type Step = 'capture' | 'verify' | 'discard'

/** Captures one file of a folder into `<id>.d`, and runs a hook at each step. */
class FolderFreezer extends Freezer {
  override readonly backend = 'host' as const
  readonly hooks: Partial<Record<Step, (target: CaptureTarget) => Promise<unknown>>> = {}
  isDiscardable = true
  /** A capture may find another name for what it made. */
  calledOtherwise = ''

  override targetFor(_subject: FreezeSubject, _id: string, partsDir: string): string {
    return partsDir
  }

  protected override async capture(
    subject: FreezeSubject,
    target: CaptureTarget,
    options: FreezeOptions,
  ): Promise<Captured> {
    if (!(await options.confirm('Stop it?'))) throw bottleError('cancelled')
    await mkdir(target.partsDir, { recursive: true })
    await writeFile(join(target.partsDir, 'work'), await readFile(join(subject.stateDir, 'work')))
    await this.hooks.capture?.(target)
    return {
      reference: target.reference + this.calledOtherwise,
      digest: 'sha256:work',
      fidelity: 'files',
      leftOut: ['/tmp'],
      bytes: 4,
      ownBytes: 4,
      volumes: [],
      facts: { a: 1 },
      notices: ['A notice.'],
    }
  }

  protected override async verify(_captured: Captured, target: CaptureTarget): Promise<void> {
    await this.hooks.verify?.(target)
  }

  protected override async discard(_subject: FreezeSubject, target: CaptureTarget): Promise<boolean> {
    await this.hooks.discard?.(target)
    if (!this.isDiscardable) return false
    await rm(target.partsDir, { recursive: true, force: true })
    return true
  }
}

interface Scene {
  readonly root: StateRoot
  readonly freezer: FolderFreezer
  readonly freeze: (options?: Partial<FreezeOptions>, signal?: AbortSignal) => ReturnType<Freezer['freeze']>
}

async function scene(): Promise<Scene> {
  const root = await testRoot()
  const stateDir = root.path('state', 'web')
  await mkdir(stateDir)
  await writeFile(join(stateDir, 'work'), 'work')
  const freezer = new FolderFreezer()
  const subject: FreezeSubject = {
    slug: 'web',
    stateDir,
    runtime: sampleRef({ backend: 'host' }),
    parent: null,
    agent: 'reviewer',
    provider: 'claude',
  }
  const defaults = { reason: 'user', note: 'n', label: 'l', pinned: true, confirm: async () => true } as const
  return {
    root,
    freezer,
    freeze: (options = {}, signal = new AbortController().signal) =>
      freezer.freeze(root, subject, { ...defaults, ...options }, () => undefined, signal),
  }
}

const read = (root: StateRoot, ...parts: string[]) =>
  readFile(root.path('state', 'web', ...parts), 'utf8').catch(() => null)

/** What must hold after every failure: the older snapshot is whole, recorded and current. */
async function expectStillCurrent({ root }: Scene, older: { id: string; reference: string }): Promise<void> {
  expect(await readCommittedImage(root, 'web')).toEqual({ kind: 'ok', reference: older.reference })
  expect(await readFile(join(older.reference, 'work'), 'utf8')).toBe('work')
  const { snapshots } = await readSnapshots(root, 'web')
  expect(snapshots.map((snapshot) => snapshot.id)).toEqual([older.id])
}

const fail = (code: 'engine-failed' | 'disk-full') => async () => {
  throw bottleError(code)
}

describe('a freeze', () => {
  test('records what was captured, switches and leaves no intent', async () => {
    const { root, freeze } = await scene()
    const { snapshot, notices } = await freeze()
    expect(snapshot).toMatchObject({
      slug: 'web',
      backend: 'host',
      digest: 'sha256:work',
      leftOut: ['/tmp'],
      facts: { a: 1 },
      note: 'n',
      label: 'l',
      pinned: true,
      runId: 'run1',
      status: 'ready',
    })
    expect(notices).toEqual(['A notice.'])
    expect((await readSnapshots(root, 'web')).snapshots).toEqual([snapshot])
    expect(await read(root, 'committed-image')).toBe(`${snapshot.reference}\n`)
    expect(await read(root, '.preserve')).toBe('')
    expect(await readIntent(root, 'web')).toBeNull()
  })

  test('writes the intent before it captures, and nothing else before it verified', async () => {
    const { root, freezer, freeze } = await scene()
    const seen: string[] = []
    const look = (step: string) => async (target: CaptureTarget) => {
      const intent = await readIntent(root, 'web')
      if (intent === null || intent === 'corrupt') throw new Error(`no intent at ${step}`)
      expect(intent).toMatchObject({
        op: 'freeze',
        runId: 'run1',
        snapshotId: target.snapshotId,
        target: target.reference,
        draft: target.record,
      })
      expect(await read(root, 'committed-image')).toBeNull()
      expect((await readSnapshots(root, 'web')).snapshots).toEqual([])
      seen.push(step)
    }
    freezer.hooks.capture = look('capture')
    freezer.hooks.verify = look('verify')
    await freeze()
    expect(seen).toEqual(['capture', 'verify'])
  })

  test('never uses a target twice', async () => {
    const { freeze } = await scene()
    const references = [await freeze(), await freeze(), await freeze()].map(
      ({ snapshot }) => snapshot.reference,
    )
    expect(new Set(references).size).toBe(3)
  })
})

describe('a freeze that fails', () => {
  test.each(['capture', 'verify'] as const)(
    'in %s leaves the older snapshot and nothing new',
    async (step) => {
      const made = await scene()
      const { snapshot: older } = await made.freeze()
      made.freezer.hooks[step] = fail('engine-failed')
      await expect(made.freeze()).rejects.toMatchObject({ code: 'engine-failed', slug: 'web' })
      await expectStillCurrent(made, older)
      expect(await readIntent(made.root, 'web')).toBeNull()
      const names = (await readdir(made.root.path('state', 'web', 'snapshots'))).sort()
      expect(names).toEqual([`${older.id}.d`, `${older.id}.json`])
      expect((await readJournal(made.root, 'web')).at(-1)).toMatchObject({
        op: 'freeze',
        outcome: 'failed',
        code: 'engine-failed',
      })
    },
  )

  test.each([
    ['says that something is left', { isDiscardable: false, discard: async () => undefined }],
    ['fails too', { isDiscardable: true, discard: fail('disk-full') }],
  ])('keeps its intent when the discard %s', async (_what, { isDiscardable, discard }) => {
    const made = await scene()
    const { snapshot: older } = await made.freeze()
    made.freezer.hooks.verify = fail('engine-failed')
    made.freezer.hooks.discard = discard
    made.freezer.isDiscardable = isDiscardable
    await expect(made.freeze()).rejects.toMatchObject({ code: 'engine-failed' })
    await expectStillCurrent(made, older)
    expect(await readIntent(made.root, 'web')).toMatchObject({ op: 'freeze', target: expect.any(String) })
  })

  test('after the record, before the switch, takes the record back', async () => {
    const made = await scene()
    const { snapshot: older } = await made.freeze()
    vi.stubEnv('ICEBOX_FAULT', 'freeze:after-record:throw')
    await expect(made.freeze()).rejects.toMatchObject({ code: 'disk-full' })
    vi.unstubAllEnvs()
    await expectStillCurrent(made, older)
    expect(await readIntent(made.root, 'web')).toBeNull()
  })

  test('after the switch keeps what is current now, and its intent for recovery', async () => {
    const made = await scene()
    await made.freeze()
    vi.stubEnv('ICEBOX_FAULT', 'freeze:after-switch:throw')
    await expect(made.freeze()).rejects.toMatchObject({ code: 'disk-full' })
    vi.unstubAllEnvs()
    const { snapshots } = await readSnapshots(made.root, 'web')
    const newest = snapshots.at(-1)
    expect(snapshots).toHaveLength(2)
    expect(await readCommittedImage(made.root, 'web')).toEqual({ kind: 'ok', reference: newest?.reference })
    expect(await readFile(join(newest?.reference ?? '', 'work'), 'utf8')).toBe('work')
    expect(await readIntent(made.root, 'web')).toMatchObject({ snapshotId: newest?.id })
  })

  test('after the switch keeps what the capture called otherwise than it was meant to be', async () => {
    const made = await scene()
    made.freezer.calledOtherwise = '/work'
    vi.stubEnv('ICEBOX_FAULT', 'freeze:after-switch:throw')
    await expect(made.freeze()).rejects.toMatchObject({ code: 'disk-full' })
    vi.unstubAllEnvs()
    const [snapshot] = (await readSnapshots(made.root, 'web')).snapshots
    expect(snapshot?.reference).toMatch(/\/work$/)
    expect(await readFile(snapshot?.reference ?? '', 'utf8')).toBe('work')
    expect(await readIntent(made.root, 'web')).toMatchObject({ snapshotId: snapshot?.id })
  })

  test('declined by the person changes nothing and is told as cancelled', async () => {
    const made = await scene()
    const { snapshot: older } = await made.freeze()
    await expect(made.freeze({ confirm: async () => false })).rejects.toMatchObject({ code: 'cancelled' })
    await expectStillCurrent(made, older)
    expect(await readIntent(made.root, 'web')).toBeNull()
    expect((await readJournal(made.root, 'web')).at(-1)).toMatchObject({
      outcome: 'cancelled',
      code: 'cancelled',
    })
  })

  test('aborted in the middle is cancelled, aborted before writes nothing', async () => {
    const made = await scene()
    const stop = new AbortController()
    made.freezer.hooks.capture = async () => {
      stop.abort()
      stop.signal.throwIfAborted()
    }
    await expect(made.freeze({}, stop.signal)).rejects.toMatchObject({ code: 'cancelled', slug: 'web' })
    expect(await read(made.root, 'committed-image')).toBeNull()
    expect(await readIntent(made.root, 'web')).toBeNull()
    expect((await readJournal(made.root, 'web')).at(-1)).toMatchObject({ outcome: 'cancelled' })
    const before = await readdir(made.root.path('state', 'web'))
    await expect(made.freeze({}, stop.signal)).rejects.toThrow()
    expect(await readdir(made.root.path('state', 'web'))).toEqual(before)
  })

  test('a first freeze that fails leaves a bottle that was never frozen', async () => {
    const made = await scene()
    made.freezer.hooks.verify = fail('disk-full')
    await expect(made.freeze()).rejects.toMatchObject({ code: 'disk-full' })
    expect(await readCommittedImage(made.root, 'web')).toEqual({ kind: 'absent' })
    expect((await readSnapshots(made.root, 'web')).snapshots).toEqual([])
  })
})
