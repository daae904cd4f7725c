import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute } from 'node:path'
import type { ResolvedAgent } from '../agents/definitions.ts'
import type { AgentRuntime } from '../agents/lifecycle.ts'
import { fillFromEnv, secretsOfTemplates } from '../agents/yaml/env-templates.ts'
import type { Backend } from '../backends/backend.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import type { RunRequest } from './run-request.ts'

/** A prompt in a headless call means one run that ends; else the definition's runtime counts. Pure. */
export function runtimeOf(request: RunRequest, resolved: ResolvedAgent | null): AgentRuntime | null {
  const runtime = resolved?.agent.lifecycle.runtime ?? null
  const isOnce = runtime === 'terminal' && request.mode === 'headless' && request.prompt !== null
  return isOnce ? null : runtime
}

/** The mode that a runtime implies, else the call's. Pure. */
export function modeOf(request: RunRequest, runtime: AgentRuntime | null): RunRequest['mode'] {
  if (runtime === null) return request.mode
  return runtime === 'terminal' ? 'interactive' : 'headless'
}

/** Nobody could look after an agent whose terminal and files can't be reached. @throws BottleError `unsupported` */
export function requireAccess(runtime: AgentRuntime | null, backend: Backend): void {
  if (runtime === null || backend.access !== undefined) return
  throw bottleError(
    'unsupported',
    `An agent that is kept running (${runtime}) can't be looked after on ${backend.name} yet. Use --backend docker or host, or --headless with --prompt.`,
  )
}

/** Values of the definition's env files; its own variables and secrets win. */
export async function envFileValues(
  deps: BottleDeps,
  request: RunRequest,
  resolved: ResolvedAgent | null,
  plainNames: readonly string[],
  secrets: Readonly<Record<string, string>>,
): Promise<{ readonly values: Readonly<Record<string, string>>; readonly notices: readonly string[] }> {
  const files = resolved?.agent.lifecycle.envFiles ?? []
  if (files.length === 0) return { values: {}, notices: [] }
  if (isCarried(request, resolved)) {
    const notice = 'The definition that came along would read files of variables on this machine: left out.'
    return { values: {}, notices: [notice] }
  }
  const { readEnvFiles } = await import('../agents/env-file.ts')
  const all = await readEnvFiles(files, deps.env.HOME || homedir())
  const isFree = (name: string) => !plainNames.includes(name) && !Object.hasOwn(secrets, name)
  return { values: Object.fromEntries(Object.entries(all).filter(([name]) => isFree(name))), notices: [] }
}

/** True for an agent whose definition is somebody else's. */
function isCarried({ carriedDir }: RunRequest, resolved: ResolvedAgent | null): boolean {
  return carriedDir !== undefined && resolved?.agent.file.startsWith(`${carriedDir}/`) === true
}

/** On this machine it can be told before anything starts; in an image the start itself looks. @throws BottleError `not-found` */
export async function requireVenv(resolved: ResolvedAgent | null, backend: Backend): Promise<void> {
  const candidates = resolved?.agent.lifecycle.pythonVenv ?? []
  if (backend.name !== 'host' || candidates.length === 0 || !candidates.every(isAbsolute)) return
  const found = await Promise.all(
    candidates.map((folder) =>
      stat(`${folder}/bin/activate`).then(
        () => true,
        () => false,
      ),
    ),
  )
  if (found.includes(true)) return
  throw bottleError('not-found', `None of these virtual environments is there: ${candidates.join(', ')}.`)
}

/** Variables of the definition whose values come from this machine's environment: passed as secrets are. Pure. */
export function templateValues(
  resolved: ResolvedAgent | null,
  env: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const templates = Object.entries(resolved?.agent.envTemplates ?? {})
  return Object.fromEntries(templates.map(([name, template]) => [name, fillFromEnv(template, env)]))
}

/** What may show of those variables, by name: the whole values, and what they take in. Pure. */
export function templateSecrets(
  resolved: ResolvedAgent | null,
  env: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const { found } = secretsOfTemplates(resolved?.agent.envTemplates ?? {}, env)
  return Object.fromEntries(found.map(({ name, value }) => [name, value]))
}

/** What to tell of the folder that a new bottle begins with a copy of. @throws BottleError `not-found` */
export async function requireCopied(
  request: RunRequest,
  resolved: ResolvedAgent | null,
): Promise<readonly string[]> {
  const folder = resolved?.agent.copyFrom
  if (folder === undefined || request.resuming || request.copyCwd) return []
  const found = await stat(folder).catch(() => null)
  if (found?.isDirectory())
    return [`The bottle begins with a copy of ${folder}; the folder itself is not touched.`]
  throw bottleError(
    'not-found',
    `There is no folder ${folder}, which the agent's definition names as its workdir. Make it, or set \`workdir-mode: empty\`.`,
  )
}
