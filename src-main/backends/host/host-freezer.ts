import type { BackendName, Snapshot } from '../../../src-preload/contract/index.ts'
import type { Captured, ReportProgress } from '../backend.ts'
import {
  type CaptureTarget,
  type FreezeOptions,
  type FreezeOutcome,
  Freezer,
  type FreezeSubject,
} from '../freezer.ts'
import type { HostContext } from './host-context.ts'

/** Freezes a host bottle: its processes stand still while its two folders are copied beside its records. */
export class HostFreezer extends Freezer {
  override readonly backend: BackendName = 'host'
  private readonly context: HostContext

  constructor(context: HostContext) {
    super()
    this.context = context
  }

  /**
   * Sends the copy on its way to the disk once everything is recorded: begun earlier, the records' own writes would
   * have to wait for all of it.
   */
  override async freeze(...args: Parameters<Freezer['freeze']>): Promise<FreezeOutcome> {
    const outcome = await super.freeze(...args)
    const { beginFlush } = await import('./capture.ts')
    beginFlush(outcome.snapshot.reference)
    return outcome
  }

  override targetFor(_subject: Pick<FreezeSubject, 'slug'>, _snapshotId: string, partsDir: string): string {
    return partsDir
  }

  protected override async capture(
    subject: FreezeSubject,
    target: CaptureTarget,
    _options: FreezeOptions,
    progress: ReportProgress,
    signal: AbortSignal,
  ): Promise<Captured> {
    const { captureLive } = await import('./capture.ts')
    return captureLive(this.context.home, subject, target, progress, signal)
  }

  protected override async verify(
    captured: Captured,
    target: CaptureTarget,
    signal: AbortSignal,
  ): Promise<void> {
    const { verifyCapture } = await import('./capture.ts')
    await verifyCapture(captured, target, signal)
  }

  protected override async discard(subject: FreezeSubject, target: CaptureTarget): Promise<boolean> {
    const { discardCapture } = await import('./capture.ts')
    await discardCapture(this.context.home, subject, target)
    return true
  }

  protected override exportHint(snapshot: Snapshot): string | null {
    return `icebox export ${snapshot.slug}@${snapshot.id} -o ${snapshot.slug}.bottle`
  }
}
