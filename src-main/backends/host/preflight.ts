import { join, sep } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'
import type { LaunchPlan } from '../backend.ts'
import { findProgram, searchPath } from '../local/find-program.ts'
import { requireEnvironment } from './agent-environment.ts'
import { type HostContext, installOf } from './host-context.ts'
import type { Isolation } from './isolation.ts'
import { requireSnapshotTrees } from './live-trees.ts'
import { bottlePaths } from './paths.ts'

/** Linux gives one argument 128 KiB with its end mark; macOS a megabyte for all. */
const ARGUMENT_BYTES = 131_071

/** Refuses what this machine can't do for the plan; nothing has happened yet. Resolves with notices. */
export async function preflight(
  context: HostContext,
  plan: LaunchPlan,
  signal: AbortSignal,
): Promise<readonly string[]> {
  requireNoForge(plan)
  requireEnvironment(plan)
  const argv = requireArguments(plan, context.env)
  if (plan.image.kind === 'snapshot') await requireHostSnapshot(context, plan.image)
  const keeper = plan.multiplexer ?? 'tmux'
  if (plan.tty && !(await context.terminalProgram(keeper))) {
    throw bottleError(
      'engine-missing',
      `An interactive bottle on this machine needs ${keeper}. Install it: ${installOf(keeper)}`,
    )
  }
  const isolation = await context.isolation(signal)
  requireNetworkPolicy(plan, isolation)
  await requireProgram(context, plan, argv)
  return [
    ...ignoredKeys(plan),
    ...(isolation.reason ? [`The agent is not isolated. ${isolation.reason}`] : []),
  ]
}

function requireNoForge(plan: LaunchPlan): void {
  if (Object.keys(plan.forgeEnv).length === 0) return
  throw bottleError(
    'forge-sidecar-missing',
    'A bottle on this machine has no sidecars, so there is no forge sidecar to give the forge environment to.',
    { slug: plan.slug },
  )
}

/**
 * The agent's command line; an interactive run without one gets the user's shell.
 * @throws BottleError `unsupported` when there is none, or when the system can't pass it on
 */
export function requireArguments(plan: LaunchPlan, env: NodeJS.ProcessEnv): readonly [string, ...string[]] {
  const [program, ...rest] = plan.argv ?? (plan.tty ? [env.SHELL || '/bin/sh'] : [])
  if (!program) {
    throw bottleError(
      'unsupported',
      'A bottle on this machine has no image whose command could run. Give its agent one.',
    )
  }
  for (const argument of [program, ...rest]) {
    if (argument.includes('\0'))
      throw bottleError('usage', 'A zero byte can be no part of a prompt or an argument.')
    if (Buffer.byteLength(argument) > ARGUMENT_BYTES) {
      throw bottleError(
        'unsupported',
        'The prompt is longer than the 128 kB that this system passes to a program. Shorten it or put it in a file.',
      )
    }
  }
  return [program, ...rest]
}

async function requireHostSnapshot(
  context: HostContext,
  image: Extract<LaunchPlan['image'], { kind: 'snapshot' }>,
): Promise<void> {
  const { snapshot } = image
  if (snapshot.backend !== 'host') {
    throw bottleError(
      'unsupported',
      `${snapshot.slug}@${snapshot.id} was frozen by ${snapshot.backend} and can't be resumed on this machine itself.`,
    )
  }
  await requireSnapshotTrees(context.home, snapshot)
}

function requireNetworkPolicy(plan: LaunchPlan, isolation: Isolation): void {
  if (plan.network !== 'none' || isolation.hasNetwork) return
  const why = isolation.reason ?? 'The sandbox of this machine can take no network away.'
  const fix = isolation.fix ? ` Mend it with: ${isolation.fix}` : ''
  throw bottleError(
    'policy-unenforceable',
    `This bottle must not reach the network, and this machine can't ensure that. ${why}${fix} Or start it once with --unenforced-egress.`,
  )
}

async function requireProgram(
  context: HostContext,
  plan: LaunchPlan,
  argv: readonly string[],
): Promise<void> {
  const [name = ''] = argv
  if (!mayExistNow(context, plan, name)) return
  const path = plan.env.PATH ?? plan.secrets.PATH ?? searchPath(context.env)
  if (await findProgram(name, path)) return
  throw bottleError(
    'engine-missing',
    `The program ${name} is not on this machine. Install it, or run this agent on docker.`,
  )
}

/** False for a program that only the bottle's own trees can hold, which may not be in place yet. */
function mayExistNow(context: HostContext, plan: LaunchPlan, name: string): boolean {
  if (!name.includes('/')) return true
  return name.startsWith('/') && !name.startsWith(join(bottlePaths(context.home, plan.slug).live, sep))
}

/** One sentence for each key that only containers know. Pure. */
export function ignoredKeys(plan: LaunchPlan): readonly string[] {
  const isContainerFolder = plan.workdir?.startsWith('/') ?? false
  const keys: readonly (readonly [boolean, string])[] = [
    [plan.image.kind === 'image', 'image'],
    [plan.image.kind === 'build', 'build'],
    [plan.user !== null, 'user'],
    [plan.mounts.length > 0, 'mounts'],
    [plan.resources.cpus !== null || plan.resources.memoryBytes !== null, 'resources'],
    [plan.sidecars.length > 0, 'sidecars'],
    [isContainerFolder, 'workdir'],
  ]
  return keys
    .filter(([isGiven]) => isGiven)
    .map(([, key]) => `The bottle's "${key}" is for containers and is ignored on this machine.`)
}
