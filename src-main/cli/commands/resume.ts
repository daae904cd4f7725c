import type { ResumeRequest } from '../../bottles/services.ts'
import type { Icebox } from '../../icebox.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { agreeAt, requirePossible } from '../agree.ts'
import type { Face } from '../face.ts'
import { finishAtFace } from '../finish-run.ts'
import { planText } from '../plan-text.ts'
import { runFollowed } from '../run-agent.ts'
import {
  backendFlag,
  cwdFlag,
  promptFlag,
  type RunFlags,
  refuseUnsupported,
  secretNames,
  sessionFlags,
} from '../run-flags.ts'
import { operate, slugOrPick, withIcebox } from '../session.ts'
import { isActive } from '../state-word.ts'
import { findSnapshot, parseTarget, type Target } from '../target.ts'
import { requireTerminal } from '../terminal.ts'
import { usageError } from '../usage.ts'

export interface ResumeFlags extends RunFlags {
  readonly rebuildOk?: boolean
  readonly label?: string
  readonly color?: string
  readonly bottle?: readonly string[]
}

const NOT_ON_RESUME = {
  label: 'A resumed bottle keeps its name. `icebox fork` makes one under a new --label.',
  color: 'A resumed bottle keeps its colour.',
  bottle: 'A resumed bottle keeps its bottle definitions. `icebox start` takes --bottle.',
} as const

const ALWAYS_LOOKS =
  'A resume always looks first whether its snapshot is there and whole. `icebox start` takes --no-preflight.'

const NEEDS_TERMINAL = 'Use --headless with --prompt to run the agent without one.'

/** `icebox resume`: from the current snapshot, or another one with `@`; newer work is frozen first. */
export async function resume(face: Face, bottle: string | undefined, flags: ResumeFlags): Promise<number> {
  refuseUnsupported({ ...flags }, NOT_ON_RESUME)
  if (flags.preflight === false) throw bottleError('unsupported', ALWAYS_LOOKS)
  const target = bottle === undefined ? undefined : parseTarget(bottle)
  const mode = flags.headless ? 'headless' : 'interactive'
  const settled = {
    mode,
    backend: backendFlag(flags.backend),
    secretNames: secretNames(flags.secret),
    copyCwd: flags.copyCwd,
    allowMissingSecrets: flags.allowMissingSecrets,
    unenforcedEgress: flags.unenforcedEgress,
    rebuildOk: flags.rebuildOk,
    ...sessionFlags(flags),
    force: flags.force,
    foreground: flags.foreground,
    requireSeat: () => requireTerminal(face, NEEDS_TERMINAL),
  } as const
  if (!target && !face.canAsk) throw usageError('Name a bottle; `icebox list` shows them.')
  const cwd = flags.cwd === undefined ? undefined : await cwdFlag(face, flags.cwd)
  const prompt = await promptFlag(face, flags)
  return withIcebox(face, async (icebox) => {
    const chosen = target ?? {
      slug: await slugOrPick(face, icebox, undefined, (row) => !isActive(row)),
      snapshot: null,
    }
    const snapshot = await namedSnapshot(icebox, chosen)
    const agree = agreeAt(face, settled.backend, flags.yes)
    const request: ResumeRequest = { ...settled, slug: chosen.slug, snapshot, cwd, prompt, agree }
    if (flags.dryRun) {
      const plan = await icebox.bottles.planResume(request, face.signal)
      requirePossible(plan.slug, plan.backend, plan.differences ?? [])
      await face.result({ json: plan, text: planText(plan, face.paint), essential: plan.slug })
      return 0
    }
    const answers = { yes: flags.yes }
    return resumeNow(face, icebox, request, answers)
  })
}

/**
 * The id behind the `@`. `latest` stays open: it must mean the snapshot that the resume itself makes of newer
 * work, if there is such work.
 */
async function namedSnapshot(icebox: Icebox, target: Target): Promise<string | undefined> {
  if (target.snapshot === null || target.snapshot === 'latest') return undefined
  return findSnapshot(target, await icebox.bottles.snapshots(target.slug)).id
}

type Answers = Parameters<typeof operate>[1]

async function resumeNow(
  face: Face,
  icebox: Icebox,
  request: ResumeRequest,
  answers: Answers,
): Promise<number> {
  const run = await operate(face, answers, (context, progress) =>
    runFollowed(face, icebox, context, progress, false, (inner, onLaunched) =>
      icebox.bottles.resume({ ...request, onLaunched }, inner),
    ),
  )
  const { slug, snapshot } = run
  return finishAtFace(face, icebox, run, (exitCode) => ({
    slug,
    snapshot,
    ...(exitCode === null && run.way !== 'headless' ? {} : { exitCode }),
  }))
}
