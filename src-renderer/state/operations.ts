import type { CallArgs, CallName } from '../../src-preload/contract/calls.ts'
import type { BackendName, Task } from '../../src-preload/contract/entities.ts'
import type { Failure, Result } from '../../src-preload/contract/errors.ts'
import type { IceboxBridge } from '../../src-preload/contract/wire.ts'
import type { ToastStore } from '../tasks/toast-store.ts'
import { t } from '../ui/en.ts'
import type { Store } from './create-store.ts'
import type { Model } from './model.ts'

type TaskCall = Extract<
  CallName,
  | 'bottle:start'
  | 'bottle:resume'
  | 'bottle:freeze'
  | 'bottle:fork'
  | 'bottle:stop'
  | 'bottle:restart'
  | 'bottle:destroy'
>

/** What a click starts. Each tells its failure by a toast, so callers need not. */
export interface Operations {
  /** `mayAsk` false: one that its engine must stop for it is told, not asked about. */
  freeze(slug: string, note?: string, options?: { readonly mayAsk?: boolean }): Promise<void>
  resume(
    slug: string,
    snapshot?: string,
    options?: {
      readonly isRebuild?: boolean
      readonly backend?: BackendName
      readonly prompt?: string
      readonly isInteractive?: boolean
    },
  ): Promise<void>
  stop(slug: string): Promise<void>
  restart(slug: string): Promise<void>
  destroy(slug: string, options: { readonly isFreezeFirst: boolean }): Promise<void>
  fork(args: CallArgs<'bottle:fork'>): Promise<Result<{ readonly taskId: string }>>
  start(args: CallArgs<'bottle:start'>): Promise<Result<{ readonly taskId: string }>>
  undo(trashId: string): Promise<void>
  cancel(task: Task): Promise<void>
  answer(task: Task, agree: boolean): Promise<void>
  dismiss(task: Task): Promise<void>
  editSnapshot(args: CallArgs<'snapshot:edit'>): Promise<boolean>
  verify(slug: string, snapshot: string): Promise<void>
  deleteSnapshot(slug: string, snapshot: string): Promise<void>
}

const PATIENCE = 2000

/** Builds the operations over a bridge. `asked` marks a row from the click until its task is known. */
export function createOperations(
  bridge: IceboxBridge,
  model: Store<Model>,
  toasts: ToastStore,
  asked: Store<ReadonlyMap<string, string>>,
): Operations {
  const mark = (slug: string, kind: string | null) =>
    asked.update((now) => {
      const next = new Map(now)
      if (kind) next.set(slug, kind)
      else next.delete(slug)
      return next
    })

  const askForTask = async <K extends TaskCall>(call: K, args: CallArgs<K>, slug: string | null) => {
    if (slug) mark(slug, call.slice('bottle:'.length))
    const result = (await bridge.call(call, args)) as Result<{ taskId: string; slug: string | null }>
    if (result.ok) await taskIsKnown(model, result.value.taskId)
    if (slug) mark(slug, null)
    return result
  }

  const tell = (title: string, failed: Failure) =>
    toasts.add({ tone: 'bad', title, text: failed.message, detail: failed.detail ?? null, actions: [] })

  const simple = async <K extends TaskCall>(call: K, args: CallArgs<K>, slug: string, title: string) => {
    const result = await askForTask(call, args, slug)
    if (!result.ok) tell(title, result.error)
  }

  return {
    freeze: (slug, note, { mayAsk = true } = {}) =>
      simple(
        'bottle:freeze',
        { slug, ...(note ? { note } : {}), ...(mayAsk ? {} : { mayAsk }) },
        slug,
        t.failed.freeze(slug),
      ),
    resume: (slug, snapshot, options = {}) =>
      simple(
        'bottle:resume',
        {
          slug,
          ...(snapshot ? { snapshot } : {}),
          ...(options.isRebuild ? { rebuildOk: true } : {}),
          ...(options.backend ? { backend: options.backend } : {}),
          ...(options.prompt ? { prompt: options.prompt } : {}),
          ...(options.isInteractive ? { interactive: true } : {}),
        },
        slug,
        t.failed.resume(slug),
      ),
    stop: (slug) => simple('bottle:stop', { slug }, slug, t.failed.stop(slug)),
    restart: (slug) => simple('bottle:restart', { slug }, slug, t.failed.restart(slug)),
    destroy: (slug, { isFreezeFirst }) =>
      simple('bottle:destroy', { slug, freeze: isFreezeFirst }, slug, t.failed.destroy(slug)),
    fork: (args) => askForTask('bottle:fork', args, null),
    start: (args) => askForTask('bottle:start', args, null),
    async undo(trashId) {
      const result = await bridge.call('trash:undo', { id: trashId })
      if (!result.ok) tell(t.failed.undo, result.error)
      else
        toasts.add({
          tone: 'good',
          title: t.done.undo(result.value.slug),
          text: '',
          detail: null,
          actions: [],
        })
    },
    async cancel(task) {
      const result = await bridge.call('task:cancel', { taskId: task.id })
      if (!result.ok) tell(t.failed.cancel, result.error)
    },
    async answer(task, agree) {
      const result = await bridge.call('task:answer', { taskId: task.id, agree })
      if (!result.ok) tell(t.failed.answer, result.error)
    },
    async dismiss(task) {
      const result = await bridge.call('task:dismiss', { taskId: task.id })
      if (!result.ok) tell(t.failed.dismiss, result.error)
    },
    async editSnapshot(args) {
      const result = await bridge.call('snapshot:edit', args)
      if (!result.ok) tell(t.failed.edit, result.error)
      return result.ok
    },
    async verify(slug, snapshot) {
      const result = await bridge.call('snapshot:verify', { slug, snapshot })
      if (!result.ok) tell(t.artifact.failed.verify(slug), result.error)
    },
    async deleteSnapshot(slug, snapshot) {
      const result = await bridge.call('snapshot:delete', { slug, snapshot })
      if (!result.ok) tell(t.artifact.failed.delete, result.error)
    },
  }
}

/** Resolves when the task's patch arrived, so that a row passes from "asked" to "runs" without a flicker. */
function taskIsKnown(model: Store<Model>, taskId: string): Promise<void> {
  if (model.get().tasks.has(taskId)) return Promise.resolve()
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer)
      stop()
      resolve()
    }
    const timer = setTimeout(finish, PATIENCE)
    const stop = model.subscribe(() => {
      if (model.get().tasks.has(taskId)) finish()
    })
  })
}
