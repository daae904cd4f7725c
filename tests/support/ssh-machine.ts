import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { must } from './busybox-image.ts'
import { until } from './docker-scene.ts'
import { which } from './prepare.ts'

/** A real `sshd` on loopback for whoever runs the tests, and the `ssh` of somebody who is connected to it as `far`. */
export interface SshMachine {
  readonly port: number
  /** `DOCKER_HOST` aside, the environment of somebody who uses that machine. */
  readonly env: Readonly<Record<string, string>>
  /** Takes the machine's key off the known ones, puts another machine's in its place, or its own again. */
  forget(): Promise<void>
  mistake(): Promise<void>
  remember(): Promise<void>
  stop(): Promise<void>
}

/** @param dockerHost where the engine of that machine listens */
export async function startSshMachine(
  dockerHost = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock',
): Promise<SshMachine> {
  const dir = await mkdtemp(join(tmpdir(), 'ssh-'))
  const at = (name: string) => join(dir, name)
  for (const key of ['host', 'other', 'client'])
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', at(key)])
  await writeFile(at('authorized'), await readFile(at('client.pub')))
  const { server, open } = await serve(dir, dockerHost)
  const { port } = server.address() as AddressInfo
  const knows = async (key: string | null) =>
    writeFile(
      at('known'),
      key === null ? '' : `[127.0.0.1]:${port} ${await readFile(at(`${key}.pub`), 'utf8')}`,
    )
  await knows('host')
  const shared = at('shared-%r')
  const far = `Host far\n  HostName 127.0.0.1\n  Port ${port}\n  ControlPath ${shared}\n`
  const program = await writeSsh(dir, `${far}${sshConfig(dir)}`)
  const master = spawn(join(program, 'ssh'), ['-MNT', 'far'], { stdio: 'ignore' })
  await until(async () => existsSync(shared.replace('%r', userInfo().username)))
  return {
    port,
    env: { PATH: [program, process.env.PATH ?? ''].join(delimiter), SSH_AUTH_SOCK: '' },
    forget: () => knows(null),
    mistake: () => knows('other'),
    remember: () => knows('host'),
    async stop() {
      master.kill()
      server.close()
      await until(async () => open() === 0)
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** One `sshd` for each connection, as inetd starts it, so that the port is found free and nothing stays. */
async function serve(dir: string, dockerHost: string): Promise<{ readonly server: Server; open(): number }> {
  // Of the same folder on every machine; only root needs it.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true })
  const sshd = await which('sshd')
  if (!sshd) throw new Error('sshd is not installed')
  const config = [
    `HostKey ${join(dir, 'host')}`,
    `AuthorizedKeysFile ${join(dir, 'authorized')}`,
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin prohibit-password',
    'AuthenticationMethods publickey',
    `SetEnv DOCKER_HOST=${dockerHost}`,
  ]
  await writeFile(join(dir, 'sshd_config'), `${config.join('\n')}\n`)
  let open = 0
  const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    open += 1
    const child = spawn(sshd, ['-i', '-f', join(dir, 'sshd_config')], { stdio: [socket, socket, 'ignore'] })
    // The daemon has it now; while it is open here too, nobody over there sees it end.
    child.once('spawn', () => socket.destroy())
    child.once('exit', () => {
      open -= 1
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, open: () => open }
}

/** What somebody has in `~/.ssh/config`, which ssh looks for in the account's own home and nowhere else. */
function sshConfig(dir: string): string {
  const lines = [
    'Host *',
    `  IdentityFile ${join(dir, 'client')}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${join(dir, 'known')}`,
    '  GlobalKnownHostsFile /dev/null',
  ]
  return `${lines.join('\n')}\n`
}

/** A folder whose `ssh` is the machine's own with another configuration. */
export async function writeSsh(dir: string, config: string): Promise<string> {
  const ssh = await which('ssh')
  if (!ssh) throw new Error('ssh is not installed')
  const bin = join(dir, 'bin')
  await mkdir(bin)
  await writeFile(join(dir, 'ssh_config'), config)
  await writeFile(join(bin, 'ssh'), `#!/bin/sh\nexec '${ssh}' -F '${join(dir, 'ssh_config')}' "$@"\n`)
  await chmod(join(bin, 'ssh'), 0o755)
  return bin
}
