import { writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { bottleError } from '../../system/bottle-error.ts'
import type { LaunchPlan } from '../backend.ts'
import type { RunRecipe } from '../guest/run-files.ts'
import { packTree } from '../guest/tar-pack.ts'
import { CHANGE_MS, COPY_MS } from './client.ts'
import type { SmolContext } from './context.ts'
import { execArgs } from './grammar.ts'
import { deliveryScript, EXIT_QUESTION, GUEST_DIRS, parseDelivery } from './guest-delivery.ts'
import type { SmolRunPaths } from './run-paths.ts'

const WORKSPACE = '/workspace'
const ROOT = { uid: 0, gid: 0 }
/** How the guest says that it has no such program. */
const NO_PROGRAM: ReadonlySet<number> = new Set([126, 127])

export const NO_SHELL_NOTICE =
  'The image has no shell: its command and plain variables are visible in the process list, and the agent’s exit code is only what the connection tells.'

/** A guest that has all it needs for the agent. */
export interface PreparedGuest {
  /** The `exec` that is the agent. */
  readonly exec: readonly string[]
  /** The call that prints the agent's exit code; null for an image without a shell. */
  readonly ask: readonly string[] | null
  readonly guestDir: string | null
}

/** Gives a running machine the run's files, and the folder that is to be copied in. @throws BottleError */
export async function prepareGuest(
  context: SmolContext,
  plan: LaunchPlan,
  name: string,
  ownCommand: readonly string[],
  run: SmolRunPaths,
  signal: AbortSignal,
): Promise<PreparedGuest> {
  const recipe = recipeOf(plan, ownCommand)
  const script = deliveryScript(recipe, plan.workdir)
  // Kept on this machine until the run ends: a freeze that has to stop the machine gives it all anew.
  await writeFile(run.delivery, script, { mode: 0o600 })
  const told = await deliver(context, name, script, signal)
  const program = await context.client.program()
  if (!told) return withoutShell(plan, name, recipe, program)
  const workdir = plan.workdir ?? (plan.copyCwd && told.cwd === '/' ? WORKSPACE : null)
  if (plan.copyCwd) await copyIn(context, name, plan.copyCwd, workdir ?? told.cwd, signal)
  const start = ['/bin/sh', `${told.dir}/start`]
  const how = plan.tty ? { stdin: true, tty: true } : { stream: true }
  return {
    exec: [program, ...execArgs(name, start, { workdir, ...how })],
    ask: [program, ...execArgs(name, askArgv(told.dir), { timeoutSeconds: 20 })],
    guestDir: told.dir,
  }
}

const askArgv = (dir: string): string[] => ['/bin/sh', '-c', EXIT_QUESTION, 'sh', dir]

/** The plan's command line, else the image's own, as the engine tells it. @throws BottleError */
function recipeOf(plan: LaunchPlan, ownCommand: readonly string[]): RunRecipe {
  const argv = plan.argv ?? ownCommand
  if (argv.length === 0) {
    throw bottleError('manifest-invalid', 'The image has no command of its own. Give the agent one.', {
      slug: plan.slug,
    })
  }
  const env = plan.tty ? { TERM: 'xterm-256color', ...plan.env } : plan.env
  return { argv, env, secrets: plan.secrets, homeFiles: plan.homeFiles }
}

/** Runs a delivery script inside; null for an image without a shell. @throws BottleError */
export async function deliver(
  context: SmolContext,
  name: string,
  script: string,
  signal: AbortSignal,
): Promise<{ readonly dir: string; readonly cwd: string } | null> {
  const args = execArgs(name, ['/bin/sh', '-s'], { stdin: true })
  const result = await context.client.run('give the machine its files', args, {
    ...{ signal, timeout: CHANGE_MS, input: script },
    okCodes: 'any',
  })
  const told = result.exitCode === 0 ? parseDelivery(result.stdout) : null
  if (told) return told
  if (NO_PROGRAM.has(result.exitCode)) return null
  throw bottleError('engine-failed', `The machine ${name} did not take the files of its run.`, {
    detail: result.stderr.slice(-2000),
  })
}

function withoutShell(plan: LaunchPlan, name: string, recipe: RunRecipe, program: string): PreparedGuest {
  const missing = [
    [Object.keys(plan.secrets).length > 0, 'secrets can only be given through one'],
    [Object.keys(plan.homeFiles).length > 0, 'files of the agent can only be written through one'],
    [plan.copyCwd !== null, 'a folder can only be copied in through one'],
  ] as const
  const reason = missing.find(([isWanted]) => isWanted)?.[1]
  if (reason) {
    throw bottleError('unsupported', `The image has no shell, and ${reason}. Use an image with /bin/sh.`, {
      slug: plan.slug,
    })
  }
  const how = plan.tty ? { stdin: true, tty: true } : { stream: true }
  const options = { workdir: plan.workdir, env: recipe.env, ...how }
  return { exec: [program, ...execArgs(name, recipe.argv, options)], ask: null, guestDir: null }
}

/** Copies a folder of this machine into the guest, as the user that everything runs as there. */
async function copyIn(
  context: SmolContext,
  name: string,
  folder: string,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const script = 'mkdir -p "$1" && cd "$1" && exec tar -xf -'
  const args = execArgs(name, ['/bin/sh', '-c', script, 'sh', target], { stdin: true })
  await context.client.run(`copy ${folder} into the machine`, args, {
    ...{ signal, timeout: COPY_MS },
    // The archive's own kind of stream is none that a child process takes.
    input: Readable.from(await packTree(folder, { owner: ROOT, under: '', signal })),
  })
}

/**
 * Ends what an earlier run left in a guest whose memory came back with it, so that two agents never work on the same
 * files. A guest that booted afresh has nothing of the kind.
 */
export async function endFormerAgent(context: SmolContext, name: string, signal: AbortSignal): Promise<void> {
  const script =
    'for dir; do [ ! -e "$dir/signal" ] || { /bin/sh "$dir/signal" KILL all; rm -rf "$dir"; }; done; exit 0'
  const args = execArgs(name, ['/bin/sh', '-c', script, 'sh', ...GUEST_DIRS])
  await context.client.run('end what the machine ran before', args, { signal, okCodes: [0, 126, 127] })
}
