import { lstat, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BackendName, Snapshot } from '../../../src-preload/contract/index.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { Captured, EngineIntent, RecoverResult, ReportProgress } from '../backend.ts'
import { type CaptureTarget, type FreezeOptions, Freezer, type FreezeSubject } from '../freezer.ts'
import { ARTIFACTS, dropParts, ownPartsDir, readResult, wayOf } from './capture-files.ts'
import { LISTING } from './capture-listing.ts'
import type { FreezerTools } from './capture-scene.ts'

/** After this long a capture that can't be verified is not waited for. */
const GIVE_UP_MS = 60 * 60_000

/**
 * Freezes a machine: a checkpoint with memory where the version has it, else a pack, for which the machine is stopped
 * after a question, else a copy of its files as an image. Source: issue 5; cli-contracts.md §2.5, §2.6.
 */
export class SmolmachinesFreezer extends Freezer {
  override readonly backend: BackendName = 'smolmachines'
  private readonly tools: FreezerTools

  constructor(tools: FreezerTools) {
    super()
    this.tools = tools
  }

  /** The most usual of the names; a capture that goes another way tells its own. */
  override targetFor(_subject: Pick<FreezeSubject, 'slug'>, _snapshotId: string, partsDir: string): string {
    return join(partsDir, ARTIFACTS.pack)
  }

  protected override async capture(
    subject: FreezeSubject,
    target: CaptureTarget,
    options: FreezeOptions,
    progress: ReportProgress,
    signal: AbortSignal,
  ): Promise<Captured> {
    const { captureMachine } = await import('./capture.ts')
    return captureMachine(this.tools, subject, target, options, progress, signal)
  }

  /** Boots what was made, without network, and reads back what was written before the freeze. */
  protected override async verify(
    captured: Captured,
    target: CaptureTarget,
    signal: AbortSignal,
  ): Promise<void> {
    const found = await lstat(captured.reference).catch(() => null)
    if (dirname(captured.reference) !== target.partsDir || found?.size !== captured.facts.fileBytes) {
      throw bottleError('engine-failed', 'The file of the snapshot is not where and as long as it should be.')
    }
    const { captureProblem } = await import('./capture-verify.ts')
    const problem = await captureProblem(this.tools, target.record.slug, captured, target.partsDir, signal)
    if (problem === null) {
      await rm(join(target.partsDir, LISTING), { force: true })
      return
    }
    throw bottleError(
      'engine-failed',
      `What smolvm made is not the bottle that was frozen, so it was not kept. ${problem}`,
    )
  }

  protected override async discard(subject: FreezeSubject, target: CaptureTarget): Promise<boolean> {
    const { settleWritten } = await import('./capture-settle.ts')
    const isSettled = await settleWritten(this.tools, subject.runtime, target.partsDir)
    if (isSettled) await dropParts(target.partsDir)
    return isSettled
  }

  /** Completes or takes back a freeze whose process died; its bottle is as it was afterwards. @throws BottleError */
  async recover(intent: EngineIntent, signal: AbortSignal): Promise<RecoverResult> {
    const { runtime } = intent
    const partsDir = ownPartsDir(intent.stateDir, intent.snapshotId)
    if (!runtime || !partsDir) return { outcome: 'discarded', runtime, captured: null }
    const [{ settleWritten }, { sweepHelpers }, { captureProblem }] = await Promise.all([
      import('./capture-settle.ts'),
      import('./capture-helper.ts'),
      import('./capture-verify.ts'),
    ])
    await settleWritten(this.tools, runtime, partsDir)
    await sweepHelpers(this.tools.machines, this.tools.home, signal)
    const captured = await readResult(partsDir)
    if (captured) {
      try {
        const problem = await captureProblem(this.tools, intent.slug, captured, partsDir, signal)
        if (problem === null) {
          await rm(join(partsDir, LISTING), { force: true })
          return { outcome: 'captured', runtime, captured }
        }
      } catch (thrown) {
        // An engine that fails says nothing of the file; after a while nobody waits for it any more.
        if (signal.aborted || Date.now() - Date.parse(intent.startedAt) < GIVE_UP_MS) throw thrown
      }
    }
    await dropParts(partsDir)
    return { outcome: 'discarded', runtime, captured: null }
  }

  /** The file itself is what smolvm reads. */
  protected override exportHint({ slug, reference }: Snapshot): string {
    const ending = { pack: 'smolmachine', checkpoint: 'smolcheckpoint', 'guest-tar': 'tar' }[
      wayOf(reference) ?? 'pack'
    ]
    return `cp ${quoted(reference)} ${slug}.${ending}`
  }
}

/** For a person's shell: only paths with odd letters need it. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
