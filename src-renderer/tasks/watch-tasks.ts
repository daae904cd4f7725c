import type { Task } from '../../src-preload/contract/entities.ts'
import type { App } from '../state/app.ts'
import { t } from '../ui/en.ts'
import { bytes, duration } from '../ui/format.ts'
import type { ToastAction } from './toast-store.ts'

/**
 * Turns ended tasks into toasts. Tasks that had ended before this page looked are history, not news.
 * Returns a function that ends it.
 */
export function watchTasks(app: App, isShownElsewhere: (task: Task) => boolean): () => void {
  let known: ReadonlyMap<string, Task> | null = null
  return app.model.subscribe(() => {
    const { tasks, isLoaded } = app.model.get()
    if (!isLoaded || tasks === known) return
    const before = known
    known = tasks
    if (!before) return
    for (const task of tasks.values()) {
      if (task.state === 'running') continue
      const old = before.get(task.id)
      if (old && old.state !== 'running') continue
      refreshDetail(app, task)
      if (!isShownElsewhere(task)) tellEnd(app, task)
    }
  })
}

const CHANGES_SNAPSHOTS: ReadonlySet<Task['kind']> = new Set(['verify', 'delete-snapshot', 'prune'])

/** What changes a snapshot's record leaves the bottle's row as it is, so the detail is read anew here. */
function refreshDetail(app: App, task: Task): void {
  if (!CHANGES_SNAPSHOTS.has(task.kind)) return
  for (const slug of app.details.store.get().keys()) {
    if (task.slug === null || task.slug === slug) void app.details.load(slug)
  }
}

function tellEnd(app: App, task: Task): void {
  const slug = task.slug ?? ''
  if (task.state === 'failed') {
    app.toasts.add({
      tone: 'bad',
      title: t.taskFailed(task.kind, slug),
      text: task.error?.message ?? task.message ?? '',
      detail: task.error?.detail ?? null,
      actions: failureActions(app, task),
    })
  } else if (task.state === 'done') {
    app.toasts.add({
      tone: task.kind === 'freeze' ? 'ice' : 'good',
      title: t.taskDone(task.kind, slug),
      text: newsOf(app, task),
      detail: null,
      actions: doneActions(app, task),
    })
  } else {
    app.toasts.add({
      tone: 'plain',
      title: t.taskCancelled(task.kind, slug),
      text: task.message ?? '',
      detail: null,
      actions: [],
    })
  }
}

/** What the title does not say yet: the size and time of a freeze, and any notice. */
function newsOf(app: App, task: Task): string {
  const slug = task.slug ?? ''
  const echo = new RegExp(`^\\w+ ${slug}(?: (?:as|from) \\S+)?\\.\\s*`)
  const rest = (task.message ?? '').replace(echo, '')
  const size = task.kind === 'freeze' ? app.model.get().bottles.get(slug)?.bytes : null
  if (size == null || !task.endedAt) return rest
  const took = Date.parse(task.endedAt) - Date.parse(task.startedAt)
  return `${t.frozenIn(bytes(size), duration(took))}${rest ? `. ${rest}` : ''}`
}

function show(app: App, slug: string, detailTab: 'overview' | 'logs' | 'timeline'): void {
  app.view.update((now) => ({ ...now, section: 'bottles', current: slug, isDetailOpen: true, detailTab }))
}

function doneActions(app: App, task: Task): readonly ToastAction[] {
  const { slug } = task
  if (!slug) return []
  const bottle = app.model.get().bottles.get(slug)
  switch (task.kind) {
    case 'freeze':
      return [
        ...(bottle && bottle.state !== 'running'
          ? [{ label: t.action.resume, run: () => void app.operations.resume(slug) }]
          : []),
        { label: t.action.show, run: () => show(app, slug, 'timeline') },
      ]
    case 'export':
      return [
        {
          label: app.bridge.desktop ? t.artifact.saveAs : t.artifact.download,
          run: () => void app.transfer.download(task.id),
        },
      ]
    case 'verify':
      return [{ label: t.action.show, run: () => show(app, slug, 'timeline') }]
    case 'delete-snapshot':
      return [{ label: t.action.undo, run: () => undoDestroy(app, slug) }]
    case 'import':
    case 'pull':
      return [
        ...(bottle ? [{ label: t.action.resume, run: () => void app.operations.resume(slug) }] : []),
        { label: t.action.show, run: () => show(app, slug, 'overview') },
      ]
    case 'destroy':
      return [{ label: t.action.undo, run: () => undoDestroy(app, slug) }]
    case 'start':
    case 'resume':
    case 'fork':
    case 'undo':
    case 'adopt':
      return bottle ? [{ label: t.action.show, run: () => show(app, slug, 'overview') }] : []
    default:
      return []
  }
}

function failureActions(app: App, task: Task): readonly ToastAction[] {
  const { slug, error } = task
  if (task.kind === 'start' && app.view.get().draft.agent && error?.code !== 'agent-exited') {
    return [
      {
        label: t.action.openForm,
        run: () => app.view.update((now) => ({ ...now, overlay: { kind: 'new' } })),
      },
    ]
  }
  if (!slug || !app.model.get().bottles.has(slug)) return []
  if (error?.code === 'agent-exited')
    return [{ label: t.action.showLogs, run: () => show(app, slug, 'logs') }]
  if (task.kind === 'resume' && error?.code === 'snapshot-missing') {
    return [
      {
        label: t.action.rebuild,
        run: () => void app.operations.resume(slug, undefined, { isRebuild: true }),
      },
    ]
  }
  if (task.kind === 'freeze' && error?.retryable) {
    return [{ label: t.action.tryAgain, run: () => void app.operations.freeze(slug) }]
  }
  return [{ label: t.action.show, run: () => show(app, slug, 'overview') }]
}

/** Takes the newest trash entry of that slug, which is the one just destroyed. */
function undoDestroy(app: App, slug: string): void {
  const entry = app.model
    .get()
    .trash.filter((item) => item.slug === slug)
    .sort((a, b) => b.destroyedAt.localeCompare(a.destroyedAt))[0]
  if (entry) void app.operations.undo(entry.id)
  else app.toasts.add({ tone: 'bad', title: t.failed.undo, text: t.trash.gone, detail: null, actions: [] })
}
