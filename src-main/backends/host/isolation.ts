import { runCommand } from '../../system/run-command.ts'
import { findProgram, searchPath } from '../local/find-program.ts'

export type IsolationKind = 'bwrap' | 'sandbox-exec' | 'none'

/** What can be put around an agent on this machine. */
export interface Isolation {
  readonly kind: IsolationKind
  /** Absolute path of the sandbox program; null for `none`. */
  readonly program: string | null
  /** True when the network can be taken away. */
  readonly hasNetwork: boolean
  /** Why there is no sandbox, and what mends it. */
  readonly reason: string | null
  readonly fix: string | null
}

const PROBE_MS = 10_000

/**
 * Tries the sandbox of this system by running something in it, once; installed is not yet working.
 * `ICEBOX_HOST_ISOLATION=none` turns it off.
 */
export function createIsolationProbe(env: NodeJS.ProcessEnv): (signal: AbortSignal) => Promise<Isolation> {
  let once: Promise<Isolation> | undefined
  return (signal) => {
    // A cancelled first caller must not decide for all later ones.
    once ??= probe(env, signal).catch((error: unknown) => {
      once = undefined
      throw error
    })
    return once
  }
}

async function probe(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Isolation> {
  if (env.ICEBOX_HOST_ISOLATION === 'none')
    return none('Isolation is turned off by ICEBOX_HOST_ISOLATION.', null)
  if (process.platform === 'darwin') return probeSandboxExec(signal)
  if (process.platform !== 'linux') return none('There is no sandbox for this system.', null)
  return probeBwrap(env, signal)
}

async function probeBwrap(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Isolation> {
  const program = await findProgram('bwrap', searchPath(env))
  if (!program) return none('bubblewrap is not installed.', 'sudo apt install bubblewrap')
  const nothing = (await findProgram('true', searchPath(env))) ?? '/bin/true'
  const basics = ['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp']
  const spaces = ['--unshare-pid', '--unshare-ipc', '--cap-drop', 'ALL']
  const works = async (extra: readonly string[]): Promise<boolean> => {
    const args = [...basics, ...spaces, ...extra, '--', nothing]
    const tried = await runCommand(program, args, { timeout: PROBE_MS, signal, okCodes: ANY_CODE })
    return tried.exitCode === 0
  }
  const [isWorking, hasNetwork] = await Promise.all([works([]), works(['--unshare-net'])])
  if (!isWorking) {
    return none(
      'bubblewrap is installed, but this system does not let it make namespaces.',
      'sudo sysctl kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0',
    )
  }
  return { kind: 'bwrap', program, hasNetwork, reason: null, fix: null }
}

async function probeSandboxExec(signal: AbortSignal): Promise<Isolation> {
  const program = '/usr/bin/sandbox-exec'
  const args = ['-p', '(version 1)(allow default)', '/usr/bin/true']
  const tried = await runCommand(program, args, { timeout: PROBE_MS, signal, okCodes: ANY_CODE }).catch(
    () => null,
  )
  if (tried?.exitCode !== 0)
    return none('sandbox-exec does not work here, perhaps inside another sandbox.', null)
  return { kind: 'sandbox-exec', program, hasNetwork: true, reason: null, fix: null }
}

const ANY_CODE = Array.from({ length: 256 }, (_unused, code) => code)

function none(reason: string, fix: string | null): Isolation {
  return { kind: 'none', program: null, hasNetwork: false, reason, fix }
}
