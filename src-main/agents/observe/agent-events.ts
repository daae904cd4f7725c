import {
  type Fields,
  fields,
  nameOf,
  parseLine,
  textOf,
  timeOf,
  toolInputText,
  whole,
} from '../context/usage-facts.ts'
import type { AgentEvent, Heartbeat } from './types.ts'

const KINDS: Readonly<Record<string, AgentEvent['kind']>> = {
  userpromptsubmit: 'prompt',
  prompt: 'prompt',
  pretooluse: 'tool',
  pretool: 'tool',
  posttooluse: 'tool-done',
  posttool: 'tool-done',
  posttoolusefailure: 'tool-done',
  stop: 'stop',
  notification: 'notification',
  permissionrequest: 'notification',
  sessionstart: 'session',
  sessionend: 'session-end',
  precompact: 'compact',
  subagentstop: 'subagent-stop',
}

/**
 * Reads the lines that the agent's hooks appended, oldest first. A line is what the program gave its hook, alone or
 * under a key beside a time. Pure.
 */
export function readEvents(text: string): readonly AgentEvent[] {
  return text.split('\n').flatMap((line) => {
    const outer = parseLine(line.trim())
    const event = outer === null ? null : toEvent(outer)
    return event === null ? [] : [event]
  })
}

function toEvent(outer: Fields): AgentEvent | null {
  const inner = fields(outer.payload ?? outer.data ?? outer.input ?? outer.event)
  const name = [inner.hook_event_name, outer.hook_event_name, outer.kind, outer.hook, outer.event].find(
    (value) => typeof value === 'string',
  )
  const key = String(name).toLowerCase()
  // Any object has a `constructor`.
  const kind = Object.hasOwn(KINDS, key) ? KINDS[key] : undefined
  if (kind === undefined) return null
  const given = { ...outer, ...inner }
  const tool = nameOf(given.tool_name) ?? nameOf(given.tool) ?? null
  const words = textOf(given.message) ?? textOf(given.prompt)
  const callText = tool === null ? null : toolInputText(tool, given.tool_input)
  return {
    at: timeOf(outer.ts) ?? timeOf(outer.at) ?? timeOf(outer.timestamp) ?? timeOf(outer.time) ?? null,
    kind,
    tool,
    text: words === undefined ? callText : whole(words),
    sessionId: nameOf(given.session_id) ?? null,
    inBackground: fields(given.tool_input).run_in_background === true,
  }
}

/** Reads `heartbeat.json`; null for anything else. Pure. */
export function readHeartbeat(text: string): Heartbeat | null {
  const beat = parseLine(text.trim().replace(/\s*\n\s*/g, ' '))
  const at = timeOf(beat?.ts)
  const state = beat?.state
  if (at === undefined) return null
  return state === 'starting' || state === 'idle' || state === 'working' || state === 'stopping'
    ? { at, state }
    : null
}
