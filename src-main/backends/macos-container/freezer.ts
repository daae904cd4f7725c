import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { Captured, ReportProgress } from '../backend.ts'
import { type CaptureTarget, type FreezeOptions, Freezer, type FreezeSubject } from '../freezer.ts'
import { snapshotTag } from '../labels.ts'
import type { FreezeParts } from './export-files.ts'
import { fullReference } from './images.ts'

const LATE_MS = 180_000

/** Freezes by the engine's export, of which an image with the old one's config is made. */
export class MacosContainerFreezer extends Freezer {
  readonly backend = 'macos-container'
  private readonly parts: FreezeParts

  constructor(parts: FreezeParts) {
    super()
    this.parts = parts
  }

  override targetFor(subject: Pick<FreezeSubject, 'slug'>, snapshotId: string): string {
    return snapshotTag(subject.slug, snapshotId)
  }

  protected override async capture(
    subject: FreezeSubject,
    target: CaptureTarget,
    options: FreezeOptions,
    progress: ReportProgress,
    signal: AbortSignal,
  ): Promise<Captured> {
    const { captureContainer } = await import('./capture.ts')
    return captureContainer(this.parts, subject, target, options, progress, signal)
  }

  /** The capture has just read the image back under its name; reading it again could tell nothing new. */
  protected override async verify(captured: Captured, target: CaptureTarget): Promise<void> {
    if (captured.reference === target.reference && captured.digest.startsWith('sha256:')) return
    throw bottleError('engine-failed', `Apple's container made something else than ${target.reference}.`)
  }

  protected override async discard(subject: FreezeSubject, target: CaptureTarget): Promise<boolean> {
    const { discardCapture } = await import('./recover-freeze.ts')
    return discardCapture(this.parts, subject.runtime, target, AbortSignal.timeout(LATE_MS))
  }

  protected override exportHint(snapshot: Snapshot): string {
    return `container image save -o ${snapshot.slug}.tar ${fullReference(snapshot.reference)}`
  }
}
