/** What this machine is called, as placement rules of agent YAML see it. */
export interface HostIdentity {
  /** The name that per-host agents and `${HOSTNAME}` take; empty when there is none. */
  readonly canonical: string
  /** Every name of this machine, in lower case. */
  readonly names: ReadonlySet<string>
}

export interface HostSources {
  readonly hostname: string
  /** `SCITEX_AGENT_CONTAINER_HOSTNAME`. */
  readonly override: string | undefined
  /** Short host name → alias, of `~/.scitex/agent-container/config.yaml`. */
  readonly aliasOf: Readonly<Record<string, string>>
  /** Further names of this machine, of `~/.scitex/host-identity.yaml`. */
  readonly aliases: readonly string[]
}

const LOOPBACK = ['localhost', 'localhost.localdomain', '127.0.0.1', '::1']

/** The override, else the alias of the short host name, else that name. Source: scitex §1. Pure. */
export function hostIdentity(sources: HostSources): HostIdentity {
  const long = sources.hostname.trim()
  const short = long.split('.')[0] ?? ''
  const alias = Object.hasOwn(sources.aliasOf, short) ? sources.aliasOf[short] : undefined
  const canonical = [sources.override, alias, short]
    .map((name) => name?.trim() ?? '')
    .find((name) => name !== '')
  const all = [...LOOPBACK, long, short, alias ?? '', canonical ?? '', ...sources.aliases]
  return {
    canonical: canonical ?? '',
    names: new Set(all.map((name) => name.trim().toLowerCase()).filter((name) => name !== '')),
  }
}

/** True when that name is one of this machine's. An empty one is nobody's. Pure. */
export function isThisHost(name: string, host: HostIdentity): boolean {
  return host.names.has(name.trim().toLowerCase())
}

/** `<name>-<HOST>`; a name that has the ending already keeps it. Pure. */
export function perHostName(name: string, host: string): string {
  return name.endsWith(`-${host}`) ? name : `${name}-${host}`
}
