import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DEFAULT_LIFECYCLE, type Lifecycle } from '../../../../src-main/agents/lifecycle.ts'
import type { AgentEvent, Observation, ObservedAgent } from '../../../../src-main/agents/observe/types.ts'
import type { AgentAccess, Stroke } from '../../../../src-main/backends/agent-access.ts'
import type { AgentSample } from '../../../../src-preload/contract/agents.ts'
import { sampleRef } from '../../../support/samples.ts'

export const NOW = Date.parse('2026-11-21T12:00:00.000Z')
export const STARTED = '2026-11-21T11:00:00.000Z'

/** A terminal's lines, as wide as it likes. */
export function screenOf(text: string) {
  return { lines: text.replace(/^\n/, '').split('\n'), cols: 120, rows: 32 }
}

export function lifecycle(over: Partial<Lifecycle> = {}): Lifecycle {
  return { ...DEFAULT_LIFECYCLE, runtime: 'terminal', ...over }
}

export function observation(over: Partial<Observation> = {}): Observation {
  return {
    slug: 'web',
    runId: 'run1',
    now: NOW,
    run: over.screen ? 'there' : 'unknown',
    exitCode: null,
    screen: null,
    outputAt: null,
    events: [],
    heartbeat: null,
    usage: {},
    contextWindow: null,
    secrets: [],
    ...over,
  }
}

export function event(kind: AgentEvent['kind'], over: Partial<AgentEvent> = {}): AgentEvent {
  return { at: NOW - 60_000, kind, tool: null, text: null, sessionId: null, inBackground: false, ...over }
}

export function sample(over: Partial<AgentSample> = {}): AgentSample {
  return {
    version: 1,
    slug: 'web',
    runId: 'run1',
    at: new Date(NOW).toISOString(),
    state: 'waiting',
    reason: null,
    since: STARTED,
    alive: 'yes',
    responsive: 'yes',
    waiting: 'yes',
    limited: 'no',
    signedIn: 'yes',
    stuck: 'no',
    contextPercent: 40,
    contextTokens: 80_000,
    contextWindow: 200_000,
    model: 'claude-sonnet-4-5',
    sessionId: 's1',
    costUsd: null,
    limits: [],
    currentTool: null,
    currentToolInput: null,
    lastUserMessage: null,
    lastActivityAt: null,
    subagents: 0,
    screen: [],
    restarts: { count: 0, nextAt: null, gaveUp: null },
    ...over,
  }
}

export interface FakeAgent {
  readonly agent: ObservedAgent
  readonly clock: { now: number }
  readonly shown: { screen: string | null }
  /** Every file that was read, in order. */
  readonly reads: { path: string; tailBytes: number | null }[]
  readonly typed: Stroke[]
  onType?: () => void
}

/** An agent whose home is a folder of the test and whose screen the test paints: the process boundary, nothing else. */
export function fakeAgent(home: string, over: Partial<ObservedAgent> = {}): FakeAgent {
  const clock = { now: NOW }
  const shown: FakeAgent['shown'] = { screen: null }
  const reads: FakeAgent['reads'] = []
  const typed: Stroke[] = []
  const access: AgentAccess = {
    screen: async () => (shown.screen === null ? null : screenOf(shown.screen)),
    async type(_ref, strokes) {
      typed.push(...strokes)
      fake.onType?.()
    },
    async *output() {},
    async list(_ref, { path }) {
      const below = join(home, path)
      const names = await readdir(below, { recursive: true, withFileTypes: true }).catch(() => [])
      const files = names
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(below.length + 1))
      return Promise.all(
        files.map(async (file) => {
          const { size, mtimeMs } = await stat(join(below, file))
          return { path: file, bytes: size, modifiedAt: mtimeMs }
        }),
      )
    },
    async read(_ref, { path }, tailBytes) {
      const content = await readFile(join(home, path)).catch(() => null)
      if (content) reads.push({ path, tailBytes })
      return content && tailBytes !== null
        ? content.subarray(Math.max(0, content.length - tailBytes))
        : content
    },
    obstacle: async () => null,
    async write() {},
    async remove() {},
  }
  const fake: FakeAgent = {
    agent: {
      slug: 'web',
      runId: 'run1',
      ref: sampleRef(),
      access,
      provider: 'claude',
      lifecycle: lifecycle(),
      startedAt: STARTED,
      previous: null,
      now: () => clock.now,
      ...over,
    },
    clock,
    shown,
    reads,
    typed,
  }
  return fake
}
