import { createHash } from 'node:crypto'
import { access, readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'

export interface TlsMaterial {
  readonly ca?: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
  /** False only where a Docker context or `DOCKER_TLS` alone says so. */
  readonly verify: boolean
}

/** Where the daemon listens. */
export type Endpoint = { readonly url: string; readonly remote: boolean } & (
  | { readonly kind: 'unix'; readonly socketPath: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls: TlsMaterial | null }
  | {
      readonly kind: 'ssh'
      readonly host: string
      /** Null: what ssh itself takes. */
      readonly port: number | null
      readonly username: string | null
      /** The daemon's socket over there; null for the usual one. */
      readonly socketPath: string | null
    }
)

type Env = NodeJS.ProcessEnv

const USUAL = '/var/run/docker.sock'

/**
 * Finds the daemon as Docker's own client does: `DOCKER_HOST`, else the current context, else the usual socket.
 * @throws BottleError `engine-missing` when the context or the address can't be understood
 */
export async function resolveEndpoint(
  env: Env,
  platform: NodeJS.Platform = process.platform,
): Promise<Endpoint> {
  const home = env.HOME || homedir()
  const configDir = env.DOCKER_CONFIG || join(home, '.docker')
  if (env.DOCKER_HOST) {
    // Only a network needs certificates; missing ones are no reason to refuse a socket.
    const isLocal = /^(unix|ssh):/.test(env.DOCKER_HOST)
    return parseEndpoint(env.DOCKER_HOST, isLocal ? null : await tlsFromEnv(env, configDir))
  }
  const context = env.DOCKER_CONTEXT || (await currentContext(configDir))
  if (context && context !== 'default') return endpointOfContext(configDir, context)
  const desktop = join(home, '.docker', 'run', 'docker.sock')
  const isDesktop = platform === 'darwin' && !(await exists(USUAL)) && (await exists(desktop))
  return parseEndpoint(`unix://${isDesktop ? desktop : USUAL}`, null)
}

/** Reads one address. Plain `host:port` without a scheme is not accepted, as Docker's client does not either. */
export function parseEndpoint(address: string, tls: TlsMaterial | null): Endpoint {
  if (address.startsWith('unix://')) {
    return { kind: 'unix', url: address, socketPath: address.slice('unix://'.length) || USUAL, remote: false }
  }
  const whole = address.replace(/^tcp:\/\/(?=:)/, 'tcp://localhost')
  const url = URL.canParse(whole) ? new URL(whole) : null
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? ''
  if (url && host && ['tcp:', 'http:', 'https:'].includes(url.protocol)) {
    const secure = tls ?? (url.protocol === 'https:' ? { verify: true } : null)
    // A URL hides the usual port of its scheme, which for the web is not Docker's.
    const named = url.port || /^[^/]*\/\/[^/]*:(\d+)(\/|$)/.exec(whole)?.[1]
    const port = named ? Number(named) : secure ? 2376 : 2375
    return { kind: 'tcp', url: address, host, port, tls: secure, remote: !isLoopback(host) }
  }
  if (url && host && url.protocol === 'ssh:') {
    const port = url.port ? Number(url.port) : null
    // Never kept in `url`: it is shown to people.
    const socketPath = url.pathname.length > 1 ? url.pathname : null
    const shown = `ssh://${url.username ? `${url.username}@` : ''}${url.host}${socketPath ?? ''}`
    return {
      kind: 'ssh',
      url: shown,
      host,
      port,
      username: url.username ? decodeURIComponent(url.username) : null,
      socketPath,
      remote: true,
    }
  }
  throw bottleError(
    'engine-missing',
    `The Docker address "${address}" is not understood. Use unix://, tcp:// or ssh:// in DOCKER_HOST.`,
  )
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function tlsFromEnv(env: Env, configDir: string): Promise<TlsMaterial | null> {
  if (!env.DOCKER_TLS_VERIFY && !env.DOCKER_TLS && !env.DOCKER_CERT_PATH) return null
  const dir = env.DOCKER_CERT_PATH || configDir
  const tls = await readTls(dir, Boolean(env.DOCKER_TLS_VERIFY || env.DOCKER_CERT_PATH))
  // Else every authority that the system knows would do, which is not what was asked for.
  if (env.DOCKER_TLS_VERIFY && !tls.ca) throw unreadable(join(dir, 'ca.pem'), 'DOCKER_TLS_VERIFY needs it')
  return tls
}

async function readTls(dir: string, verify: boolean): Promise<TlsMaterial> {
  const read = (name: string) =>
    readFile(join(dir, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
      throw unreadable(join(dir, name), error.message)
    })
  const [ca, cert, key] = await Promise.all([read('ca.pem'), read('cert.pem'), read('key.pem')])
  return { verify, ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) }
}

const unreadable = (file: string, why: string) =>
  bottleError('engine-missing', `${file} could not be read, so Docker was not asked (${why}).`)

async function currentContext(configDir: string): Promise<string | null> {
  const text = await readFile(join(configDir, 'config.json'), 'utf8').catch(() => '{}')
  try {
    const { currentContext: name } = JSON.parse(text) as { currentContext?: unknown }
    return typeof name === 'string' && name ? name : null
  } catch {
    throw bottleError(
      'engine-missing',
      `${join(configDir, 'config.json')} is damaged, so the Docker context is unknown.`,
    )
  }
}

async function endpointOfContext(configDir: string, name: string): Promise<Endpoint> {
  const id = createHash('sha256').update(name).digest('hex')
  const file = join(configDir, 'contexts', 'meta', id, 'meta.json')
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text === null) {
    throw bottleError('engine-missing', `There is no Docker context "${name}". See \`docker context ls\`.`)
  }
  const docker = readContext(text, file)
  const tlsDir = join(configDir, 'contexts', 'tls', id, 'docker')
  const isSecure = docker.skipVerify || (await exists(tlsDir))
  const tls = isSecure ? await readTls(tlsDir, !docker.skipVerify) : null
  return parseEndpoint(docker.host, tls)
}

function readContext(text: string, file: string): { host: string; skipVerify: boolean } {
  try {
    const meta = JSON.parse(text) as { Endpoints?: { docker?: { Host?: unknown; SkipTLSVerify?: unknown } } }
    const docker = meta.Endpoints?.docker
    if (typeof docker?.Host === 'string')
      return { host: docker.Host, skipVerify: docker.SkipTLSVerify === true }
  } catch {
    // Falls through: unreadable and incomplete are the same to a user.
  }
  throw bottleError('engine-missing', `The Docker context file ${file} is damaged.`)
}
