import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createDurable } from '../state/durable-file.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { ProviderName } from './definitions.ts'
import { isKebab, isManifestName } from './names.ts'
import { quoted } from './problems.ts'

export interface ScaffoldOptions {
  /** The agent's default bottle; without one, a bottle of the agent's name. */
  readonly bottle?: string
  readonly provider?: ProviderName
}

export interface Scaffolded {
  readonly agentFile: string
  readonly bottleFile: string
  /** The files that did not exist before. */
  readonly created: readonly string[]
}

const SECRET_OF: Readonly<Record<ProviderName, string | null>> = {
  claude: 'ANTHROPIC_API_KEY',
  codex: 'OPENAI_API_KEY',
  pi: 'ANTHROPIC_API_KEY',
  custom: null,
}

/**
 * Writes a first agent, and its bottle when there is none yet. Never overwrites.
 * @throws BottleError `usage` for a name that can't be one, `exists` when the agent is there already.
 */
export async function scaffoldAgent(
  root: { readonly dir: string },
  name: string,
  options: ScaffoldOptions = {},
): Promise<Scaffolded> {
  const bottle = options.bottle ?? name
  const provider = options.provider ?? 'claude'
  if (!isKebab(name)) {
    throw bottleError(
      'usage',
      `${quoted(name)} can't be the name of an agent: use lower-case words joined by hyphens.`,
    )
  }
  if (!isManifestName(bottle)) throw bottleError('usage', `${quoted(bottle)} can't be the name of a bottle.`)
  const agentFile = join(root.dir, 'agents', `${name}.md`)
  const bottleFile = join(root.dir, 'bottles', `${bottle}.md`)
  await mkdir(join(root.dir, 'agents'), { recursive: true, mode: 0o700 })
  await mkdir(join(root.dir, 'bottles'), { recursive: true, mode: 0o700 })
  // The agent first: when it exists, nothing at all is written.
  if (!(await createDurable(agentFile, agentText(bottle, provider), 0o644))) {
    throw bottleError('exists', `There is an agent ${name} already: ${agentFile}. Nothing was changed.`)
  }
  const isNewBottle = await createDurable(bottleFile, bottleText(provider), 0o644)
  return { agentFile, bottleFile, created: isNewBottle ? [agentFile, bottleFile] : [agentFile] }
}

function agentText(bottle: string, provider: ProviderName): string {
  const command = `command:
  # Arguments, one a line; {prompt}, {session} and {workdir} are filled in.
  headless: [/bin/sh, -c, 'echo "$1"', agent, "{prompt}"]
  interactive: [/bin/sh]
`
  return `---
description: ""
bottle: ${bottle}
provider: ${provider}
${provider === 'custom' ? command : ''}# skills: [a-skill]
# model: a-model
---

You are a careful engineer. Say what you are about to do, then do it.
`
}

function bottleText(provider: ProviderName): string {
  const secret = SECRET_OF[provider]
  const secrets = secret === null ? '# secrets: [MY_TOKEN]' : `secrets: [${secret}]`
  const image =
    provider === 'custom' ? 'image: debian:stable-slim' : '# image: without one, the image of the provider'
  return `---
${image}
${secrets}
# env:
#   NAME: value
# mounts:
#   - ~/data:/data:ro
# resources: { cpus: 2, memory: 4g }
---

Notes for people: what this bottle is for.
`
}
