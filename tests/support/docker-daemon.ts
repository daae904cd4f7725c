import { spawn } from 'node:child_process'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { endGroup, endProcess, runChild } from './child.ts'
import { processesUnder } from './leftovers.ts'

export interface OwnDaemon {
  /** For `DOCKER_HOST`. */
  readonly host: string
  pid(): number
  readonly dir: string
  /** Ends the daemon as told and starts it again on the same data. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Ends the daemon by its pid and removes all of its data. Idempotent. */
  stop(): Promise<void>
}

/** Sandboxed machines may lack the kernel's packet filter; the second attempt does without. */
const ATTEMPTS: readonly (readonly string[])[] = [[], ['--iptables=false', '--ip6tables=false']]

/**
 * A network namespace of its own keeps the daemon's bridges and packet filter rules away from those of any other
 * daemon on the machine: two in one namespace delete each other's `docker0`.
 */
const IN_OWN_NETWORK = [
  '--net',
  '--',
  'sh',
  '-c',
  '{ ip link set lo up || busybox ip link set lo up; } 2>/dev/null; exec dockerd "$@"',
  'dockerd',
]

/**
 * A command line that runs in the daemon's network. A daemon that people use shares the network of its machine: it
 * reaches a registry on loopback.
 */
export function inNetworkOf(daemon: OwnDaemon, command: readonly string[]): readonly string[] {
  return ['nsenter', `--target=${daemon.pid()}`, '--net', '--', ...command]
}

export interface DaemonOptions {
  /** Where the images and containers go; default a folder beside the socket. It is the caller's to remove. */
  readonly dataRoot?: string
  /** Flags instead of the attempts above. */
  readonly flags?: readonly string[]
}

/**
 * Starts a Docker daemon of our own: own socket, data root, exec root and pid file in a temp folder, in its own
 * process group, so that a Ctrl-C reaches it only through `stop`.
 * @throws Error with the end of the daemon's log when it does not answer in time.
 */
export async function startOwnDaemon(options: DaemonOptions = {}): Promise<OwnDaemon> {
  const problems: string[] = []
  for (const flags of options.flags ? [options.flags] : ATTEMPTS) {
    const dir = await mkdtemp(join(tmpdir(), 'icebox-dockerd-'))
    try {
      return await launch(dir, flags, options.dataRoot ?? join(dir, 'data'))
    } catch (error) {
      problems.push(`dockerd ${flags.join(' ')}: ${String(error)}`)
    }
  }
  throw new Error(`No Docker daemon could be started.\n${problems.join('\n')}`)
}

async function launch(dir: string, flags: readonly string[], dataRoot: string): Promise<OwnDaemon> {
  const host = `unix://${join(dir, 'docker.sock')}`
  const args = [
    `--host=${host}`,
    `--data-root=${dataRoot}`,
    `--exec-root=${join(dir, 'exec')}`,
    `--pidfile=${join(dir, 'pid')}`,
    // A containerd of the system is shared by every daemon; the namespace keeps ours apart.
    '--containerd-namespace=icebox-test',
    '--containerd-plugins-namespace=icebox-test-plugins',
    ...flags,
  ]
  const begin = () => startProcess(args, join(dir, 'log'), host)
  let running = await begin().catch(async (error: unknown) => {
    await removeTree(dir)
    throw error
  })
  return {
    host,
    pid: () => running.pid,
    dir,
    async restart(signal) {
      await running.end(signal)
      // A killed daemon leaves its containerd dying and pid files that the next one would believe.
      await endProcesses(dir, (command) => command.startsWith('containerd '))
      for (const file of ['pid', 'exec/containerd/containerd.pid']) await rm(join(dir, file), { force: true })
      running = await begin()
    },
    async stop() {
      await running.end('SIGTERM')
      await endProcesses(dir, () => true)
      await removeTree(dir)
    },
  }
}

interface RunningProcess {
  readonly pid: number
  /** Signals, waits, and after half a minute kills the whole group. Idempotent. */
  end(signal: NodeJS.Signals): Promise<void>
}

async function startProcess(args: readonly string[], logFile: string, host: string): Promise<RunningProcess> {
  const log = await open(logFile, 'a')
  const child = spawn('unshare', [...IN_OWN_NETWORK, ...args], {
    detached: true,
    // Its many short helper processes collect garbage that they never need back: a quarter of their work.
    env: { ...process.env, GOGC: '800' },
    stdio: ['ignore', log.fd, log.fd],
  })
  await log.close()
  let isGone = false
  const ended = new Promise<void>((resolve) => {
    const note = () => {
      isGone = true
      resolve()
    }
    child.once('exit', note)
    child.once('error', note)
  })
  const end = async (signal: NodeJS.Signals) => {
    if (!isGone) {
      child.kill(signal)
      await Promise.race([ended, sleep(30_000, undefined, { ref: false })])
      if (!isGone) endGroup(child.pid, 'SIGKILL')
      await ended
    }
    // What dockerd started shares its group; after a clean stop there is nothing.
    endGroup(child.pid, 'SIGKILL')
  }
  const deadline = Date.now() + 60_000
  while (!isGone && Date.now() < deadline) {
    if (await engineAnswers(host)) return { pid: child.pid ?? 0, end }
    await sleep(200)
  }
  const tail = (await readFile(logFile, 'utf8')).split('\n').slice(-15).join('\n')
  await end('SIGTERM')
  throw new Error(`it did not answer; the end of its log:\n${tail}`)
}

/** Kills what a daemon left running with paths of this folder, and waits until it is gone. */
async function endProcesses(dir: string, isMeant: (command: string) => boolean): Promise<void> {
  for (let left = 100; left > 0; left--) {
    const found = (await processesUnder(dir)).filter(({ command }) => isMeant(command))
    if (found.length === 0) return
    for (const { pid } of found) endProcess(pid)
    await sleep(100)
  }
  throw new Error(`processes below ${dir} do not end`)
}

/** True when an engine answers there; without a host, wherever the docker command would look. */
export async function engineAnswers(host?: string): Promise<boolean> {
  const env = host === undefined ? process.env : { ...process.env, DOCKER_HOST: host }
  try {
    const args = ['version', '--format', '{{.Server.Version}}']
    return (await runChild('docker', args, { env, timeout: 20_000 })).exitCode === 0
  } catch {
    // No docker command: nothing answers.
    return false
  }
}

/** Removes a folder, after taking down what is still mounted in it: a plain removal would reach through. */
export async function removeTree(dir: string): Promise<void> {
  if (process.platform === 'linux') {
    const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((point) => point.startsWith(`${dir}/`) || point === dir)
      .sort((a, b) => b.length - a.length)
    for (const point of mounts) await runChild('umount', ['-l', point], { timeout: 10_000 })
  }
  await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
}
