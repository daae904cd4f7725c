import type { FinishedRun, ForkRequest } from '../../bottles/services.ts'
import { agentFlag } from '../agent-flag.ts'
import { agreeAt } from '../agree.ts'
import type { Face } from '../face.ts'
import { runFailure, runFollowed } from '../run-agent.ts'
import { backendFlag, cwdFlag, labelFlag, promptFlag } from '../run-flags.ts'
import { operate, slugOrPick, withIcebox } from '../session.ts'
import { findSnapshot, parseTarget } from '../target.ts'
import { connectUntilExit } from '../terminal.ts'
import { usageError, wholeNumber } from '../usage.ts'

export interface ForkFlags {
  readonly count?: string
  readonly headless?: boolean
  readonly prompt?: string
  readonly agent?: string
  readonly label?: string
  readonly cwd?: string
  readonly allowMissingSecrets?: boolean
  readonly backend?: string
  readonly yes?: boolean
}

const MAX_FORKS = 50

/** `icebox fork`: new bottles from a snapshot. One at a terminal is connected to it; several run by themselves. */
export async function fork(face: Face, bottle: string | undefined, flags: ForkFlags): Promise<number> {
  const target = bottle === undefined ? undefined : parseTarget(bottle)
  const count = flags.count === undefined ? 1 : wholeNumber('-n', flags.count, 1, MAX_FORKS)
  const label = labelFlag(flags.label)
  const backend = backendFlag(flags.backend)
  const isList = flags.count !== undefined
  const mode = flags.headless ? 'headless' : 'interactive'
  if (!target && !face.canAsk) throw usageError('Name a bottle; `icebox list` shows them.')
  const cwd = await cwdFlag(face, flags.cwd)
  const prompt = await promptFlag(face, flags)
  return withIcebox(face, async (icebox) => {
    const chosen = target ?? { slug: await slugOrPick(face, icebox, undefined), snapshot: null }
    const { slug } = chosen
    const snapshot =
      chosen.snapshot === null ? undefined : findSnapshot(chosen, await icebox.bottles.snapshots(slug)).id
    const { agent, allowMissingSecrets } = flags
    const request: ForkRequest = {
      slug,
      snapshot,
      count,
      mode,
      prompt,
      agent: agent === undefined ? undefined : agentFlag(face.cwd, agent),
      label,
      cwd,
      allowMissingSecrets,
      backend,
      agree: agreeAt(face, backend, flags.yes),
    }
    const runs = await operate(face, { yes: flags.yes }, (context, progress) =>
      mode === 'interactive'
        ? icebox.bottles.fork(request, context)
        : runFollowed(face, icebox, context, progress, count > 1, (inner, onLaunched) =>
            icebox.bottles.fork({ ...request, onLaunched }, inner),
          ),
    )
    const [only] = runs
    const isHere = only?.way === 'interactive' && !isList && canConnect(face)
    const exitCode = isHere ? await connectUntilExit(face, icebox, only.slug) : (only?.exitCode ?? null)
    const ended = isHere ? runs.map((run) => ({ ...run, exitCode })) : runs
    return report(face, ended, isList, mode)
  })
}

function canConnect(face: Face): boolean {
  return process.stdin.isTTY === true && (face.json ? face.stderr : face.stdout).isTerminal
}

async function report(
  face: Face,
  runs: readonly FinishedRun[],
  isList: boolean,
  mode: ForkRequest['mode'],
): Promise<number> {
  const rows = runs.map(({ slug, exitCode }) => (exitCode === null ? { slug } : { slug, exitCode }))
  const slugs = runs.map((run) => run.slug).join('\n')
  await face.result({
    json: isList ? rows : (rows[0] ?? null),
    text: mode === 'headless' ? '' : slugs,
    essential: slugs,
  })
  const failures = runs.flatMap((run) => {
    const failed = run.way === 'headless' || run.exitCode !== null ? runFailure(run) : null
    return failed ? [failed] : []
  })
  const [first, ...others] = failures
  for (const failed of others) await face.warn(failed.message)
  if (first) throw first
  if (mode === 'headless') await face.say(`Done: ${runs.map((run) => run.slug).join(', ')}.`)
  return 0
}
