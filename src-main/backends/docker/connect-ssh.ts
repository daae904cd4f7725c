import { Duplex } from 'node:stream'
import { shellQuote } from '../guest/shell-quote.ts'
import { KEEP_ALIVE_MS } from './connect-tcp.ts'
import type { Endpoint } from './endpoint.ts'
import { SSH_ENDED, SSH_MISSING } from './ssh-errors.ts'

export type SshEndpoint = Extract<Endpoint, { kind: 'ssh' }>

/** Seconds in which the far machine has to answer at all, as Docker's own client has it. */
const CONNECT_S = 30
/** Characters of what ssh says that are kept for an error. */
const KEPT = 4000

/**
 * Opens a connection as Docker's own client does it: each is one `docker system dial-stdio` on the far machine, through the
 * person's own `ssh`, so that their known hosts, keys, agent and `~/.ssh/config` count. It never asks anything. The
 * stream fails with `SSH_ENDED` or `SSH_MISSING` as its code; whoever opened it bounds its time by destroying it.
 */
export function connectSsh(endpoint: SshEndpoint, env: NodeJS.ProcessEnv): Duplex {
  // A group of its own: a Ctrl-C is for Icebox, which still has to talk to the engine then.
  const { spawn } = process.getBuiltinModule('node:child_process')
  const child = spawn('ssh', sshArguments(endpoint), { env, stdio: 'pipe', detached: true })
  let said = ''
  let isAnswered = false
  const stream = new Duplex({
    // Who reads to the end of a connection that is closed over there has nobody left to write to.
    allowHalfOpen: false,
    read: () => {
      child.stdout.resume()
    },
    // One that ended is told when it is gone, with the reason that it gave.
    write: (chunk: Buffer, _encoding, done) => {
      child.stdin.write(chunk, (error) => (error ? undefined : done()))
    },
    final: (done) => {
      child.stdin.end(() => done())
    },
    destroy: (error, done) => {
      child.kill('SIGTERM')
      done(error)
    },
  })
  child.stdin.on('error', () => undefined)
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-KEPT)
  })
  child.stdout.on('data', (chunk: Buffer) => {
    isAnswered = true
    if (!stream.push(chunk)) child.stdout.pause()
  })
  child.once('error', (error: NodeJS.ErrnoException) => {
    const code = error.code === 'ENOENT' ? SSH_MISSING : error.code
    stream.destroy(Object.assign(new Error(error.message), { code }))
  })
  // Not its end: a connection that others share keeps the pipe for errors open.
  child.stdout.once('end', () => {
    if (isAnswered) stream.push(null)
  })
  child.once('close', (exitCode) => {
    if (isAnswered) return
    if (exitCode === 0) stream.push(null)
    else stream.destroy(Object.assign(new Error(said.trim() || 'ssh said nothing'), { code: SSH_ENDED }))
  })
  return stream
}

/** Pure. What a person's own configuration adds for their sessions, such as forwarded ports, stays out. */
export function sshArguments(endpoint: SshEndpoint): readonly string[] {
  const options = {
    BatchMode: 'yes',
    ConnectTimeout: CONNECT_S,
    ServerAliveInterval: KEEP_ALIVE_MS / 1000,
    // A shared connection is used where there is one; ended with one request, one of ours would take the others along.
    ControlMaster: 'no',
    ClearAllForwardings: 'yes',
    RemoteCommand: 'none',
  }
  return [
    '-T',
    ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ...(endpoint.username === null ? [] : ['-l', endpoint.username]),
    ...(endpoint.port === null ? [] : ['-p', String(endpoint.port)]),
    '--',
    endpoint.host,
    dialCommand(endpoint),
  ]
}

function dialCommand({ socketPath }: SshEndpoint): string {
  const host = socketPath ? `--host ${shellQuote(`unix://${socketPath}`)} ` : ''
  return `docker ${host}system dial-stdio`
}
