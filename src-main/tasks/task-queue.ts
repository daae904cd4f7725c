import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { Progress, Task } from '../../src-preload/contract/index.ts'
import { toFailure } from '../system/bottle-error.ts'
import { createSlots } from './slots.ts'
import { reduceTasks, type TaskEvent } from './task-state.ts'

export type TaskKind = Task['kind']

/** What a task's work gets: the same shape that every long service call takes, and a way to name the bottle. */
export interface TaskContext {
  readonly signal: AbortSignal
  readonly progress: (progress: Progress) => void
  /** Joins the task's closing message. */
  readonly notice: (text: string) => void
  /** No person is there while the work runs, so it declines. */
  readonly confirm: (question: string) => Promise<boolean>
  /** Asks before a bottle is stopped for the work: the task carries the question until somebody answers it. */
  readonly confirmStop: (question: string) => Promise<boolean>
  /** Tells the slug once it is known, as with a start. */
  readonly named: (slug: string) => void
}

export interface TaskQueue {
  /** Starts the work in the background and returns the task's id at once. The work's value is its closing message. */
  start(kind: TaskKind, slug: string | null, run: (context: TaskContext) => Promise<string>): string
  /** Running tasks and the last ended ones, oldest first; unchanged tasks keep their identity. */
  list(): readonly Task[]
  /** False when there is no such running task. */
  cancel(id: string): boolean
  /** Answers a running task's question; false when it has none. */
  answer(id: string, agree: boolean): boolean
  /** Forgets an ended task. */
  dismiss(id: string): void
  /** Called after each change, progress at most every 50 ms. */
  onChange(listener: () => void): () => void
  /** Cancels what runs and waits for its roll-back, at most so many milliseconds. */
  close(graceMs: number): Promise<void>
}

/**
 * Work that moves many bytes or starts processes waits for a place; the rest runs at once. Files on their way in and
 * out have places of their own, so that a freeze never waits for an upload; and what is made before anybody asked for it
 * never keeps others waiting.
 */
const PLACES: Readonly<Partial<Record<TaskKind, 'launches' | 'transfers' | 'preparations'>>> = {
  start: 'launches',
  resume: 'launches',
  freeze: 'launches',
  fork: 'launches',
  restart: 'launches',
  export: 'transfers',
  import: 'transfers',
  push: 'transfers',
  pull: 'transfers',
  verify: 'transfers',
  prepare: 'preparations',
}
const TRANSFERS = 2
const PROGRESS_MS = 50
/** A question holds its bottle, so one that nobody sees is declined in the end. */
const ANSWER_MS = 15 * 60_000

/** The tasks of one process. */
export function createTaskQueue(options: { readonly heavySlots?: number } = {}): TaskQueue {
  const places = {
    launches: createSlots(options.heavySlots ?? Math.max(2, availableParallelism())),
    transfers: createSlots(TRANSFERS),
    preparations: createSlots(1),
  }
  const running = new Map<string, { readonly controller: AbortController; readonly ended: Promise<void> }>()
  const questions = new Map<string, (agree: boolean) => void>()
  const listeners = new Set<() => void>()
  let tasks: readonly Task[] = []
  let progressTimer: NodeJS.Timeout | undefined
  const latestProgress = new Map<string, Progress>()

  const notify = (): void => {
    for (const listener of listeners) listener()
  }
  const apply = (event: TaskEvent): void => {
    const next = reduceTasks(tasks, event)
    if (next === tasks) return
    tasks = next
    notify()
  }
  const flushProgress = (): void => {
    progressTimer = undefined
    const before = tasks
    for (const [id, progress] of latestProgress)
      tasks = reduceTasks(tasks, { type: 'progress', id, progress })
    latestProgress.clear()
    if (tasks !== before) notify()
  }
  const report = (id: string, progress: Progress): void => {
    latestProgress.set(id, progress)
    progressTimer ??= setTimeout(flushProgress, PROGRESS_MS)
  }

  /** Ends by an answer, by the end of the task, or after a time. */
  async function ask(id: string, question: string, signal: AbortSignal): Promise<boolean> {
    const late = AbortSignal.timeout(ANSWER_MS)
    const over = AbortSignal.any([signal, late])
    try {
      signal.throwIfAborted()
      return await new Promise<boolean>((resolve) => {
        questions.set(id, resolve)
        over.addEventListener('abort', () => resolve(false), { once: true })
        apply({ type: 'asked', id, question })
      })
    } finally {
      questions.delete(id)
      apply({ type: 'asked', id, question: null })
    }
  }

  async function work(
    id: string,
    kind: TaskKind,
    controller: AbortController,
    run: (context: TaskContext) => Promise<string>,
  ): Promise<void> {
    const notices: string[] = []
    const { signal } = controller
    let giveBack = (): void => {}
    try {
      const place = PLACES[kind]
      if (place) {
        const slots = places[place]
        const mustWait = !slots.hasFree()
        if (mustWait) report(id, { phase: 'Waiting for its turn', current: null, total: null })
        giveBack = await slots.take(signal)
        if (mustWait) report(id, { phase: 'Starting', current: null, total: null })
      }
      signal.throwIfAborted()
      const message = await run({
        signal,
        progress: (progress) => report(id, progress),
        notice: (text) => notices.push(text),
        confirm: () => Promise.resolve(false),
        confirmStop: (question) => ask(id, question, signal),
        named: (slug) => apply({ type: 'named', id, slug }),
      })
      apply({ type: 'done', id, message: [message, ...notices].filter(Boolean).join(' ') || null, at: now() })
    } catch (error) {
      const slug = tasks.find((task) => task.id === id)?.slug ?? undefined
      apply({ type: 'failed', id, error: toFailure(error, slug), at: now() })
    } finally {
      giveBack()
      latestProgress.delete(id)
      running.delete(id)
    }
  }

  return {
    start(kind, slug, run) {
      const id = randomUUID()
      const controller = new AbortController()
      apply({ type: 'started', id, kind, slug, at: now() })
      running.set(id, { controller, ended: Promise.resolve().then(() => work(id, kind, controller, run)) })
      return id
    },
    list: () => tasks,
    cancel(id) {
      const task = running.get(id)
      task?.controller.abort()
      return task !== undefined
    },
    answer(id, agree) {
      const resolve = questions.get(id)
      resolve?.(agree)
      return resolve !== undefined
    },
    dismiss: (id) => apply({ type: 'dismissed', id }),
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close(graceMs) {
      const all = [...running.values()]
      for (const task of all) task.controller.abort()
      let timer: NodeJS.Timeout | undefined
      const grace = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, graceMs)
      })
      await Promise.race([Promise.all(all.map((task) => task.ended)), grace])
      clearTimeout(timer)
      clearTimeout(progressTimer)
      listeners.clear()
    },
  }
}

function now(): string {
  return new Date().toISOString()
}
