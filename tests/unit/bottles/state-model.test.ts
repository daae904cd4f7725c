import { describe, expect, test } from 'vitest'
import { type BottleFacts, bottleRow } from '../../../src-main/bottles/state-model.ts'
import { METADATA_VERSION } from '../../../src-main/state/metadata.ts'
import { type Badge, Bottle } from '../../../src-preload/contract/index.ts'
import {
  ROOT_ID,
  sampleFact,
  sampleIntent,
  sampleMetadata,
  sampleRef,
  sampleRun,
  sampleSnapshot,
} from '../../support/samples.ts'

const BEFORE = '2026-11-21T07:00:00.000Z'
const AFTER = '2026-11-21T09:00:00.000Z'
const FROZEN_AT = sampleSnapshot().createdAt

function facts(over: Partial<BottleFacts> = {}): BottleFacts {
  return {
    slug: 'web',
    rootId: ROOT_ID,
    metadata: sampleMetadata(),
    isCorrupt: false,
    snapshots: [],
    current: null,
    intent: null,
    runtime: null,
    engineTitle: 'Docker',
    ...over,
  }
}

const withExit = (code: number | null, at = AFTER, isStopped = false) =>
  sampleMetadata({}, { runs: [sampleRun({ exit: { code, at }, isStopped })] })
const frozen = { snapshots: [sampleSnapshot()], current: sampleSnapshot() }
const exited = (exitCode: number | null) => sampleFact({ state: 'exited', exitCode })
const doing = (op: 'start' | 'resume' | 'fork' | 'restart' | 'freeze' | 'destroy' | 'stop' | 'adopt') =>
  sampleIntent({ op })

type Expected = Partial<ReturnType<typeof bottleRow>>

const STATES: readonly (readonly [string, Partial<BottleFacts>, Expected])[] = [
  ['runs', { runtime: sampleFact() }, { state: 'running', stateReason: null, agentState: 'working' }],
  ['is paused', { runtime: sampleFact({ state: 'paused' }) }, { state: 'paused', agentState: null }],
  [
    'runs and is being frozen',
    { runtime: sampleFact(), intent: doing('freeze') },
    { state: 'running', stateReason: 'freezing' },
  ],
  [
    'is paused by its own freeze',
    { runtime: sampleFact({ state: 'paused' }), intent: doing('freeze') },
    { state: 'running', stateReason: 'freezing', agentState: 'working' },
  ],
  [
    'is stopped by its own freeze',
    { runtime: sampleFact({ state: 'exited', exitCode: 143 }), intent: doing('freeze') },
    { state: 'running', stateReason: 'freezing', agentState: 'working', exitCode: null },
  ],
  [
    'has ended and is being frozen',
    {
      runtime: sampleFact({ state: 'exited', exitCode: 3 }),
      intent: doing('freeze'),
      metadata: sampleMetadata(
        {},
        { runs: [sampleRun({ exit: { code: 3, at: '2026-01-01T00:00:00.000Z' } })] },
      ),
    },
    { state: 'failed', exitCode: 3 },
  ],
  [
    'is being started',
    { intent: doing('start'), metadata: sampleMetadata({}, { runs: [] }) },
    { state: 'starting' },
  ],
  ['is being resumed', { ...frozen, intent: doing('resume') }, { state: 'starting' }],
  ['is being forked into being', { intent: doing('fork') }, { state: 'starting' }],
  ['is being restarted', { runtime: exited(0), intent: doing('restart') }, { state: 'starting' }],
  [
    'is created but not yet started',
    { runtime: sampleFact({ state: 'created' }), intent: doing('start') },
    { state: 'starting' },
  ],
  ['is being stopped', { runtime: sampleFact(), intent: doing('stop') }, { state: 'stopping' }],
  ['is being destroyed', { runtime: sampleFact(), intent: doing('destroy') }, { state: 'stopping' }],
  [
    'has an engine that does not answer',
    { runtime: undefined, ...frozen },
    { state: 'unknown', stateReason: 'Docker does not answer', currentSnapshot: sampleSnapshot().id },
  ],
  [
    'has an engine that does not answer, in the middle of a stop',
    { runtime: undefined, intent: doing('stop') },
    { state: 'unknown' },
  ],
  [
    'ended well and was never frozen',
    { runtime: exited(0), metadata: withExit(0) },
    { state: 'stopped', exitCode: 0, agentState: 'exited' },
  ],
  [
    'failed and was never frozen',
    { runtime: exited(7), metadata: withExit(7) },
    { state: 'failed', exitCode: 7, agentState: 'exited' },
  ],
  ['failed, and nobody has recorded it yet', { runtime: exited(7) }, { state: 'failed', exitCode: 7 }],
  [
    'was stopped, whatever its code',
    { runtime: exited(137), metadata: withExit(137, AFTER, true) },
    { state: 'stopped', exitCode: 137 },
  ],
  [
    'ended well and is frozen',
    { ...frozen, runtime: exited(0), metadata: withExit(0) },
    { state: 'frozen', exitCode: 0 },
  ],
  [
    'failed after its freeze',
    { ...frozen, runtime: exited(7), metadata: withExit(7, AFTER) },
    { state: 'failed', exitCode: 7 },
  ],
  [
    'failed and was frozen after that',
    { ...frozen, runtime: exited(7), metadata: withExit(7, BEFORE) },
    { state: 'frozen', exitCode: 7 },
  ],
  [
    'was frozen at the very moment of its end',
    { ...frozen, runtime: exited(7), metadata: withExit(7, FROZEN_AT) },
    { state: 'frozen' },
  ],
  [
    'ended, as an engine tells with nanoseconds, after its freeze',
    { ...frozen, runtime: exited(7), metadata: withExit(7, '2026-11-21T07:45:00.900000001Z') },
    { state: 'failed' },
  ],
  ['is frozen and its container is gone', { ...frozen, metadata: withExit(7, AFTER) }, { state: 'frozen' }],
  [
    'lost its container by hand',
    {},
    { state: 'stopped', stateReason: 'its container is gone', exitCode: null, agentState: null },
  ],
  ['lost its code', { metadata: withExit(null) }, { state: 'stopped', exitCode: null, agentState: 'exited' }],
  ['has no record at all', { metadata: null }, { state: 'stopped', agent: '?', startedAt: '', runId: null }],
  [
    'has damaged metadata and runs',
    { metadata: null, isCorrupt: true, runtime: sampleFact() },
    { state: 'running', agent: '?' },
  ],
  ['has a damaged intent and runs', { runtime: sampleFact(), intent: 'corrupt' }, { state: 'running' }],
]

describe('the state of a bottle that', () => {
  test.each(STATES)('%s', (_what, over, expected) => {
    const row = bottleRow(facts(over))
    expect(row).toMatchObject(expected)
    expect(Bottle.safeParse(row).error).toBeUndefined()
  })
})

const hostRun = (isolation: string) =>
  sampleRun({ ref: sampleRef({ backend: 'host', facts: { isolation } }) })

const BADGES: readonly (readonly [Partial<BottleFacts>, readonly Badge[]])[] = [
  [{}, []],
  [{ metadata: null, isCorrupt: true }, ['corrupt-metadata']],
  [{ metadata: null }, []],
  [{ snapshots: [sampleSnapshot({ status: 'in-doubt' })] }, ['in-doubt']],
  [{ intent: 'corrupt' }, ['in-doubt']],
  [{ metadata: sampleMetadata({}, { policy: 'unenforced' }) }, ['unenforced-egress']],
  [{ metadata: sampleMetadata({}, { policy: 'no-network' }) }, []],
  [{ metadata: sampleMetadata({}, { runs: [hostRun('none')] }) }, ['not-isolated']],
  [{ metadata: sampleMetadata({}, { runs: [hostRun('bwrap')] }) }, []],
  [{ metadata: sampleMetadata({}, { runs: [hostRun('none'), hostRun('bwrap')] }) }, []],
  [{ metadata: sampleMetadata({}, { adopted: true }) }, ['adopted']],
  [{ metadata: sampleMetadata({ icebox: null }) }, ['legacy']],
  [{ metadata: sampleMetadata({}, { version: METADATA_VERSION + 1 }) }, ['newer-version']],
  [
    {
      metadata: sampleMetadata({}, { policy: 'unenforced', adopted: true, runs: [hostRun('none')] }),
      intent: 'corrupt',
    },
    ['in-doubt', 'unenforced-egress', 'not-isolated', 'adopted'],
  ],
]

describe('the badges', () => {
  test.each(BADGES)('case %#', (over, badges) => {
    expect(bottleRow(facts(over)).badges).toEqual(badges)
  })
})

describe('the row', () => {
  test('tells of the newest run, the current snapshot and the fork it came from', () => {
    const runs = [sampleRun({ id: 'old' }), sampleRun({ id: 'new', startedAt: AFTER, interactive: true })]
    const metadata = sampleMetadata(
      { label: 'Web', color: 'blue', startedAt: BEFORE },
      { runs, forkOf: { slug: 'origin', snapshot: 's1' } },
    )
    const newer = sampleSnapshot({ id: '20261122T000000Z-aaaa' })
    const row = bottleRow(
      facts({ metadata, snapshots: [sampleSnapshot(), newer], current: sampleSnapshot() }),
    )
    expect(row).toMatchObject({
      runId: 'new',
      interactive: true,
      startedAt: AFTER,
      label: 'Web',
      color: 'blue',
      snapshots: 2,
      currentSnapshot: sampleSnapshot().id,
      lastFrozenAt: FROZEN_AT,
      bytes: 1000,
      parent: 'origin@s1',
      provider: 'claude',
    })
  })

  test('of a bottle that only bot-bottle has written has its start time and no run', () => {
    const row = bottleRow(facts({ metadata: sampleMetadata({ icebox: null, startedAt: BEFORE }) }))
    expect(row).toMatchObject({
      startedAt: BEFORE,
      runId: null,
      provider: '',
      policy: 'default',
      parent: null,
    })
  })
})
