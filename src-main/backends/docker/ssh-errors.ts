import type { ErrorCode } from '../../../src-preload/contract/index.ts'

/** What ssh said when it ended before the engine answered. */
export const SSH_ENDED = 'ERR_SSH_ENDED'
/** There is no ssh on the PATH. */
export const SSH_MISSING = 'ERR_SSH_MISSING'

interface Failure {
  readonly code: ErrorCode
  readonly message: string
}

interface Machine {
  readonly host: string
  readonly username: string | null
  readonly port: number | null
}

/** From a machine's name and the command by which a person reaches it. */
type Sentence = (name: string, command: string) => string
type Why = readonly [RegExp, ErrorCode, Sentence]

const WHY: readonly Why[] = [
  [
    /HOST IDENTIFICATION HAS CHANGED|key for .* has changed/i,
    'engine-failed',
    (name) =>
      `The SSH host key of ${name} is another one than is known here, so nothing was sent. Ask who runs that machine before you take the old key out of known_hosts.`,
  ],
  [
    /Host key verification failed|No .* host key is known/i,
    'engine-failed',
    (name, command) =>
      `The SSH host key of ${name} is not known here, so nothing was sent. Run \`${command}\` once and compare it.`,
  ],
  [
    /Permission denied \(/,
    'permission',
    (name, command) =>
      `${name} accepts none of your SSH keys. \`${command}\` has to work without a question; a key with a passphrase belongs in ssh-agent.`,
  ],
  [
    /docker: (command )?not found|docker: inaccessible or not found/,
    'engine-missing',
    (name) => `${name} has no \`docker\` command, which a connection over SSH needs.`,
  ],
]

/** Why ssh brought no connection about, from what it said; null for all else. Pure. */
export function sshFailure(said: string, { host, username, port }: Machine): Failure | null {
  const found = WHY.find(([pattern]) => pattern.test(said))
  if (!found) return null
  const name = username === null ? host : `${username}@${host}`
  const command = port === null ? `ssh ${name}` : `ssh -p ${port} ${name}`
  return { code: found[1], message: found[2](name, command) }
}
