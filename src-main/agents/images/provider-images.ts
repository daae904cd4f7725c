import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readText, writeDurable } from '../../state/durable-file.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { ProviderName } from '../definitions.ts'

type ShippedProvider = Exclude<ProviderName, 'custom'>

/** The agents' packages at the versions that providers.ts was checked against. */
const PACKAGES: Readonly<Record<ShippedProvider, { readonly npm: string; readonly program: string }>> = {
  claude: { npm: '@anthropic-ai/claude-code@2.1.329', program: 'claude' },
  codex: { npm: '@openai/codex@0.169.0', program: 'codex' },
  pi: { npm: '@earendil-works/pi-coding-agent@0.87.1', program: 'pi' },
}

/** The Dockerfile for bottles that name no image: Node, git and the agent, run by a user without privileges. */
export function providerBuildContext(provider: ShippedProvider): { readonly dockerfile: string } {
  const { npm, program } = PACKAGES[provider]
  return {
    dockerfile: `# Made by Icebox for bottles that name no image. Changes here are overwritten:
# copy this folder and name it under \`build\` in your bottle instead.
FROM node:24-slim

RUN apt-get update \\
 && apt-get install -y --no-install-recommends bash ca-certificates curl git less openssh-client procps ripgrep \\
 && rm -rf /var/lib/apt/lists/*

RUN npm install -g ${npm} \\
 && npm cache clean --force

RUN mkdir -p /workspace && chown node:node /workspace

USER node
ENV HOME=/home/node
WORKDIR /workspace
CMD ["${program}"]
`,
  }
}

/** Where a provider's build context lives under the state root. */
export function providerContextDir(rootDir: string, provider: ShippedProvider): string {
  return join(rootDir, 'icebox', 'images', provider)
}

/**
 * Writes the build context of a provider into `dir`, which is made when absent. A text that is there already is
 * left untouched, so that builds stay cached.
 * @throws BottleError `unsupported` for `custom`, which has no image of its own.
 */
export async function writeProviderContext(provider: ProviderName, dir: string): Promise<void> {
  if (provider === 'custom') throw bottleError('unsupported', 'A custom agent has no image of its own.')
  const { dockerfile } = providerBuildContext(provider)
  const file = join(dir, 'Dockerfile')
  await mkdir(dir, { recursive: true, mode: 0o700 })
  if ((await readText(file)) !== dockerfile) await writeDurable(file, dockerfile, 0o644)
}
