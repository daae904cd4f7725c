import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Located, readYamlFile } from '../frontmatter.ts'
import { type HostIdentity, hostIdentity } from './host-identity.ts'

/** What this machine is called, from its own name, the environment and the alias files of other programs. */
export async function readHost(
  homeDir: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<HostIdentity> {
  const [config, legacy] = await Promise.all([
    readAliasFile(join(homeDir, '.scitex', 'agent-container', 'config.yaml')),
    readAliasFile(join(homeDir, '.scitex', 'host-identity.yaml')),
  ])
  return hostIdentity({
    hostname: hostname(),
    override: env.SCITEX_AGENT_CONTAINER_HOSTNAME,
    aliasOf: textsByKey(entry(entry(config, 'spec'), 'hostname_aliases')),
    aliases: texts(entry(legacy, 'aliases')),
  })
}

/** These files belong to other programs: one that is missing or broken names nothing. */
async function readAliasFile(file: string): Promise<Located | undefined> {
  const text = await readFile(file, 'utf8').catch(() => null)
  return text === null ? undefined : readYamlFile(text, () => {})
}

function entry(value: Located | undefined, key: string): Located | undefined {
  return value?.kind === 'map' ? value.entries.find((field) => field.key === key)?.value : undefined
}

function texts(value: Located | undefined): readonly string[] {
  const items = value?.kind === 'list' ? value.items : []
  return items.flatMap((item) => (item.kind === 'scalar' ? [item.text] : []))
}

function textsByKey(value: Located | undefined): Readonly<Record<string, string>> {
  const entries = value?.kind === 'map' ? value.entries : []
  return Object.fromEntries(
    entries.flatMap((field) =>
      field.value.kind === 'scalar' ? [[field.key, field.value.text] as const] : [],
    ),
  )
}
