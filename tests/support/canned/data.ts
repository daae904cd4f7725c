import type {
  Bottle,
  BottleDetail,
  EngineReport,
  Snapshot,
  StateSnapshot,
  Task,
} from '../../../src-preload/contract/entities.ts'
import { health, IN_TROUBLE } from './agents.ts'

/** Canned states of the machine, for looking at the window and for its tests. */
export type Scene = 'none' | 'missing' | 'down' | 'three' | 'many' | 'engines' | 'agents'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const ago = (milliseconds: number) => new Date(Date.now() - milliseconds).toISOString()

const plain: Bottle = {
  slug: 'bottle',
  state: 'running',
  stateReason: null,
  agentState: 'working',
  exitCode: null,
  backend: 'docker',
  engine: 'Docker 28.1.1',
  agent: 'implementer',
  provider: 'claude',
  label: '',
  color: '',
  startedAt: ago(2 * HOUR),
  snapshots: 0,
  currentSnapshot: null,
  lastFrozenAt: null,
  bytes: null,
  runId: 'r000000001',
  interactive: true,
  policy: 'default',
  badges: [],
  parent: null,
}

const frozen = (id: number, milliseconds: number, bytes: number, snapshots = 1): Partial<Bottle> => ({
  currentSnapshot: snapshotId(id),
  lastFrozenAt: ago(milliseconds),
  bytes,
  snapshots,
})

function snapshotId(index: number): string {
  return `20261121T0${index % 10}1500Z-a${index.toString(36).padStart(3, '0')}`
}

export function bottle(change: Partial<Bottle> & { readonly slug: string }): Bottle {
  return { ...plain, ...change }
}

const EIGHT: readonly Bottle[] = [
  bottle({
    slug: 'auth-rewrite',
    color: 'purple',
    agentState: 'waiting',
    health: health({ reason: 'asks: “Run the migration on staging?”', contextPercent: 71 }),
    ...frozen(6, 12 * MINUTE, 1_240_000_000, 6),
  }),
  bottle({
    slug: 'api-pagination',
    color: 'blue',
    provider: 'codex',
    agent: 'codex',
    startedAt: ago(64 * MINUTE),
    health: health({ reason: 'Edit: src/routes/list.ts', model: 'gpt-5-codex' }),
    ...frozen(2, HOUR, 840_000_000, 2),
  }),
  bottle({
    slug: 'flaky-tests',
    color: 'orange',
    badges: ['unenforced-egress'],
    policy: 'unenforced',
    startedAt: ago(11 * MINUTE),
  }),
  bottle({
    slug: 'billing-spike',
    color: 'green',
    state: 'frozen',
    agentState: 'exited',
    exitCode: 0,
    ...frozen(5, 26 * HOUR, 310_000_000, 6),
  }),
  bottle({
    slug: 'docs-site',
    color: 'yellow',
    state: 'frozen',
    agentState: 'exited',
    exitCode: 0,
    provider: 'pi',
    agent: 'writer',
    ...frozen(3, 70 * HOUR, 690_000_000, 1),
  }),
  bottle({
    slug: 'auth-rewrite-2',
    color: 'purple',
    state: 'frozen',
    agentState: 'exited',
    exitCode: 0,
    parent: `auth-rewrite@${snapshotId(3)}`,
    startedAt: ago(70 * MINUTE),
    ...frozen(1, 40 * MINUTE, 930_000_000, 1),
  }),
  bottle({
    slug: 'e2e-upgrade',
    color: 'red',
    state: 'failed',
    agentState: 'exited',
    exitCode: 137,
    stateReason: 'agent exited 137, kept for you',
    ...frozen(1, 3 * HOUR, 1_800_000_000, 2),
  }),
  bottle({
    slug: 'scratch',
    backend: 'host',
    engine: 'This machine',
    provider: 'custom',
    agent: 'scratch',
    state: 'stopped',
    agentState: 'exited',
    exitCode: 0,
    badges: ['not-isolated'],
    startedAt: ago(94 * HOUR),
    ...frozen(1, 90 * HOUR, 14_000_000, 1),
  }),
]

const NAMES = ['api', 'web', 'auth', 'billing', 'search', 'docs', 'ingest', 'mobile', 'infra', 'report']
const WORK = ['rewrite', 'spike', 'upgrade', 'fix', 'tests', 'cleanup', 'paging', 'cache', 'types', 'audit']

export function manyBottles(count: number): Bottle[] {
  const states: readonly Bottle['state'][] = [
    'running',
    'frozen',
    'frozen',
    'stopped',
    'failed',
    'running',
    'paused',
    'unknown',
  ]
  return Array.from({ length: count }, (_, index) => {
    const state = states[index % states.length] ?? 'stopped'
    return bottle({
      slug: `${NAMES[index % 10]}-${WORK[Math.floor(index / 10) % 10]}-${index}`,
      state,
      agentState: state === 'running' ? (index % 16 === 5 ? 'waiting' : 'working') : null,
      backend: index % 5 === 0 ? 'host' : 'docker',
      engine: index % 5 === 0 ? 'This machine' : 'Docker 28.1.1',
      provider: ['claude', 'codex', 'pi', 'custom'][index % 4] ?? 'custom',
      color: ['', 'blue', 'purple', 'green', 'red'][index % 5] ?? '',
      startedAt: ago(index * 17 * MINUTE),
      ...(state === 'running' && index % 3 > 0
        ? { health: health({ contextPercent: (index * 7) % 101 }) }
        : {}),
      ...frozen(index, index * 9 * MINUTE, 5_000_000 * ((index * 7) % 400), index % 9),
    })
  })
}

const engine = (
  change: Partial<EngineReport> & { readonly name: string; readonly title: string },
): EngineReport => ({
  state: 'ready',
  version: null,
  endpoint: null,
  remote: false,
  capabilities: {},
  limits: [],
  reason: null,
  fix: null,
  ...change,
})

const HOST = engine({
  name: 'host',
  title: 'This machine',
  version: '1',
  capabilities: { liveFreeze: true, sandbox: true, pause: true, memory: false },
})
const DOCKER = engine({
  name: 'docker',
  title: 'Docker 28.1.1',
  version: '28.1.1',
  endpoint: 'unix:///var/run/docker.sock',
  capabilities: { liveFreeze: true, pause: true, labels: true, volumes: true, memory: false },
})
const MISSING = engine({
  name: 'docker',
  title: 'Docker',
  state: 'missing',
  reason: 'No Docker was found: there is no socket and no docker command.',
  fix: 'sudo apt-get install -y docker.io',
})
const DOWN = engine({
  name: 'docker',
  title: 'Docker',
  state: 'down',
  endpoint: 'unix:///var/run/docker.sock',
  reason: 'Nothing listens at /var/run/docker.sock.',
  fix: 'sudo systemctl start docker',
})

const ABSENT_CONTAINER = engine({
  name: 'macos-container',
  title: 'Apple container',
  state: 'missing',
  reason: 'Apple container runs on macOS only.',
})
const ABSENT_SMOLVM = engine({
  name: 'smolmachines',
  title: 'smolmachines',
  state: 'missing',
  reason: 'The program smolvm on the PATH is another one of that name.',
  fix: 'curl -sSL https://smolmachines.com/install.sh | bash',
})
const OLD_CONTAINER = engine({
  name: 'macos-container',
  title: 'Apple container 1.0.0',
  version: '1.0.0',
  capabilities: { liveFreeze: false, labels: true, terminal: true, binds: true, memory: false },
  limits: [
    'Freezing has to stop a running bottle and start it again: exports of running ones work from 1.2.1 on.',
    'There is no pause and no snapshot of memory.',
    'Only folders can be mounted, not single files.',
  ],
})

/** Engines as each scene has them; `engines` is a Mac with an old one and one that is stopped. */
function enginesOf(name: Scene): EngineReport[] {
  const absent = [ABSENT_CONTAINER, ABSENT_SMOLVM]
  if (name === 'missing') return [MISSING, HOST, ...absent]
  if (name === 'down') return [DOWN, HOST, ...absent]
  return name === 'engines' ? [DOWN, HOST, OLD_CONTAINER, ABSENT_SMOLVM] : [DOCKER, HOST, ...absent]
}

const task = (change: Partial<Task> & { readonly id: string }): Task => ({
  kind: 'freeze',
  slug: 'api-pagination',
  state: 'running',
  progress: null,
  question: null,
  startedAt: ago(20_000),
  endedAt: null,
  error: null,
  message: null,
  ...change,
})

function bottlesOf(name: Scene): Bottle[] {
  if (name === 'many') return manyBottles(500)
  return name === 'agents' ? IN_TROUBLE.map(bottle) : [...EIGHT]
}

export function scene(name: Scene): StateSnapshot {
  const isEmpty = name === 'none' || name === 'missing' || name === 'down'
  return {
    revision: 7,
    bottles: isEmpty ? [] : bottlesOf(name),
    tasks: isEmpty
      ? []
      : [
          task({ id: 't3', progress: { phase: 'committing', current: 210_000_000, total: 340_000_000 } }),
          task({
            id: 't2',
            slug: 'billing-spike',
            state: 'done',
            startedAt: ago(26 * HOUR),
            endedAt: ago(26 * HOUR - 1100),
            message: 'Froze billing-spike as 20261120T061500Z-a005.',
          }),
          task({
            id: 't1',
            kind: 'start',
            slug: null,
            state: 'failed',
            startedAt: ago(30 * HOUR),
            endedAt: ago(30 * HOUR - 400),
            error: {
              code: 'image-missing',
              message: 'The image ghcr.io/acme/dev:3 is not there. Pull it, or name another in the bottle.',
              detail: 'No such image: ghcr.io/acme/dev:3',
              retryable: false,
            },
          }),
        ],
    engines: enginesOf(name),
    trash: isEmpty
      ? []
      : [
          {
            id: 'old-experiment-1',
            slug: 'old-experiment',
            destroyedAt: ago(20 * HOUR),
            purgeAfter: new Date(Date.now() + 148 * HOUR).toISOString(),
            snapshots: 3,
            bytes: 420_000_000,
          },
        ],
    disk: { freeBytes: 48_200_000_000, snapshotBytes: 6_230_000_000 },
    home: '/home/mara/.bot-bottle',
    platform: name === 'engines' ? 'darwin' : 'linux',
    version: '0.1.0',
  }
}

const NOTES: readonly (readonly [
  note: string,
  own: number | null,
  parent: number | null,
  fidelity: Snapshot['fidelity'],
])[] = [
  ['start', null, null, 'files'],
  ['context 60 %', 8_000_000, 1, 'files'],
  ['before schema change', 310_000_000, 2, 'files+volumes'],
  ['try with sessions', 41_000_000, 3, 'files'],
  ['', 12_000_000, 3, 'files+volumes'],
  ['tests green', 22_000_000, 5, 'files+volumes'],
]

export function detailOf(row: Bottle): BottleDetail {
  const count = Math.min(row.snapshots, NOTES.length)
  const tree: Snapshot[] = NOTES.slice(0, count).map(([note, own, parent, fidelity], index) => ({
    version: 1,
    id: index === count - 1 && row.currentSnapshot ? row.currentSnapshot : snapshotId(index + 1),
    slug: row.slug,
    parent: parent === null ? null : snapshotId(parent),
    backend: row.backend,
    reference: `bot-bottle-committed-${row.slug}:x`,
    digest: 'sha256:0',
    createdAt:
      index === count - 1 && row.lastFrozenAt ? row.lastFrozenAt : ago((NOTES.length - index) * 21 * MINUTE),
    fidelity,
    leftOut: fidelity === 'files' ? ['bind mount /var/cache'] : [],
    bytes: 840_000_000 + index * 60_000_000,
    ownBytes: own,
    reason: index === 1 ? 'rule' : 'user',
    note,
    label: '',
    pinned: index === 2,
    status: 'ready',
    runId: 'r000000001',
    agent: row.agent,
    provider: row.provider,
    volumes: [],
    verified:
      index === 2
        ? { at: ago(2 * HOUR), outcome: 'passed', check: 'npm test', detail: 'npm test ended with 0.' }
        : index === 3
          ? { at: ago(HOUR), outcome: 'failed', check: 'npm test', detail: 'npm test ended with 1.' }
          : null,
    facts: {},
  }))
  return {
    ...row,
    cwd: '/home/mara/projects/shop',
    copyCwd: true,
    bottleNames: ['dev'],
    agentSource: '/home/mara/.bot-bottle/agents/implementer.md',
    runs: [
      {
        id: 'r000000000',
        startedAt: ago(28 * HOUR),
        endedAt: ago(26 * HOUR),
        exitCode: 0,
        interactive: false,
        fromSnapshot: null,
      },
      {
        id: 'r000000001',
        startedAt: row.startedAt,
        endedAt: row.state === 'running' ? null : ago(HOUR),
        exitCode: row.exitCode,
        interactive: true,
        fromSnapshot: null,
      },
    ],
    tree,
    journal: [
      { at: ago(2 * HOUR), op: 'resume', outcome: 'done', message: 'resumed from “before schema change”' },
      { at: ago(28 * HOUR), op: 'start', outcome: 'done', message: 'started implementer on Docker' },
    ],
    secretNames: ['ANTHROPIC_API_KEY'],
    forgeEnvNames: [],
    notices: row.badges.includes('unenforced-egress')
      ? ['The network rules of this bottle are not enforced for this run.']
      : [],
    stateDir: `/home/mara/.bot-bottle/state/${row.slug}`,
    runtime: { id: '4f2a9c7e1b3d', name: `bot-bottle-${row.slug}` },
  }
}
