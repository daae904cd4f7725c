import type { ManifestSummary, StartPlan } from '../../../src-preload/contract/entities.ts'

const definition = (
  name: string,
  description: string,
  change: Partial<ManifestSummary> = {},
): ManifestSummary => ({
  name,
  kind: 'agent',
  source: 'home',
  file: `/home/mara/.bot-bottle/agents/${name}.md`,
  description,
  provider: 'claude',
  bottle: 'dev',
  backend: null,
  problem: null,
  ...change,
})

export const DEFINITIONS = {
  agents: [
    definition('implementer', 'Writes the code that an issue asks for, with tests', {
      life: { runtime: 'terminal', hooks: 3, supervised: true },
    }),
    definition('reviewer', 'Reads a change and says what is wrong with it', {
      provider: 'codex',
      life: { runtime: null, hooks: 1, supervised: false },
    }),
    definition('sample', 'A small program that writes to a file', {
      source: 'sample',
      provider: 'custom',
      bottle: null,
      backend: 'host',
    }),
    definition('broken', '', {
      problem: 'line 4: unknown key “promt”, did you mean “prompt”?',
      problems: [
        'line 4: unknown key “promt”, did you mean “prompt”?',
        'line 9: `restart.policy` is “sometimes”. One of never, on-failure, always.',
      ],
    }),
  ],
  bottles: [
    definition('dev', 'Node and Python on Debian', {
      kind: 'bottle',
      provider: '',
      bottle: null,
      file: '/home/mara/.bot-bottle/bottles/dev.md',
    }),
    definition('offline', 'No network at all', {
      kind: 'bottle',
      provider: '',
      bottle: null,
      file: '/home/mara/.bot-bottle/bottles/offline.md',
    }),
  ],
}

export const PLAN: StartPlan = {
  slug: 'implementer-k3x9q',
  agent: 'implementer',
  agentSource: '/home/mara/.bot-bottle/agents/implementer.md',
  provider: 'claude',
  backend: 'docker',
  bottles: ['dev'],
  image: { source: 'image', reference: 'ghcr.io/acme/dev:3' },
  argv: ['claude', '-p', 'Fix the flaky test in checkout'],
  workdir: '/workspace',
  envNames: ['NODE_ENV', 'CI'],
  secretNames: ['ANTHROPIC_API_KEY'],
  mounts: ['cache → /var/cache (volume)'],
  sidecars: ['postgres (postgres:17)'],
  network: 'none',
  notices: ['The bottle declares egress rules that are not enforced yet, so it gets no network.'],
}

/** What is different on another engine; Apple's container can't take it. */
export function elsewherePlan(slug: string, backend: string): StartPlan {
  const isHost = backend === 'host'
  return {
    ...PLAN,
    slug,
    backend,
    notices: isHost ? ['Work since the last snapshot would be frozen first.'] : [],
    differences: isHost
      ? [
          {
            about: 'isolation',
            text: 'The agent runs on this machine itself, in the system’s own sandbox.',
            blocks: false,
          },
          {
            about: 'files',
            text: `Only /workspace and /home/agent come along. Everything else stays in ${slug}@20261121T101500Z-k3f9 and is there again when the bottle goes back.`,
            blocks: false,
          },
          { about: 'mounts', text: 'These mounts are not there: /srv/data → /data.', blocks: false },
          { about: 'user', text: 'All files belong to you, whoever owned them before.', blocks: false },
        ]
      : [
          {
            about: 'architecture',
            text: 'The image is for amd64, Apple container 1.2.2 is arm64 and runs no others.',
            blocks: true,
          },
          { about: 'volumes', text: 'These volumes become plain folders: /var/lib/data.', blocks: false },
        ],
  }
}
