import { spawn } from 'node:child_process'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { endGroup, runChild } from './child.ts'

export interface OwnDaemon {
  /** For `DOCKER_HOST`. */
  readonly host: string
  readonly pid: number
  readonly dir: string
  /** Ends the daemon by its pid and removes all of its data. Idempotent. */
  stop(): Promise<void>
}

/** Sandboxed machines miss one piece of the kernel or another; each attempt asks for less. */
const ATTEMPTS: readonly (readonly string[])[] = [
  [],
  ['--iptables=false'],
  ['--iptables=false', '--bridge=none'],
]

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
      await removeTree(dir)
    }
  }
  throw new Error(`No Docker daemon could be started.\n${problems.join('\n')}`)
}

async function launch(dir: string, flags: readonly string[], dataRoot: string): Promise<OwnDaemon> {
  const host = `unix://${join(dir, 'docker.sock')}`
  const log = await open(join(dir, 'log'), 'a')
  const child = spawn(
    'dockerd',
    [
      `--host=${host}`,
      `--data-root=${dataRoot}`,
      `--exec-root=${join(dir, 'exec')}`,
      `--pidfile=${join(dir, 'pid')}`,
      // A containerd of the system is shared by every daemon; the namespace keeps ours apart.
      '--containerd-namespace=icebox-test',
      '--containerd-plugins-namespace=icebox-test-plugins',
      ...flags,
    ],
    { detached: true, stdio: ['ignore', log.fd, log.fd] },
  )
  await log.close()
  let gone = false
  const ended = new Promise<void>((resolve) => {
    const note = () => {
      gone = true
      resolve()
    }
    child.once('exit', note)
    child.once('error', note)
  })
  const stop = async () => {
    if (!gone && child.pid !== undefined) {
      child.kill('SIGTERM')
      await Promise.race([ended, sleep(30_000, undefined, { ref: false })])
      if (!gone) endGroup(child.pid, 'SIGKILL')
      await ended
    }
    // dockerd's own children (containerd, shims) share its group; after a clean stop there are none.
    endGroup(child.pid, 'SIGKILL')
    await removeTree(dir)
  }
  const deadline = Date.now() + 60_000
  while (!gone && Date.now() < deadline) {
    if (await engineAnswers(host)) return { host, pid: child.pid ?? 0, dir, stop }
    await sleep(200)
  }
  const tail = (await readFile(join(dir, 'log'), 'utf8')).split('\n').slice(-15).join('\n')
  await stop()
  throw new Error(`it did not answer; the end of its log:\n${tail}`)
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
