import { readStatusLine } from '../context/status-line.ts'
import type { UsageFacts } from '../context/usage-facts.ts'
import { createUsageSource, mergeUsage } from '../context/usage-source.ts'
import { readEvents, readHeartbeat } from './agent-events.ts'
import type { AgentEvent, Heartbeat, ObservedAgent } from './types.ts'

/** Below the agent's HOME. */
export const EVENTS_FILE = '.icebox/events.jsonl'
const STATUS_FILE = '.icebox/status.json'
const HEARTBEAT_FILE = '.icebox/heartbeat.json'

/** Bytes of events that are looked at; a hook's line may hold a whole file. */
const EVENTS_TAIL = 512 * 1024
const SMALL_FILE = 256 * 1024
/** Milliseconds by which a hook's time, which is in whole seconds, may lie before the run. */
const SECOND = 1_000

/** What an agent's files said when they were read last. */
export interface AgentFiles {
  /** Oldest first. */
  readonly events: readonly AgentEvent[]
  readonly heartbeat: Heartbeat | null
  /** Null until anything was found. */
  readonly usage: UsageFacts | null
}

export interface FileReader {
  known(): AgentFiles
  read(signal: AbortSignal): Promise<void>
  /** The heartbeat alone, which is one small file. */
  readBeat(signal: AbortSignal): Promise<void>
}

/** Reads the files of one run as they grow. What can't be read keeps what was known. */
export function createFileReader(agent: ObservedAgent, startedAt: number): FileReader {
  const source = createUsageSource(agent.access, agent.ref, agent.provider, startedAt)
  let events: readonly AgentEvent[] = []
  let heartbeat: Heartbeat | null = null
  let status: UsageFacts | null = null
  let transcript: UsageFacts = {}

  const begunWith = agent.begunWith ?? null
  /** True for the last word of the launch before, which may have come in the second in which this one began. */
  const isOver = ({ at, sessionId: id }: AgentEvent): boolean =>
    begunWith !== null && id !== begunWith && at !== null && at < startedAt

  const isOfThisRun = (at: number | null): boolean => at === null || at >= startedAt - SECOND

  /**
   * The conversation as the program says. Only the program at the terminal draws a status line, while a program that
   * the agent calls has hooks too; a status line of an earlier run names none that this run's events know.
   */
  const sessionId = (): string | null => {
    const told = events.flatMap((event) =>
      isOver(event) || event.sessionId === null ? [] : [event.sessionId],
    )
    // Until anything is told: the files of the launch before still lie there, and say how full its conversation was.
    const own = told.length === 0 && begunWith !== null ? [begunWith] : told
    const shown = status?.sessionId ?? null
    return shown !== null && (own.length === 0 || own.includes(shown)) ? shown : (own.at(-1) ?? null)
  }

  const readText = async (path: string, tailBytes: number, signal: AbortSignal): Promise<string | null> => {
    const content = await quietly(signal, () =>
      agent.access.read(agent.ref, { base: 'home', path }, tailBytes, signal),
    )
    return content === null ? null : Buffer.from(content).toString('utf8')
  }

  return {
    known() {
      const isAny = status !== null || Object.keys(transcript).length > 0
      return { events, heartbeat, usage: isAny ? mergeUsage(transcript, status, sessionId()) : null }
    },
    async read(signal) {
      const [eventText, statusText] = await Promise.all([
        readText(EVENTS_FILE, EVENTS_TAIL, signal),
        readText(STATUS_FILE, SMALL_FILE, signal),
      ])
      if (eventText !== null) events = readEvents(eventText).filter(({ at }) => isOfThisRun(at))
      if (statusText !== null) status = readStatusLine(statusText) ?? status
      const wanted = sessionId()
      const read = await quietly(signal, () => source.read(wanted, signal))
      if (read !== null && Object.keys(read).length > 0) transcript = read
    },
    async readBeat(signal) {
      const text = await readText(HEARTBEAT_FILE, SMALL_FILE, signal)
      const beat = text === null ? null : readHeartbeat(text)
      // The file of an earlier run may lie there until the runner has begun.
      if (beat !== null && isOfThisRun(beat.at)) heartbeat = beat
    },
  }
}

/** Null where the agent's things could not be read; only the caller's own end is an error. */
export async function quietly<T>(signal: AbortSignal, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read()
  } catch (thrown) {
    if (signal.aborted) throw thrown
    return null
  }
}
