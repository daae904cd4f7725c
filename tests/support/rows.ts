import type { Bottle } from '../../src-preload/contract/entities.ts'

/** A plausible row for tests of what is done with rows, not of how they come about. */
export function bottleRow(slug: string, changes: Partial<Bottle> = {}): Bottle {
  return {
    slug,
    state: 'running',
    stateReason: null,
    agentState: null,
    exitCode: null,
    backend: 'host',
    engine: 'This machine',
    agent: 'sample',
    provider: 'custom',
    label: slug,
    color: '',
    startedAt: '2026-01-01T00:00:00.000Z',
    snapshots: 0,
    currentSnapshot: null,
    lastFrozenAt: null,
    bytes: null,
    runId: 'abcdefghij',
    interactive: false,
    policy: 'default',
    badges: [],
    parent: null,
    ...changes,
  }
}
