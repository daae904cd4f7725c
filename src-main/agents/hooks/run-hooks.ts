import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { HookPoint, HookRecord } from '../../../src-preload/contract/agents.ts'
import { bottleError, toFailure } from '../../system/bottle-error.ts'
import type { HookEntry } from '../lifecycle.ts'
import { hookEnvironment, hookFolder, isNested, nestedError } from './hook-environment.ts'
import { type HookAgent, type HookContext, type HookDeps, type HookRunner, standsBefore } from './types.ts'

export type { HookAgent, HookContext, HookDeps, HookRunner } from './types.ts'

/**
 * The dispatcher of an agent's hooks: shell and address entries alike, each once per event, with a limit of time. An
 * agent without hooks costs nothing.
 */
export function createHooks(deps: HookDeps, agent: HookAgent): HookRunner {
  return {
    async run(point, context, signal) {
      const entries = agent.lifecycle.hooks[point]
      if (entries.length === 0) return []
      if (isNested(deps.env, agent.slug, point)) return refuseNested(agent.slug, point)
      return runEntries(deps, agent, { point, context, isTrial: false }, entries, signal)
    },
  }
}

/**
 * Runs the entries of a point as a trial, with what the point was told last or else with `sample`. It stands before
 * nothing, so no entry stops anything.
 */
export async function tryHooks(
  deps: HookDeps,
  agent: HookAgent,
  point: HookPoint,
  sample: HookContext,
  signal: AbortSignal,
): Promise<readonly HookRecord[]> {
  const { lastPayload } = await import('./hook-journal.ts')
  const context = (await lastPayload(deps.root, agent.slug, point)) ?? sample
  const entries = agent.lifecycle.hooks[point]
  return runEntries(deps, agent, { point, context, isTrial: true }, entries, signal)
}

interface HookEvent {
  readonly point: HookPoint
  readonly context: HookContext
  readonly isTrial: boolean
}

async function runEntries(
  deps: HookDeps,
  agent: HookAgent,
  event: HookEvent,
  entries: readonly HookEntry[],
  signal: AbortSignal,
): Promise<readonly HookRecord[]> {
  const [{ makeRedactor }, journal] = await Promise.all([import('./redact.ts'), import('./hook-journal.ts')])
  const redactor = makeRedactor(agent.secrets)
  const { point, context } = event
  if (!event.isTrial) {
    const told = redactor.json({ ...context }) as HookContext
    await unlessFull(() => journal.rememberPayload(deps.root, agent.slug, point, told))
  }
  const records: HookRecord[] = []
  for (const entry of entries) {
    const { record, isCancelled } = await runEntry(deps, agent, event, entry, redactor, signal)
    records.push(record)
    await unlessFull(() => journal.appendHookRecord(deps.root, agent.slug, record))
    if (event.isTrial) {
      if (isCancelled) break
      continue
    }
    if (isCancelled && standsBefore(point)) throw bottleError('cancelled', undefined, { slug: agent.slug })
    if (isCancelled) break
    if (record.outcome !== 'done' && entry.required && standsBefore(point)) throw vetoed(agent.slug, record)
  }
  return records
}

async function runEntry(
  deps: HookDeps,
  agent: HookAgent,
  event: HookEvent,
  entry: HookEntry,
  redactor: { text(text: string): string; tail(text: string, bytes: number): string },
  signal: AbortSignal,
): Promise<{ readonly record: HookRecord; readonly isCancelled: boolean }> {
  const { OUTPUT_BYTES } = await import('./run-shell-hook.ts')
  const { shownAddress } = await import('./redact.ts')
  const began = performance.now()
  const at = new Date().toISOString()
  const end =
    entry.kind === 'url'
      ? await post(agent, event, entry, signal)
      : await runShell(deps, agent, event, entry, signal)
  return {
    isCancelled: end.isCancelled,
    record: {
      at,
      point: event.point,
      kind: entry.kind,
      run: redactor.text(entry.kind === 'url' ? shownAddress(entry.run) : entry.run),
      required: entry.required,
      outcome: end.outcome,
      code: end.code,
      durationMs: Math.round(performance.now() - began),
      output: redactor.tail(end.output, OUTPUT_BYTES),
      runId: agent.runId,
      isTrial: event.isTrial,
    },
  }
}

async function post(agent: HookAgent, event: HookEvent, entry: HookEntry, signal: AbortSignal) {
  const { postHook } = await import('./post-hook.ts')
  const body = {
    agent: agent.slug,
    hook: event.point,
    context: event.context,
    ...(event.isTrial ? { trial: true } : {}),
  }
  return postHook(entry.run, body, { timeoutSeconds: entry.timeoutSeconds, signal })
}

async function runShell(
  deps: HookDeps,
  agent: HookAgent,
  event: HookEvent,
  entry: HookEntry,
  signal: AbortSignal,
) {
  const { runShellHook } = await import('./run-shell-hook.ts')
  const stateDir = deps.root.path('state', agent.slug)
  const facts = { ...event, home: deps.root.dir, stateDir, token: randomUUID() }
  return runShellHook(entry.run, {
    cwd: await existing(hookFolder(agent.configPath, stateDir), stateDir, deps.root.dir),
    env: hookEnvironment(deps.env, agent, facts),
    timeoutSeconds: entry.timeoutSeconds,
    signal,
  })
}

/** The first folder that is there: a definition may have been moved since the start, a bottle destroyed. */
async function existing(...folders: readonly [string, ...string[]]): Promise<string> {
  for (const folder of folders) {
    const found = await stat(folder).catch(() => null)
    if (found?.isDirectory()) return folder
  }
  return '/'
}

/** The journal tells of hooks and never decides about them: a full disk costs the record only. */
async function unlessFull(write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (thrown) {
    const { code } = toFailure(thrown)
    if (code !== 'disk-full' && code !== 'permission' && code !== 'busy') throw thrown
  }
}

function refuseNested(slug: string, point: HookPoint): readonly HookRecord[] {
  // After the fact there is nothing to refuse; running it again would never end.
  if (!standsBefore(point)) return []
  throw nestedError(slug, point)
}

/** The first words of a command line, on one line. Pure. */
export function shortRun(run: string): string {
  const line = run.trim().replace(/\s+/g, ' ')
  return line.length > 80 ? `${line.slice(0, 79)}…` : line
}

/** How a hook ended, in words. Pure. */
export function endInWords(record: Pick<HookRecord, 'outcome' | 'code' | 'kind'>): string {
  if (record.outcome === 'timeout') return 'took too long'
  if (record.outcome === 'done') return 'done'
  if (record.code === null) return 'failed'
  return record.kind === 'url' ? `was answered with ${record.code}` : `ended with ${record.code}`
}

function vetoed(slug: string, record: HookRecord): Error {
  const what = { pre_start: 'start', pre_stop: 'stop', pre_freeze: 'freeze' }[record.point as 'pre_start']
  return bottleError(
    'hook-failed',
    `The required ${record.point} hook “${shortRun(record.run)}” ${endInWords(record)}, so there was no ${what}.`,
    { slug, detail: record.output.slice(-2000) },
  )
}
