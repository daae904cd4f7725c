import type { Icebox } from '../../icebox.ts'
import type { TaskQueue } from '../../tasks/task-queue.ts'
import type { Handlers } from '../router.ts'
import type { StateHub } from '../state-hub.ts'
import type { Transfers } from '../transfers/transfers.ts'
import { agentHandlers } from './agents.ts'
import { artifactHandlers } from './artifacts.ts'
import { lifeHandlers } from './life.ts'

/** Maps every call of the contract to the service that does it. */
export function createHandlers(
  icebox: Icebox,
  tasks: TaskQueue,
  hub: StateHub,
  transfers: Transfers,
  signal: AbortSignal,
): Handlers {
  const { bottles } = icebox
  return {
    ...lifeHandlers(bottles, tasks, signal),
    ...artifactHandlers(icebox.artifacts, tasks, transfers, icebox.root, signal),
    ...agentHandlers(icebox, signal),
    'state:snapshot': () => hub.snapshot(),
    'bottle:detail': ({ slug }) => bottles.detail(slug, signal),
    'bottle:journal': async ({ slug }) => [...(await bottles.journal(slug))],
    'snapshot:edit': ({ slug, snapshot, ...edit }) =>
      bottles.editSnapshot(slug, snapshot, {
        ...(edit.note === undefined ? {} : { note: edit.note }),
        ...(edit.label === undefined ? {} : { label: edit.label }),
        ...(edit.pinned === undefined ? {} : { pinned: edit.pinned }),
      }),
    'trash:list': async () => [...(await bottles.trash())],
    'agent:list': ({ cwd }) => icebox.agents.list(cwd ?? null),
    'agent:sample': () => icebox.agents.sample(),
    'activity:list': async (args) => [...(await bottles.activity(args))],
    'engine:probe': () => hub.probeEngines(),
    'task:cancel': async ({ taskId }) => ({ cancelled: tasks.cancel(taskId) }),
    'task:answer': async ({ taskId, agree }) => ({ answered: tasks.answer(taskId, agree) }),
    'task:dismiss': async ({ taskId }) => {
      tasks.dismiss(taskId)
      return {}
    },
    'settings:get': async () => (await icebox.settings()).all(),
    'settings:set': async ({ key, value }) => (await icebox.settings()).set(key, value),
  }
}
