import type { StartRequest } from '../../bottles/services.ts'
import type { Icebox } from '../../icebox.ts'
import { agentFlag } from '../agent-flag.ts'
import { pick } from '../ask.ts'
import type { Face } from '../face.ts'
import { finishAtFace } from '../finish-run.ts'
import { planText } from '../plan-text.ts'
import { runFollowed } from '../run-agent.ts'
import {
  backendFlag,
  colorFlag,
  cwdFlag,
  labelFlag,
  promptFlag,
  type RunFlags,
  secretNames,
  sessionFlags,
} from '../run-flags.ts'
import { operate, withIcebox } from '../session.ts'
import { requireTerminal } from '../terminal.ts'
import { usageError } from '../usage.ts'

export interface StartFlags extends RunFlags {
  readonly label?: string
  readonly color?: string
  readonly bottle?: readonly string[]
}

const NEEDS_TERMINAL = 'Use --headless with --prompt to run the agent without one.'

/**
 * `icebox start`: headless it waits for the agent and ends with its code, else it connects this terminal; an agent that
 * is kept running by its definition runs on by itself, unless `--foreground` says to stay with it.
 */
export async function start(face: Face, agent: string | undefined, flags: StartFlags): Promise<number> {
  const mode = flags.headless ? 'headless' : 'interactive'
  const settled = {
    mode,
    backend: backendFlag(flags.backend),
    label: labelFlag(flags.label),
    color: colorFlag(flags.color),
    secretNames: secretNames(flags.secret),
    bottles: flags.bottle,
    copyCwd: flags.copyCwd,
    allowMissingSecrets: flags.allowMissingSecrets,
    unenforcedEgress: flags.unenforcedEgress,
    ...sessionFlags(flags),
    force: flags.force,
    foreground: flags.foreground,
    noPreflight: flags.preflight === false,
    requireSeat: () => requireTerminal(face, NEEDS_TERMINAL),
  } as const
  if (agent === undefined && !face.canAsk) throw usageError('Name an agent; `icebox agents` shows them.')
  const cwd = await cwdFlag(face, flags.cwd)
  const prompt = await promptFlag(face, flags)
  return withIcebox(face, async (icebox) => {
    const request: StartRequest = {
      ...settled,
      agent: agent === undefined ? await pickAgent(face, icebox, cwd) : agentFlag(face.cwd, agent),
      cwd,
      prompt,
    }
    if (flags.dryRun) {
      const plan = await icebox.bottles.plan(request, face.signal)
      await face.result({ json: plan, text: planText(plan, face.paint), essential: plan.slug })
      return 0
    }
    return startNow(face, icebox, request)
  })
}

async function startNow(face: Face, icebox: Icebox, request: StartRequest): Promise<number> {
  const run = await operate(face, {}, (context, progress) =>
    runFollowed(face, icebox, context, progress, false, (inner, onLaunched) =>
      icebox.bottles.start({ ...request, onLaunched }, inner),
    ),
  )
  return finishAtFace(face, icebox, run, (exitCode) => ({
    slug: run.slug,
    ...(exitCode === null && run.way !== 'headless' ? {} : { exitCode }),
  }))
}

async function pickAgent(face: Face, icebox: Icebox, cwd: string): Promise<string> {
  const { agents } = await icebox.agents.list(cwd)
  return pick(
    face,
    'agent',
    agents
      .filter((agent) => agent.problem === null)
      .map(({ name, provider, description }) => ({
        value: name,
        label: name,
        hint: description || provider,
      })),
  )
}
