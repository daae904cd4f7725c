import type { ResumeRequest } from '../../bottles/services.ts'
import type { Icebox } from '../../icebox.ts'
import { agreeAt, requirePossible } from '../agree.ts'
import type { Face } from '../face.ts'
import { planText } from '../plan-text.ts'
import { runFailure, runFollowed } from '../run-agent.ts'
import {
  backendFlag,
  cwdFlag,
  LATER_FLAGS,
  promptFlag,
  type RunFlags,
  refuseUnsupported,
  secretNames,
} from '../run-flags.ts'
import { operate, slugOrPick, withIcebox } from '../session.ts'
import { isActive } from '../state-word.ts'
import { findSnapshot, parseTarget, type Target } from '../target.ts'
import { connectUntilExit, requireTerminal } from '../terminal.ts'
import { usageError } from '../usage.ts'

export interface ResumeFlags extends RunFlags {
  readonly rebuildOk?: boolean
  readonly label?: string
  readonly color?: string
  readonly bottle?: readonly string[]
}

const NOT_ON_RESUME = {
  ...LATER_FLAGS,
  label: 'A resumed bottle keeps its name. `icebox fork` makes one under a new --label.',
  color: 'A resumed bottle keeps its colour.',
  bottle: 'A resumed bottle keeps its bottle definitions. `icebox start` takes --bottle.',
} as const

const NEEDS_TERMINAL = 'Use --headless with --prompt to run the agent without one.'

/** `icebox resume`: from the current snapshot, or another one with `@`; newer work is frozen first. */
export async function resume(face: Face, bottle: string | undefined, flags: ResumeFlags): Promise<number> {
  refuseUnsupported({ ...flags }, NOT_ON_RESUME)
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
  } as const
  if (!target && !face.canAsk) throw usageError('Name a bottle; `icebox list` shows them.')
  if (mode === 'interactive' && !flags.dryRun) requireTerminal(face, NEEDS_TERMINAL)
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
    return mode === 'headless'
      ? resumeHeadless(face, icebox, request, answers)
      : resumeHere(face, icebox, request, answers)
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

async function resumeHeadless(
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
  const { slug, snapshot, exitCode } = run
  await face.result({ json: { slug, snapshot, exitCode }, text: '', essential: slug })
  const failed = runFailure(run)
  if (failed) throw failed
  await face.say(`${slug}: the agent is done. Keep its work with \`icebox freeze ${slug}\`.`)
  return 0
}

async function resumeHere(
  face: Face,
  icebox: Icebox,
  request: ResumeRequest,
  answers: Answers,
): Promise<number> {
  const launched = await operate(face, answers, (context) => icebox.bottles.resume(request, context))
  const { slug, snapshot } = launched
  const exitCode = launched.exitCode ?? (await connectUntilExit(face, icebox, slug))
  await face.result({
    json: exitCode === null ? { slug, snapshot } : { slug, snapshot, exitCode },
    text: '',
    essential: slug,
  })
  const failed = exitCode === null ? null : runFailure({ ...launched, exitCode })
  if (failed) throw failed
  return 0
}
