/** Sites that the app itself links to. */
const SITES: ReadonlySet<string> = new Set([
  'github.com',
  'docs.docker.com',
  'www.docker.com',
  'smolmachines.com',
])
const MAX_LENGTH = 2048

/** The address to give to the system's browser, or null for one that Icebox does not open. Pure. */
export function externalLink(address: unknown): string | null {
  if (typeof address !== 'string' || address.length > MAX_LENGTH || !URL.canParse(address)) return null
  const { protocol, hostname, username, password, port, href } = new URL(address)
  const isPlain = protocol === 'https:' && username === '' && password === '' && port === ''
  return isPlain && SITES.has(hostname) ? href : null
}
