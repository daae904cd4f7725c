import type { StartRequest } from '../../bottles/services.ts'
import type { Icebox } from '../../icebox.ts'
import { pick } from '../ask.ts'
import type { Face } from '../face.ts'
import { planText } from '../plan-text.ts'
import { runFailure, runFollowed } from '../run-agent.ts'
import {
  backendFlag,
  colorFlag,
  cwdFlag,
  LATER_FLAGS,
  labelFlag,
  promptFlag,
  type RunFlags,
  refuseUnsupported,
  secretNames,
} from '../run-flags.ts'
import { operate, withIcebox } from '../session.ts'
import { connectUntilExit, requireTerminal } from '../terminal.ts'
import { usageError } from '../usage.ts'

export interface StartFlags extends RunFlags {
  readonly label?: string
  readonly color?: string
  readonly bottle?: readonly string[]
}

const NEEDS_TERMINAL = 'Use --headless with --prompt to run the agent without one.'

/** `icebox start`: headless it waits for the agent and ends with its code, else it connects this terminal. */
export async function start(face: Face, agent: string | undefined, flags: StartFlags): Promise<number> {
  refuseUnsupported({ ...flags }, LATER_FLAGS)
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
  } as const
  if (agent === undefined && !face.canAsk) throw usageError('Name an agent; `icebox agents` shows them.')
  if (mode === 'interactive' && !flags.dryRun) requireTerminal(face, NEEDS_TERMINAL)
  const cwd = await cwdFlag(face, flags.cwd)
  const prompt = await promptFlag(face, flags)
  return withIcebox(face, async (icebox) => {
    const request: StartRequest = {
      ...settled,
      agent: agent ?? (await pickAgent(face, icebox, cwd)),
      cwd,
      prompt,
    }
    if (flags.dryRun) {
      const plan = await icebox.bottles.plan(request, face.signal)
      await face.result({ json: plan, text: planText(plan, face.paint), essential: plan.slug })
      return 0
    }
    return mode === 'headless' ? startHeadless(face, icebox, request) : startHere(face, icebox, request)
  })
}

async function startHeadless(face: Face, icebox: Icebox, request: StartRequest): Promise<number> {
  const run = await operate(face, {}, (context, progress) =>
    runFollowed(face, icebox, context, progress, false, (inner, onLaunched) =>
      icebox.bottles.start({ ...request, onLaunched }, inner),
    ),
  )
  const { slug, exitCode } = run
  // The result comes also when the agent failed: its slug is what the work can be reached by.
  await face.result({ json: { slug, exitCode }, text: '', essential: slug })
  const failed = runFailure(run)
  if (failed) throw failed
  await face.say(`${slug}: the agent is done. Keep its work with \`icebox freeze ${slug}\`.`)
  return 0
}

async function startHere(face: Face, icebox: Icebox, request: StartRequest): Promise<number> {
  const launched = await operate(face, {}, (context) => icebox.bottles.start(request, context))
  const { slug } = launched
  const exitCode = launched.exitCode ?? (await connectUntilExit(face, icebox, slug))
  await face.result({
    json: exitCode === null ? { slug } : { slug, exitCode },
    text: '',
    essential: slug,
  })
  const failed = exitCode === null ? null : runFailure({ ...launched, exitCode })
  if (failed) throw failed
  return 0
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
