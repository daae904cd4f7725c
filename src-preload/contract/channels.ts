import type { CallName } from './calls.ts'
import type { EventName } from './events.ts'
import type { StreamName } from './streams.ts'

/** The closed set of names, apart from the schemas, so that a page or preload imports no zod. */
export const CALLS = [
  'state:snapshot',
  'bottle:start',
  'bottle:plan',
  'bottle:resume',
  'bottle:plan-resume',
  'bottle:freeze',
  'bottle:fork',
  'bottle:stop',
  'bottle:restart',
  'bottle:destroy',
  'bottle:detail',
  'bottle:journal',
  'snapshot:edit',
  'snapshot:diff',
  'snapshot:diff-file',
  'snapshot:verify',
  'snapshot:delete',
  'artifact:search-secrets',
  'artifact:export',
  'artifact:download',
  'artifact:prepare',
  'artifact:drag-link',
  'artifact:import',
  'artifact:push',
  'artifact:pull',
  'space:usage',
  'space:prune',
  'trash:list',
  'trash:undo',
  'agent:list',
  'agent:sample',
  'agent:status',
  'agent:hooks',
  'agent:try-hook',
  'agent:send',
  'activity:list',
  'engine:probe',
  'task:cancel',
  'task:answer',
  'task:dismiss',
  'settings:get',
  'settings:set',
] as const satisfies readonly CallName[]

export const EVENTS = ['state:patch'] as const satisfies readonly EventName[]
export const STREAMS = ['logs', 'terminal'] as const satisfies readonly StreamName[]
