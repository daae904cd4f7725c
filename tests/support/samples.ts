import type { RuntimeFact } from '../../src-main/backends/backend.ts'
import type { WrittenIntent } from '../../src-main/state/intent.ts'
import {
  type IceboxFacts,
  type Metadata,
  parseMetadata,
  type RunRecord,
} from '../../src-main/state/metadata.ts'
import type { RuntimeRef } from '../../src-main/state/runtime-ref.ts'
import type { Snapshot } from '../../src-preload/contract/index.ts'

export const ROOT_ID = '11111111-2222-3333-4444-555555555555'
export const SNAPSHOT_ID = '20261121T074500Z-k3f9'

export function sampleRef(over: Partial<RuntimeRef> = {}): RuntimeRef {
  return {
    backend: 'docker',
    id: 'c1',
    name: 'bot-bottle-web',
    slug: 'web',
    runId: 'run1',
    volumes: [],
    networks: [],
    sidecars: [],
    facts: {},
    ...over,
  }
}

export function sampleRun(over: Partial<RunRecord> = {}): RunRecord {
  return {
    id: 'run1',
    startedAt: '2026-11-21T07:00:00.000Z',
    interactive: false,
    fromSnapshot: null,
    ref: sampleRef(),
    exit: null,
    isStopped: false,
    ...over,
  }
}

/** Metadata as Icebox writes it, with one run. */
export function sampleMetadata(over: Partial<Metadata> = {}, facts: Partial<IceboxFacts> = {}): Metadata {
  const plain = parseMetadata({ identity: 'web', agent_name: 'reviewer', backend: 'docker', icebox: {} })
  if (!plain.icebox) throw new Error('no icebox facts')
  return {
    ...plain,
    icebox: { ...plain.icebox, root: ROOT_ID, provider: 'claude', runs: [sampleRun()], ...facts },
    ...over,
  }
}

export function sampleSnapshot(over: Partial<Snapshot> = {}): Snapshot {
  const id = over.id ?? SNAPSHOT_ID
  return {
    version: 1,
    id,
    slug: 'web',
    parent: null,
    backend: 'docker',
    reference: `bot-bottle-committed-web:${id}`,
    digest: 'sha256:abc',
    createdAt: '2026-11-21T07:45:00.000Z',
    fidelity: 'files',
    leftOut: [],
    bytes: 1000,
    ownBytes: 100,
    reason: 'user',
    note: '',
    label: '',
    pinned: false,
    status: 'ready',
    runId: 'run1',
    agent: 'reviewer',
    provider: 'claude',
    volumes: [],
    verified: null,
    facts: {},
    ...over,
  }
}

/** A running container of the bottle `web`, as an engine lists it. */
export function sampleFact(over: Partial<RuntimeFact> = {}): RuntimeFact {
  return {
    backend: 'docker',
    id: 'c1',
    name: 'bot-bottle-web',
    root: ROOT_ID,
    slug: 'web',
    runId: 'run1',
    state: 'running',
    exitCode: null,
    image: 'busybox:latest',
    createdAt: '2026-11-21T07:00:00.000Z',
    role: 'agent',
    ...over,
  }
}

export function sampleIntent(over: Partial<WrittenIntent> = {}): WrittenIntent {
  return {
    version: 1,
    op: 'freeze',
    runId: 'run1',
    previous: null,
    runtime: null,
    snapshotId: null,
    target: null,
    draft: null,
    by: { pid: 1, startTime: '1', bootId: 'boot' },
    startedAt: '2026-11-21T07:00:00.000Z',
    ...over,
  }
}
