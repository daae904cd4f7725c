import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { Captured, ReportProgress } from '../backend.ts'
import { type CaptureTarget, type FreezeOptions, Freezer, type FreezeSubject } from '../freezer.ts'
import type { Engine } from './engine.ts'
import { snapshotTag } from './labels.ts'

/** Docker refuses near 125 layers. */
const FLATTEN_AT = 100
const LATE_MS = 120_000

/** Freezes by committing the container, with its volumes copied at the same point in time. */
export class DockerFreezer extends Freezer {
  readonly backend = 'docker'
  private readonly engine: Engine
  private readonly flattenAt: number

  constructor(engine: Engine, flattenAt = FLATTEN_AT) {
    super()
    this.engine = engine
    this.flattenAt = flattenAt
  }

  override targetFor(subject: Pick<FreezeSubject, 'slug'>, snapshotId: string): string {
    return snapshotTag(subject.slug, snapshotId)
  }

  protected override async capture(
    subject: FreezeSubject,
    target: CaptureTarget,
    _options: FreezeOptions,
    progress: ReportProgress,
    signal: AbortSignal,
  ): Promise<Captured> {
    const { captureContainer } = await import('./capture.ts')
    return captureContainer(this.engine, this.flattenAt, subject, target, progress, signal)
  }

  /** The capture has just read the image back under its tag; reading it again could tell nothing new. */
  protected override async verify(captured: Captured, target: CaptureTarget): Promise<void> {
    if (captured.reference === target.reference && captured.digest.startsWith('sha256:')) return
    throw bottleError('engine-failed', `Docker made something else than ${target.reference}.`)
  }

  protected override async discard(subject: FreezeSubject, target: CaptureTarget): Promise<boolean> {
    const { discardTarget } = await import('./discard-target.ts')
    return discardTarget(
      this.engine,
      subject.runtime.id,
      target.reference,
      target.partsDir,
      AbortSignal.timeout(LATE_MS),
    )
  }

  protected override exportHint(snapshot: Snapshot): string {
    return `icebox export ${snapshot.slug}@${snapshot.id} -o ${snapshot.slug}.bottle`
  }
}
