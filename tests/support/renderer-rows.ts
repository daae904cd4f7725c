import type { AgentHealth } from '../../src-preload/contract/agents.ts'
import type { Bottle, Snapshot, StateSnapshot, Task } from '../../src-preload/contract/entities.ts'

/** What a row tells of an agent that is looked after. */
export function health(change: Partial<AgentHealth> = {}): AgentHealth {
  return {
    reason: null,
    since: '2026-11-21T08:00:00.000Z',
    seenAt: '2026-11-21T09:00:00.000Z',
    contextPercent: 10,
    model: 'm-1',
    restarts: { count: 0, nextAt: null, gaveUp: null },
    ...change,
  }
}

/** A running bottle with nothing special about it. */
export function bottle(slug: string, change: Partial<Bottle> = {}): Bottle {
  return {
    slug,
    state: 'running',
    stateReason: null,
    agentState: 'working',
    exitCode: null,
    backend: 'docker',
    engine: 'Docker 28',
    agent: 'implementer',
    provider: 'claude',
    label: '',
    color: '',
    startedAt: '2026-11-21T08:00:00.000Z',
    snapshots: 0,
    currentSnapshot: null,
    lastFrozenAt: null,
    bytes: null,
    runId: 'r1',
    interactive: false,
    policy: 'default',
    badges: [],
    parent: null,
    ...change,
  }
}

/** A running freeze. */
export function task(id: string, change: Partial<Task> = {}): Task {
  return {
    id,
    kind: 'freeze',
    slug: 'web',
    state: 'running',
    progress: null,
    question: null,
    startedAt: '2026-11-21T08:00:00.000Z',
    endedAt: null,
    error: null,
    message: null,
    ...change,
  }
}

/** A state with these bottles and tasks. */
export function state(
  revision: number,
  bottles: readonly Bottle[],
  tasks: readonly Task[] = [],
): StateSnapshot {
  return {
    revision,
    bottles: [...bottles],
    tasks: [...tasks],
    engines: [],
    trash: [],
    disk: null,
    home: '/h',
    platform: 'linux',
    version: '1',
  }
}

/** A ready snapshot of `web`. */
export function snapshot(id: string, parent: string | null, createdAt: string): Snapshot {
  return {
    version: 1,
    id,
    slug: 'web',
    parent,
    backend: 'docker',
    reference: 'r',
    digest: 'd',
    createdAt,
    fidelity: 'files',
    leftOut: [],
    bytes: 1,
    ownBytes: null,
    reason: 'user',
    note: '',
    label: '',
    pinned: false,
    status: 'ready',
    runId: null,
    agent: 'a',
    provider: 'p',
    volumes: [],
    verified: null,
    facts: {},
  }
}
