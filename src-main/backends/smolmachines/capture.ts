import { basename } from 'node:path'
import type { VolumePart } from '../../../src-preload/contract/index.ts'
import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import type { Captured, ReportProgress } from '../backend.ts'
import type { CaptureTarget, FreezeOptions, FreezeSubject } from '../freezer.ts'
import type { RunConfig } from '../portable.ts'
import { clearCaptureState, dropPartial, writeResult } from './capture-files.ts'
import { type GuestSurvey, leftOutOf } from './capture-left-out.ts'
import { type CaptureWay, planCapture, stopQuestion } from './capture-plan.ts'
import { WORKSPACE } from './capture-ports.ts'
import { type FoundMachine, type FreezerTools, lookAround, requireRoomFor } from './capture-scene.ts'
import { settleWritten } from './capture-settle.ts'
import { diskMark } from './changed.ts'
import { faultOf, type SmolFault } from './errors.ts'
import type { KeptPart } from './guest-tar-fill.ts'
import { smolFacts } from './run-state.ts'

/** One freeze under way. */
export interface CaptureJob {
  readonly tools: FreezerTools
  readonly subject: FreezeSubject
  readonly target: CaptureTarget
  readonly found: FoundMachine
  readonly wasRunning: boolean
  readonly progress: ReportProgress
  readonly signal: AbortSignal
}

/** What a way has made: a whole file in its place. */
export interface Taken {
  readonly reference: string
  readonly digest: string
  readonly fileBytes: number
  readonly config: RunConfig
  readonly survey: GuestSurvey | null
  readonly volumes: readonly VolumePart[]
  /** The marker that a machine made of it must hold; null when it is never booted to be checked. */
  readonly marker: string | null
  readonly losesXattrs: boolean
  readonly changedMeanwhile: number
  readonly stoppedMs: number | null
  /** Files on its own disk; null when nobody counted. */
  readonly entries: number | null
  /** Seconds since the epoch at which its listing was begun. */
  readonly frozenAt: number | null
  /** All files once more, where the version's packs lose some. */
  readonly root?: KeptPart | null
  /** What an image has in `/workspace`, which the machine's own disk hides. */
  readonly workspace?: KeptPart | null
  /** It holds `/workspace` itself, or as a volume. */
  readonly keepsWorkspace: boolean
}

/** Refusals after which another way can still be gone. */
const OTHER_WAY: Readonly<Record<CaptureWay['kind'], ReadonlySet<SmolFault | null>>> = {
  checkpoint: new Set(['unsupported-profile', 'grammar']),
  pack: new Set(['local-image', 'clone', 'needs-network']),
  'guest-tar': new Set(),
}

/**
 * Takes a bottle's files, with memory where that can be, the best way that the engine allows. A failure leaves what
 * `settleWritten` sets right. @throws BottleError
 */
export async function captureMachine(
  tools: FreezerTools,
  subject: FreezeSubject,
  target: CaptureTarget,
  options: FreezeOptions,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<Captured> {
  const found = await lookAround(tools, subject, signal)
  const ways = planCapture(found.scene, found.features, process.platform)
  const wasRunning = found.scene.state === 'running'
  const job: CaptureJob = { tools, subject, target, found, wasRunning, progress, signal }
  let refusal: string | null = null
  for (const [at, way] of ways.entries()) {
    await requireRoomFor(way.kind, found, subject.stateDir)
    if (way.kind === 'pack' && wasRunning) await askToStop(subject.slug, refusal ?? way.why, options)
    try {
      const taken = await take(way, job)
      const captured = capturedFrom(way, job, taken, await markOf(job))
      await dropPartial(target.partsDir)
      await clearCaptureState(target.partsDir)
      await writeResult(target.partsDir, captured)
      return captured
    } catch (thrown) {
      if (at === ways.length - 1 || !OTHER_WAY[way.kind].has(faultOf(thrown))) throw thrown
      refusal = isBottleError(thrown)
        ? `smolvm refused another way: ${thrown.detail ?? thrown.message}.`
        : null
      await dropPartial(target.partsDir)
      await settleWritten(tools, subject.runtime, target.partsDir)
    }
  }
  throw bottleError('internal', 'No way was left.')
}

async function take(way: CaptureWay, job: CaptureJob): Promise<Taken> {
  switch (way.kind) {
    case 'checkpoint':
      return (await import('./checkpoint.ts')).takeCheckpoint(job)
    case 'pack':
      return (await import('./pack.ts')).takePack(job)
    case 'guest-tar':
      return (await import('./capture-tar.ts')).takeGuestTar(job)
  }
}

async function askToStop(slug: string, why: string, options: FreezeOptions): Promise<void> {
  if (await options.confirm(stopQuestion(slug, why))) return
  throw bottleError('cancelled', undefined, { slug })
}

/** How a machine's disks look that stands still again: by it a later freeze knows that nothing has changed since. */
async function markOf({ tools, subject, wasRunning, signal }: CaptureJob): Promise<string | null> {
  return wasRunning ? null : diskMark(tools, subject.runtime.name, signal)
}

function capturedFrom(way: CaptureWay, job: CaptureJob, taken: Taken, mark: string | null): Captured {
  const { found, subject, wasRunning } = job
  const { look } = found
  const parts = [...taken.volumes, taken.root, taken.workspace]
  const partBytes = parts.reduce((sum, part) => sum + (part?.bytes ?? 0), 0)
  const bytes = taken.fileBytes + partBytes
  const survey = taken.survey ?? {
    filledTmpfs: ['/tmp', '/run', '/dev/shm'],
    hasWorkspace: true,
    user: null,
  }
  const user = taken.config.User ?? survey.user
  const config = user ? { ...taken.config, User: user } : taken.config
  return {
    reference: taken.reference,
    digest: taken.digest,
    fidelity:
      way.kind === 'checkpoint' ? 'files+memory' : taken.volumes.length > 0 ? 'files+volumes' : 'files',
    leftOut: [
      ...(survey.hasWorkspace && !taken.keepsWorkspace ? [WORKSPACE] : []),
      ...leftOutOf({
        way: way.kind,
        scene: found.scene,
        wasRunning,
        survey,
        mountTargets: smolFacts(subject.runtime).mounts,
        foreignLabels: Object.keys(look.labels ?? {}).filter((name) => !name.startsWith('dev.icebox.')),
        // Later packs keep it.
        losesUser: user && !found.features.packsLocalImages ? user : null,
        hasEgressList: subject.runtime.facts.hasEgressList === true,
        initCommands: 0,
        losesXattrs: taken.losesXattrs,
      }),
    ],
    bytes,
    // No file shares anything with another one.
    ownBytes: bytes,
    volumes: [...taken.volumes],
    facts: {
      way: way.kind,
      why: way.why,
      machine: look.name,
      machineCreatedAt: look.createdAt,
      // A machine that stood still all the time, and stands still, has changed nothing since.
      stoodStill: !wasRunning,
      diskMark: mark,
      smolvm: found.features.versionText,
      platform: found.platform,
      config,
      cpus: look.cpus,
      memoryMib: look.memoryMib,
      fileBytes: taken.fileBytes,
      file: basename(taken.reference),
      marker: taken.marker,
      entries: taken.entries,
      // A checkpoint was not looked into.
      hasShell: way.kind === 'checkpoint' ? null : taken.survey !== null,
      ...(taken.frozenAt === null ? {} : { frozenAt: taken.frozenAt }),
      ...(taken.root ? { root: taken.root } : {}),
      ...(taken.workspace ? { workspace: taken.workspace } : {}),
      ...(taken.stoppedMs === null ? {} : { stoppedMs: taken.stoppedMs }),
    },
    notices: noticesOf(way, taken, wasRunning),
  }
}

function noticesOf(way: CaptureWay, taken: Taken, wasRunning: boolean): readonly string[] {
  return [
    ...(way.kind === 'checkpoint'
      ? [
          'The checkpoint holds the memory as it is, with the secrets that the agent was given. Keep its file to yourself.',
        ]
      : []),
    ...(way.kind === 'guest-tar' && wasRunning
      ? [
          `${way.why} So its files were copied, and the agent stood still meanwhile${changed(taken.changedMeanwhile)}.`,
        ]
      : []),
    ...(taken.survey === null && way.kind !== 'checkpoint' && !taken.keepsWorkspace
      ? [`The image has no shell, so ${WORKSPACE} could not be looked into; it is not part of the snapshot.`]
      : []),
  ]
}

const changed = (files: number): string =>
  files === 0 ? '' : `; ${files} of them changed or went away meanwhile`
