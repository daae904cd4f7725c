import { type AgentHooks, HookPoint, type HookRecord } from '../../../src-preload/contract/agents.ts'
import { readHookJournal } from '../../agents/hooks/hook-journal.ts'
import { makeRedactor, shownAddress } from '../../agents/hooks/redact.ts'
import { tryHooks } from '../../agents/hooks/run-hooks.ts'
import type { HookAgent, HookContext } from '../../agents/hooks/types.ts'
import type { HookEntry } from '../../agents/lifecycle.ts'
import { requireMetadata } from '../../state/metadata.ts'
import { requireSlug } from '../../state/slug.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { BottleDeps } from '../deps.ts'
import { hasHooks, hookAgentOf } from './bottle-hooks.ts'

/** The hooks that a bottle's newest run was launched with, and what came of hooks so far, oldest first. */
export async function readAgentHooks(deps: BottleDeps, slug: string): Promise<AgentHooks> {
  const metadata = await requireMetadata(deps.root, requireSlug(slug))
  const journal = [...(await readHookJournal(deps.root, slug))]
  const agent = hasHooks(metadata, ...HookPoint.options) ? await hookAgentOf(deps, metadata) : null
  if (!agent) return { configured: {}, journal }
  const { text } = makeRedactor(agent.secrets)
  const configured = HookPoint.options.flatMap((point) => {
    const entries = agent.lifecycle.hooks[point]
    return entries.length > 0 ? [[point, entries.map((entry) => shown(entry, text))] as const] : []
  })
  return { configured: Object.fromEntries(configured), journal }
}

function shown(entry: HookEntry, redact: (text: string) => string) {
  return { ...entry, run: redact(entry.kind === 'url' ? shownAddress(entry.run) : entry.run) }
}

/**
 * Runs the hooks of a point as a trial: with what they were told last, and nothing hangs on how they end.
 * @throws BottleError `not-found` when the bottle has no hooks there
 */
export async function tryAgentHooks(
  deps: BottleDeps,
  slug: string,
  point: HookPoint,
  signal: AbortSignal,
): Promise<readonly HookRecord[]> {
  const metadata = await requireMetadata(deps.root, requireSlug(slug))
  const agent = hasHooks(metadata, point) ? await hookAgentOf(deps, metadata) : null
  if (!agent || agent.lifecycle.hooks[point].length === 0) {
    throw bottleError('not-found', `${slug} was started without ${point} hooks, so there are none to try.`, {
      slug,
    })
  }
  return tryHooks(deps, agent, point, sampleContext(point, agent, metadata.backend), signal)
}

/** What an event of a point looks like that never came. Pure. */
export function sampleContext(
  point: HookPoint,
  agent: Pick<HookAgent, 'runId'>,
  backend: string,
): HookContext {
  switch (point) {
    case 'pre_start':
    case 'post_start':
      return { cause: 'start', backend, snapshot: null }
    case 'on_resume':
      return { cause: 'resume', backend, snapshot: 'sample' }
    case 'pre_stop':
      return { cause: 'stop' }
    case 'post_stop':
      return { cause: 'stop', exit_code: 0 }
    case 'pre_freeze':
      return { reason: 'user', backend }
    case 'post_freeze':
      return {
        reason: 'user',
        backend,
        snapshot: 'sample',
        reference: 'sample',
        fidelity: 'files',
        bytes: 0,
      }
    case 'on_compact':
    case 'on_restart':
      return { percent: 70, strategy: point === 'on_compact' ? 'compact' : 'restart' }
    case 'on_diff':
      return { diff_fields: ['state'], timestamp: new Date().toISOString() }
    case 'on_health':
      return { state: 'stuck', previous: 'working', run: agent.runId }
  }
}
