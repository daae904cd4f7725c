import type { ScrubChoice } from '../../src-preload/contract/artifacts.ts'
import type { Task } from '../../src-preload/contract/entities.ts'
import type { IceboxBridge } from '../../src-preload/contract/wire.ts'
import { createStore, type Store } from '../state/create-store.ts'
import type { Model } from '../state/model.ts'
import type { View } from '../state/view.ts'
import type { ToastStore } from '../tasks/toast-store.ts'
import { t } from '../ui/en.ts'
import {
  afterTask,
  COLD,
  type DragItem,
  type DragItems,
  type DragTarget,
  downloadUrl,
  keyOf,
} from './drag-items.ts'

/** Snapshots on their way out of the window. */
export interface DragOut {
  readonly items: Store<DragItems>
  /** Makes one ready before anybody drags it, or makes sure that it still is. */
  approach(target: DragTarget): void
  /** The pointer went on: what has not begun yet need not begin. */
  leave(target: DragTarget): void
  /** A drag began in the page. Hands the files over, or prepares them and says so. */
  start(event: DragStart, targets: readonly DragTarget[]): void
  /** Answers the question about secrets. */
  choose(target: DragTarget, scrub: ScrubChoice): void
  /** Main knew no file for these. */
  refused(tokens: readonly string[]): void
  /** Takes notice of a task's end; true for those that made something ready, which need no toast. */
  ended(task: Task): boolean
}

export interface DragStart {
  preventDefault(): void
  readonly dataTransfer: Pick<DataTransfer, 'setData' | 'effectAllowed'> | null
}

interface Parts {
  readonly bridge: IceboxBridge
  readonly model: Store<Model>
  readonly view: Store<View>
  readonly toasts: ToastStore
  readonly origin: string
}

/** Builds it over a bridge. */
export function createDragOut({ bridge, model, view, toasts, origin }: Parts): DragOut {
  const items = createStore<DragItems>(new Map())
  /** Asked for by a person, not by a pointer that passed: its end is told. */
  const wanted = new Set<string>()
  /** What was chosen in this page. A copy that keeps secrets is only given to who asks for it. */
  const choices = new Map<string, ScrubChoice>()
  const targets = new Map<string, DragTarget>()

  const itemOf = (target: DragTarget): DragItem => items.get().get(keyOf(target)) ?? COLD
  const put = (target: DragTarget, item: DragItem): void => {
    targets.set(keyOf(target), target)
    items.update((now) => new Map(now).set(keyOf(target), item))
  }

  const prepare = async (target: DragTarget): Promise<void> => {
    const key = keyOf(target)
    const before = itemOf(target)
    if (before.state !== 'ready') put(target, { state: 'preparing', taskId: null })
    const scrub = choices.get(key)
    const answer = await bridge.call('artifact:prepare', { ...target, ...(scrub ? { scrub } : {}) })
    if (!answer.ok) {
      put(target, { state: 'failed', failure: answer.error })
      return tellEnd(target)
    }
    if (answer.value.state === 'preparing') {
      const { taskId } = answer.value
      put(target, { state: 'preparing', taskId })
      const task = model.get().tasks.get(taskId)
      if (task && task.state !== 'running') ended(task)
      return
    }
    const { token, fileName, bytes } = answer.value
    const link = before.state === 'ready' && before.token === token ? before.link : null
    put(target, { state: 'ready', token, fileName, bytes, link })
    if (!bridge.desktop) await fetchLink(target, token)
    tellEnd(target)
  }

  /** An address works once, so each approach brings a new one. */
  const fetchLink = async (target: DragTarget, token: string): Promise<void> => {
    const offered = await bridge.call('artifact:drag-link', { token })
    const item = itemOf(target)
    if (item.state !== 'ready' || item.token !== token) return
    put(target, { ...item, link: offered.ok ? offered.value.url : null })
  }

  const tellEnd = (target: DragTarget): void => {
    if (!wanted.delete(keyOf(target))) return
    const item = itemOf(target)
    if (item.state === 'choice') return void askAboutSecrets(target)
    const isReady = item.state === 'ready'
    if (!isReady && item.state !== 'failed') return
    toasts.add({
      tone: isReady ? 'good' : 'bad',
      title: isReady ? t.dragOut.ready(target.slug) : t.dragOut.failed(target.slug),
      text: isReady ? t.dragOut.readyText : item.failure.message,
      detail: isReady ? null : (item.failure.detail ?? null),
      actions: [],
    })
  }

  const askAboutSecrets = async (target: DragTarget): Promise<void> => {
    const found = await bridge.call('artifact:search-secrets', { ...target })
    if (!found.ok) {
      const { message, detail } = found.error
      toasts.add({ tone: 'bad', title: t.secrets.failed, text: message, detail: detail ?? null, actions: [] })
      return
    }
    const open = () =>
      view.update((now) => ({
        ...now,
        overlay: { kind: 'secrets', outgoing: { kind: 'prepare', args: target }, findings: found.value },
      }))
    if (!view.get().overlay) return open()
    const actions = [{ label: t.secrets.choose, run: open }]
    toasts.add({ tone: 'bad', title: t.secrets.toast(target.slug), text: '', detail: null, actions })
  }

  const want = (target: DragTarget): void => {
    const key = keyOf(target)
    const { state } = itemOf(target)
    if (state === 'choice') return void askAboutSecrets(target)
    wanted.add(key)
    if (state !== 'preparing') void prepare(target)
  }

  const ended = (task: Task): boolean => {
    if (task.kind !== 'prepare') return false
    const before = items.get()
    const found = [...before].find(([, item]) => item.state === 'preparing' && item.taskId === task.id)
    items.update((now) => afterTask(now, task))
    const target = found && targets.get(found[0])
    if (!target) return true
    if (task.state === 'done') void prepare(target)
    else tellEnd(target)
    // It was mostly nobody's wish, so it leaves no line behind.
    void bridge.call('task:dismiss', { taskId: task.id })
    return true
  }

  return {
    items,
    approach(target) {
      const item = itemOf(target)
      // Another page may have cleared the task away before this one saw its end.
      const isLost = item.state === 'preparing' && item.taskId !== null && !model.get().tasks.has(item.taskId)
      if (item.state === 'cold' || item.state === 'ready' || isLost) void prepare(target)
    },
    leave(target) {
      const item = itemOf(target)
      if (item.state !== 'preparing' || item.taskId === null || wanted.has(keyOf(target))) return
      const task = model.get().tasks.get(item.taskId)
      const hasBegun = task?.progress?.current != null
      if (!hasBegun) void bridge.call('task:cancel', { taskId: item.taskId })
    },
    start(event, dragged) {
      const { desktop } = bridge
      const ready = dragged.map(itemOf).filter((item) => item.state === 'ready')
      const [first] = ready
      if (ready.length < dragged.length || !first || (!desktop && first.link === null)) {
        event.preventDefault()
        for (const target of dragged) if (itemOf(target).state !== 'ready') want(target)
        return tellCold(dragged)
      }
      if (desktop) {
        event.preventDefault()
        return desktop.startDrag(ready.map(({ token }) => token))
      }
      if (!event.dataTransfer || first.link === null) return
      event.dataTransfer.effectAllowed = 'copy'
      event.dataTransfer.setData('DownloadURL', downloadUrl(first.fileName, first.link, origin))
    },
    choose(target, scrub) {
      choices.set(keyOf(target), scrub)
      wanted.add(keyOf(target))
      void prepare(target)
    },
    refused(tokens) {
      for (const [key, item] of items.get()) {
        const target = targets.get(key)
        if (!target || item.state !== 'ready' || !tokens.includes(item.token)) continue
        put(target, COLD)
        want(target)
        tellCold([target])
      }
    },
    ended,
  }

  function tellCold(cold: readonly DragTarget[]): void {
    const waiting = cold.filter((target) => itemOf(target).state === 'preparing')
    const [first] = waiting
    if (!first) return
    const title = waiting.length === 1 ? t.dragOut.cold(first.slug) : t.dragOut.coldMany(waiting.length)
    toasts.add({ tone: 'plain', title, text: t.dragOut.coldText, detail: null, actions: [] })
  }
}
