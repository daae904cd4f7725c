import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { readText } from '../../state/durable-file.ts'
import { isBottleError } from '../../system/bottle-error.ts'
import { runCommand } from '../../system/run-command.ts'

/** Never logged, never part of an error. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** Exchanged for a token at the token service. */
  | { readonly kind: 'identity'; readonly token: string }
  /** Sent as it is. */
  | { readonly kind: 'bearer'; readonly token: string }

export interface FoundCredentials {
  readonly credentials: Credentials | null
  /** Why a source that should have them could not be asked, free of secrets; null when all went well. */
  readonly problem: string | null
}

type Env = Readonly<Record<string, string | undefined>>

const Entry = z.object({
  auth: z.string().optional().catch(undefined),
  username: z.string().optional().catch(undefined),
  password: z.string().optional().catch(undefined),
  identitytoken: z.string().optional().catch(undefined),
  registrytoken: z.string().optional().catch(undefined),
})
const Config = z.object({
  auths: z.record(z.string(), Entry.catch({})).catch({}).default({}),
  credHelpers: z.record(z.string(), z.string()).catch({}).default({}),
  credsStore: z.string().optional().catch(undefined),
})
type Config = z.infer<typeof Config>

const HelperAnswer = z.object({ Username: z.string(), Secret: z.string() })
const HUB_KEY = 'https://index.docker.io/v1/'

/**
 * What `docker login` (or `podman login`) has kept for a registry: docker's configuration with its helpers first,
 * then podman's file. Files that can't be read count as empty and are told in `problem`.
 */
export async function findCredentials(
  host: string,
  path: string,
  env: Env,
  signal: AbortSignal,
): Promise<FoundCredentials> {
  const problems: string[] = []
  for (const file of configFiles(env)) {
    const config = await readConfig(file, problems)
    if (!config) continue
    const helper = config.credHelpers[helperKey(host)] ?? config.credsStore
    const credentials =
      (helper ? await askHelper(helper, host, env, problems, signal) : null) ?? inConfig(config, host, path)
    if (credentials) return { credentials, problem: null }
  }
  return { credentials: null, problem: problems[0] ?? null }
}

function configFiles(env: Env): readonly string[] {
  const home = env.HOME || homedir()
  const docker = join(env.DOCKER_CONFIG || join(home, '.docker'), 'config.json')
  const podman = env.REGISTRY_AUTH_FILE
    ? [env.REGISTRY_AUTH_FILE]
    : [
        ...(env.XDG_RUNTIME_DIR ? [join(env.XDG_RUNTIME_DIR, 'containers', 'auth.json')] : []),
        join(env.XDG_CONFIG_HOME || join(home, '.config'), 'containers', 'auth.json'),
      ]
  return [docker, ...podman]
}

async function readConfig(file: string, problems: string[]): Promise<Config | null> {
  try {
    const text = await readText(file)
    return text === undefined ? null : Config.parse(JSON.parse(text))
  } catch {
    // The parser's own words could quote a password.
    problems.push(`${file} could not be read.`)
    return null
  }
}

/** The key under which docker keeps a host's credentials. Pure. */
export function helperKey(host: string): string {
  return host === 'docker.io' ? HUB_KEY : host
}

/** The entry of the longest key that covers the repository: podman keeps them per folder too. Pure. */
export function inConfig(config: Pick<Config, 'auths'>, host: string, path: string): Credentials | null {
  const wanted = `${host}/${path}`
  const found = Object.entries(config.auths)
    .map(([key, entry]) => ({ key: plainKey(key), credentials: ofEntry(entry) }))
    .filter(({ key }) => wanted === key || wanted.startsWith(`${key}/`))
    .sort((a, b) => b.key.length - a.key.length)
  return found.find(({ credentials }) => credentials !== null)?.credentials ?? null
}

function plainKey(key: string): string {
  const plain = key.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '')
  return /^(?:index\.|registry-1\.)?docker\.io$/.test(plain) ? 'docker.io' : plain
}

function ofEntry(entry: z.infer<typeof Entry>): Credentials | null {
  if (entry.identitytoken) return { kind: 'identity', token: entry.identitytoken }
  if (entry.registrytoken) return { kind: 'bearer', token: entry.registrytoken }
  const text = entry.auth ? Buffer.from(entry.auth, 'base64').toString('utf8') : ''
  const colon = text.indexOf(':')
  if (colon > 0) {
    // Docker pads what it writes with NUL bytes.
    const password = text.slice(colon + 1).replace(/\0+$/, '')
    return { kind: 'password', username: text.slice(0, colon), password }
  }
  if (entry.username && entry.password) {
    return { kind: 'password', username: entry.username, password: entry.password }
  }
  return null
}

async function askHelper(
  name: string,
  host: string,
  env: Env,
  problems: string[],
  signal: AbortSignal,
): Promise<Credentials | null> {
  // The name becomes part of a program's name: nothing that leads elsewhere.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    problems.push('The credential helper in the configuration has a name that no helper has.')
    return null
  }
  const program = `docker-credential-${name}`
  try {
    const { stdout, exitCode } = await runCommand(program, ['get'], {
      input: helperKey(host),
      env: definedOnly(env),
      timeout: 30_000,
      signal,
      okCodes: [0, 1],
    })
    // 1 is how a helper says that it has nothing.
    if (exitCode !== 0) return null
    const { Username, Secret } = HelperAnswer.parse(JSON.parse(stdout))
    if (!Secret) return null
    return Username === '<token>'
      ? { kind: 'identity', token: Secret }
      : { kind: 'password', username: Username, password: Secret }
  } catch (error) {
    if (isBottleError(error) && error.code === 'cancelled') throw error
    const why = isBottleError(error) && error.code === 'engine-missing' ? 'is not installed' : 'failed'
    problems.push(`The credential helper ${program} ${why}.`)
    return null
  }
}

function definedOnly(env: Env): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
