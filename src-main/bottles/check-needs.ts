import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import type { Tri } from '../../src-preload/contract/agents.ts'
import type { BackendName } from '../../src-preload/contract/index.ts'
import type { ResolvedAgent } from '../agents/definitions.ts'
import { signInNotices } from '../agents/plan-environment.ts'
import { PROVIDERS } from '../agents/providers.ts'
import { planAgentSession } from '../agents/sessions/plan-session.ts'
import type { Backend } from '../backends/backend.ts'
import { findProgram, searchPath } from '../backends/local/find-program.ts'
import { toFailure } from '../system/bottle-error.ts'
import { type CheckRow, kindOf, no, unknown, yes } from './check-rows.ts'
import type { BottleDeps } from './deps.ts'

/** Why this version or this machine would refuse the definition at once. Pure. */
export function checkRefusals({ agent }: ResolvedAgent): readonly CheckRow[] {
  return (agent.refusals ?? []).map((why) =>
    no('supported', why, 'Change the definition, or start it elsewhere.'),
  )
}

/** What an agent that is kept running needs of the backend and of this machine. */
export async function checkRuntime(
  deps: BottleDeps,
  { agent }: ResolvedAgent,
  backend: Backend,
): Promise<readonly CheckRow[]> {
  const { runtime, multiplexer } = agent.lifecycle
  const rows: CheckRow[] = []
  if (runtime !== null) {
    const what = runtime === 'terminal' ? 'its terminal and its files' : 'its files'
    rows.push(
      backend.access
        ? yes('runtime', `${runtime}: ${backend.name} lets Icebox reach ${what}.`)
        : no('runtime', `${runtime}: ${backend.name} lets nobody reach ${what} yet.`, 'Use docker or host.'),
    )
  }
  if (backend.name === 'host' && runtime !== 'turns') {
    const program = await findProgram(multiplexer, searchPath(deps.env))
    const isNeeded = runtime === 'terminal'
    const missing = `${multiplexer} is not installed${isNeeded ? '' : ', which an interactive run needs'}.`
    const fix = `Install ${multiplexer}, for example with your package manager.`
    if (program !== undefined) rows.push(yes('terminal', `${program} keeps the terminal.`))
    else rows.push(isNeeded ? no('terminal', missing, fix) : unknown('terminal', missing, fix))
  }
  return rows
}

/** The agent's program and the image that it comes in. */
export async function checkProgram(
  deps: BottleDeps,
  { agent, bottle }: ResolvedAgent,
  backend: Backend,
  engine: Tri,
  signal: AbortSignal,
): Promise<readonly CheckRow[]> {
  const { provider, command } = agent
  const custom = command?.interactive?.[0] ?? command?.headless?.[0] ?? null
  const name = provider === 'custom' ? custom : provider
  if (backend.name === 'host') {
    if (name === null)
      return [no('program', 'The agent names no program.', 'Add `command` to its definition.')]
    const path = bottle.env.PATH ?? searchPath(deps.env)
    const found = await findProgram(name, path)
    const fix = `Install ${name}, or run this agent on docker.`
    return [found ? yes('program', `${found} is there.`) : no('program', `${name} is not on the PATH.`, fix)]
  }
  const inside = `Whether the image has ${name ?? 'its own command'} shows only when it runs.`
  if (bottle.image !== null) {
    return [await checkImage(backend, bottle.image, engine, signal), unknown('program', inside, null)]
  }
  if (bottle.build !== null) {
    const { context, dockerfile } = bottle.build
    const isThere = (await kindOf(context, dockerfile)) === 'file'
    const image = isThere
      ? yes('image', `${context}/${dockerfile} would be built.`)
      : no('image', `There is no ${context}/${dockerfile}.`, 'Mend `build` of the bottle.')
    return [image, unknown('program', inside, null)]
  }
  if (provider !== 'custom')
    return [yes('program', `${provider} comes with the image that Icebox builds for it.`)]
  return [
    no(
      'image',
      'A custom agent has no image of its own.',
      'Add `image` or `build`, or use the backend host.',
    ),
  ]
}

async function checkImage(
  backend: Backend,
  image: string,
  engine: Tri,
  signal: AbortSignal,
): Promise<CheckRow> {
  if (engine !== 'yes') return unknown('image', `${image}: the engine does not answer.`, null)
  try {
    const isHere = await backend.isReferenceTaken(image, signal)
    if (isHere) return yes('image', `${image} is there.`)
    return unknown(
      'image',
      `${image} is not on the engine yet; a start would fetch it.`,
      'Pull it beforehand.',
    )
  } catch (thrown) {
    signal.throwIfAborted()
    return unknown('image', toFailure(thrown).message, null)
  }
}

/** Whether each secret has a value; values are never told. */
export async function checkSecrets(
  deps: BottleDeps,
  { agent, bottle }: ResolvedAgent,
): Promise<readonly CheckRow[]> {
  const templates = Object.keys(agent.envTemplates ?? {})
  const sidecars = Object.values(bottle.sidecars).flatMap((sidecar) => sidecar.secrets)
  const names = [...new Set([...bottle.secrets, ...sidecars])].filter((name) => !templates.includes(name))
  const rows = await Promise.all(names.map((name) => checkSecret(deps, name)))
  const given = [...names, ...templates, ...Object.keys(bottle.env)]
  const missing = agent.lifecycle.envFiles.length > 0 ? [] : signInNotices(agent, given)
  const signIn = agent.provider === 'custom' ? [] : PROVIDERS[agent.provider].signIn
  if (missing[0])
    rows.push(unknown('sign-in', missing[0], `Keep one with \`icebox secret set ${signIn[0]}\`.`))
  return rows
}

async function checkSecret(deps: BottleDeps, name: string): Promise<CheckRow> {
  const check = `secret ${name}`
  const fromEnv = Object.hasOwn(deps.env, name) ? deps.env[name] : undefined
  if (fromEnv !== undefined && fromEnv !== '') return yes(check, 'It is in the environment.')
  try {
    const kept = await (await deps.secrets()).get(name)
    if (kept !== undefined) return yes(check, 'It is in the keychain of this machine.')
    return no(check, 'It has no value.', `Set it with \`icebox secret set ${name}\` or in the environment.`)
  } catch (thrown) {
    return unknown(check, toFailure(thrown).message, null)
  }
}

/** Files and folders of this machine that a start reads. */
export async function checkFiles(
  { agent, bottle }: ResolvedAgent,
  backend: BackendName | null,
): Promise<readonly CheckRow[]> {
  const rows: CheckRow[] = []
  const { envFiles, pythonVenv } = agent.lifecycle
  for (const file of envFiles) {
    const isReadable = (await kindOf(file)) === 'file' && (await mayRead(file))
    rows.push(
      isReadable
        ? yes('env-file', `${file} can be read.`)
        : no('env-file', `${file} can't be read.`, 'Make the file, or take it out of the definition.'),
    )
  }
  if (pythonVenv.length > 0) rows.push(await checkVenv(pythonVenv, backend))
  if (agent.copyFrom !== undefined) {
    const isFolder = (await kindOf(agent.copyFrom)) === 'folder'
    rows.push(
      isFolder
        ? yes('workdir', `A new bottle begins with a copy of ${agent.copyFrom}.`)
        : no('workdir', `There is no folder ${agent.copyFrom}.`, 'Make it, or set `workdir-mode: empty`.'),
    )
  }
  if (backend === 'host') return rows
  for (const { source } of bottle.mounts.filter(({ type }) => type === 'bind')) {
    const isThere = (await kindOf(source)) !== null
    rows.push(
      isThere
        ? yes('mount', `${source} is there.`)
        : no('mount', `There is nothing at ${source}.`, 'Make it, or mend the mount.'),
    )
  }
  return rows
}

async function checkVenv(candidates: readonly string[], backend: BackendName | null): Promise<CheckRow> {
  const listed = candidates.join(', ')
  if (backend !== 'host' || !candidates.every((path) => path.startsWith('/'))) {
    return unknown('python-venv', `Whether the bottle has ${listed} shows only when it runs.`, null)
  }
  for (const path of candidates) {
    if ((await kindOf(path, 'bin', 'activate')) === 'file') return yes('python-venv', `${path} is there.`)
  }
  return no('python-venv', `None of these is there: ${listed}.`, `Make one: python3 -m venv ${candidates[0]}`)
}

async function mayRead(file: string): Promise<boolean> {
  return access(file, constants.R_OK).then(
    () => true,
    () => false,
  )
}

/** Whether the provider can begin its conversation as the definition says. Pure. */
export function checkSession({ agent }: ResolvedAgent): CheckRow {
  const { mode } = agent.lifecycle.session
  try {
    planAgentSession(
      agent,
      { mode: null, resumeId: null },
      { known: null, isKnownEmpty: true, resuming: false, now: Date.now(), newId: randomUUID() },
    )
    return yes('session', mode === null ? 'A new conversation begins.' : `${mode} is possible.`)
  } catch (thrown) {
    return no('session', toFailure(thrown).message, 'Use another `session`, or name a `resume_id`.')
  }
}
