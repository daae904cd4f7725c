import { bottleError } from '../../system/bottle-error.ts'

/** Where an image lies, as docker writes it. */
export interface RegistryReference {
  /** Host and port as the user knows it: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly host: string
  /** Repository, `library/` added where docker adds it. */
  readonly path: string
  /** Null when only a digest was given. */
  readonly tag: string | null
  readonly digest: string | null
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`)
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?'
const HOST = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9a-fA-F:.]+\\])(?::[0-9]{1,5})?$`)
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const DIGEST = /^sha256:[0-9a-f]{64}$/

/**
 * Reads `[host[:port]/]path[:tag][@sha256:…]` with docker's defaults: docker.io, `library/`, `latest`. Pure.
 * @throws BottleError `usage` that names what is wrong
 */
export function parseReference(text: string): RegistryReference {
  const at = text.indexOf('@')
  const digest = at < 0 ? null : text.slice(at + 1)
  if (digest !== null && !DIGEST.test(digest)) throw wrong(text, 'after @ comes sha256: and 64 hex digits')
  const named = at < 0 ? text : text.slice(0, at)
  const slash = named.indexOf('/')
  const first = slash < 0 ? '' : named.slice(0, slash)
  const hasHost = isHost(first)
  const host = hasHost ? first : 'docker.io'
  if (!isUsableHost(host)) throw wrong(text, `${JSON.stringify(host)} is no host`)
  const rest = hasHost ? named.slice(slash + 1) : named
  const colon = rest.indexOf(':')
  const tag = colon < 0 ? null : rest.slice(colon + 1)
  if (tag !== null && !TAG.test(tag)) throw wrong(text, `${JSON.stringify(tag)} is no tag`)
  const path = withLibrary(host, colon < 0 ? rest : rest.slice(0, colon))
  if (!PATH.test(path) || path.length > 255 - host.length) {
    throw wrong(text, 'a repository is named in small letters, digits, and single . _ - or / between them')
  }
  return {
    host: host === 'index.docker.io' ? 'docker.io' : host,
    path,
    tag: tag ?? (digest ? null : 'latest'),
    digest,
  }
}

/** As docker tells a host from a folder: a dot, a port, `localhost`, or a capital letter. */
function isHost(first: string): boolean {
  return /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase()
}

function isUsableHost(host: string): boolean {
  return HOST.test(host) && URL.canParse(`https://${host}/`)
}

function withLibrary(host: string, path: string): string {
  const isHub = host === 'docker.io' || host === 'index.docker.io'
  return isHub && !path.includes('/') ? `library/${path}` : path
}

/** The full text again: what a message names and `pull` takes. Pure. */
export function referenceText(reference: RegistryReference): string {
  const tag = reference.tag === null ? '' : `:${reference.tag}`
  const digest = reference.digest === null ? '' : `@${reference.digest}`
  return `${reference.host}/${reference.path}${tag}${digest}`
}

/** The host that answers for a reference: Docker Hub's lies elsewhere than its name says. Pure. */
export function apiHost(host: string): string {
  return host === 'docker.io' ? 'registry-1.docker.io' : host
}

/**
 * True for hosts that may be spoken to without TLS: this machine's own, and those that the user named in
 * `ICEBOX_INSECURE_REGISTRIES` (hosts, with a port if it is not the usual one, separated by commas). Pure.
 */
export function allowsPlainHttp(host: string, env: Readonly<Record<string, string | undefined>>): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase()
  if (name === 'localhost' || name === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(name)) return true
  const named = (env.ICEBOX_INSECURE_REGISTRIES ?? '').split(',').map((entry) => entry.trim().toLowerCase())
  return named.includes(host.toLowerCase())
}

function wrong(text: string, why: string): Error {
  return bottleError(
    'usage',
    `${JSON.stringify(text.slice(0, 300))} is no image reference: ${why}. An example: registry.example.com/team/web-1:v2.`,
  )
}
