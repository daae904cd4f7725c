import type { BackendName } from '../../src-preload/contract/index.ts'
import type { ResolvedAgent } from '../agents/definitions.ts'
import { agentProblems, openManifestIndex, requireAgent, resolveAgent } from '../agents/manifest-index.ts'
import { describeProblem } from '../agents/problems.ts'
import type { Backend } from '../backends/backend.ts'
import { toFailure } from '../system/bottle-error.ts'
import { type CheckRow, no, yes } from './check-rows.ts'
import { defaultEngine } from './default-engine.ts'
import type { BottleDeps } from './deps.ts'

export interface AgentCheck {
  readonly agent: string
  readonly file: string
  readonly ok: boolean
  readonly checks: readonly CheckRow[]
}

export interface CheckRequest {
  /** An agent's name, or the path of its file. */
  readonly agent: string
  readonly cwd: string | null
  readonly backend?: BackendName | undefined
}

/**
 * Whether a start of this agent would find what it needs on this machine. Looks only: nothing is started, made or
 * downloaded, and no hook runs.
 * @throws BottleError `not-found` for an unknown agent
 */
export async function checkAgent(
  deps: BottleDeps,
  request: CheckRequest,
  signal: AbortSignal,
): Promise<AgentCheck> {
  const index = await openManifestIndex(deps.root, request.cwd, { env: deps.env })
  const found = requireAgent(index, request.agent)
  const problems = await agentProblems(index, found)
  if (problems.length > 0) {
    const checks = problems.map((problem) => no('definition', describeProblem(problem), 'Mend the file.'))
    return { agent: found.name, file: found.file, ok: false, checks }
  }
  const definition = yes('definition', `${found.file} has no errors.`)
  const resolved = await resolveAgent(index, request.agent, [], { mayRefuse: false }).catch(toFailure)
  if ('code' in resolved) {
    const checks = [definition, no('definition', resolved.message, null)]
    return { agent: found.name, file: found.file, ok: false, checks }
  }
  const needs = await import('./check-needs.ts')
  const { backend, row } = await checkBackend(deps, request, resolved, signal)
  const checks = [
    definition,
    ...needs.checkRefusals(resolved),
    row,
    ...(backend ? await needs.checkRuntime(deps, resolved, backend) : []),
    ...(backend ? await needs.checkProgram(deps, resolved, backend, row.state, signal) : []),
    ...(await needs.checkSecrets(deps, resolved)),
    ...(await needs.checkFiles(resolved, backend?.name ?? null)),
    needs.checkSession(resolved),
  ]
  const { name, file } = resolved.agent
  return { agent: name, file, ok: checks.every(({ state }) => state !== 'no'), checks }
}

/** The backend that a start would take, and whether it answers. */
async function checkBackend(
  deps: BottleDeps,
  request: CheckRequest,
  resolved: ResolvedAgent,
  signal: AbortSignal,
): Promise<{ readonly backend: Backend | null; readonly row: CheckRow }> {
  const named =
    request.backend ||
    resolved.bottle.backend ||
    deps.env.ICEBOX_BACKEND ||
    deps.env.BOT_BOTTLE_BACKEND ||
    null
  try {
    const found = named === null ? await defaultEngine(deps.backends, null, signal) : null
    const backend = found?.backend ?? (await deps.backends.get(named ?? 'host'))
    const report = found?.report ?? (await backend.probe(signal))
    if (report.state === 'ready') return { backend, row: yes('backend', `${report.title} answers.`) }
    const why = `${report.title}: ${report.reason ?? report.state}`
    const fix = report.fix ?? 'See `icebox doctor`.'
    const state = report.state === 'unknown' ? 'unknown' : 'no'
    return { backend, row: { check: 'backend', state, message: why, fix } }
  } catch (thrown) {
    signal.throwIfAborted()
    return { backend: null, row: no('backend', toFailure(thrown).message, 'See `icebox doctor`.') }
  }
}
