import type { BrowserWindow, Dialog, MessageBoxOptions } from 'electron'
import type { Bottle } from '../../src-preload/contract/index.ts'
import { freezable, visibleTasks } from '../menus/bottle-facts.ts'
import {
  planQuit,
  type QuitAnswer,
  type QuitProblem,
  type QuitQuestion,
  type QuitWhy,
  quitStopped,
} from '../menus/quit-question.ts'
import { toFailure } from '../system/bottle-error.ts'
import { taskEnd } from '../tasks/task-end.ts'
import type { Desktop } from './desktop.ts'
import { freezeMany } from './freeze-many.ts'

/** Decides about every way in which the app ends. */
export interface Quit {
  /**
   * Asks what there is to ask and does what was answered. True: the app may end now, and is not asked again.
   * False: the person stays, something went wrong and was told, or another quit is being decided.
   */
  mayEnd(why: QuitWhy): Promise<boolean>
  /** The session ends: from now on nothing is asked. */
  endSession(): void
  /** True once the session ends, and nobody waits for long roll-backs. */
  isSessionEnding(): boolean
}

export interface QuitParts {
  readonly dialog: Pick<Dialog, 'showMessageBox'>
  /** The window to ask over, if the person can see one. */
  readonly visibleWindow: () => BrowserWindow | undefined
}

type QuitDesktop = Pick<Desktop, 'core' | 'icebox' | 'settings' | 'signal' | 'state' | 'warn' | 'window'>

const NOTE = 'Before quitting'
/** An answer holds for the quits that follow from it, as when an update is installed, not for one much later. */
const DECIDED_MS = 60_000
/** How long a quit waits for engines before it asks. */
const LOOK_MS = 1500

export function createQuit(desktop: QuitDesktop, parts: QuitParts): Quit {
  let deciding = false
  let decidedAt = Number.NEGATIVE_INFINITY
  let isSessionEnding = false

  const show = (box: MessageBoxOptions): ReturnType<Dialog['showMessageBox']> => {
    const window = parts.visibleWindow()
    return window ? parts.dialog.showMessageBox(window, box) : parts.dialog.showMessageBox(box)
  }

  const ask = async (question: QuitQuestion): Promise<QuitAnswer> => {
    const { message, detail, buttons, defaultId, cancelId, checkboxLabel } = question
    const { response, checkboxChecked } = await show({
      type: 'question',
      title: 'Icebox',
      message,
      detail,
      buttons: buttons.map(({ label }) => label),
      defaultId,
      cancelId,
      noLink: true,
      ...(checkboxLabel === null ? {} : { checkboxLabel }),
    })
    const answer = buttons[response]?.answer ?? 'cancel'
    if (checkboxLabel !== null && checkboxChecked && answer !== 'cancel')
      await desktop.settings.set('quitWithRunning', answer).catch(desktop.warn)
    return answer
  }

  /** False once the person knows. Who can't be asked anything must at least be able to quit: bottles go on without the app. */
  const tellOf = async (error: unknown): Promise<boolean> => {
    desktop.warn(error)
    const { message, detail } = toFailure(error)
    const text = [message, detail].filter(Boolean).join('\n')
    try {
      await show({
        type: 'warning',
        title: 'Icebox',
        message: 'Icebox did not quit',
        detail: text,
        buttons: ['OK'],
      })
      return false
    } catch (failed) {
      desktop.warn(failed)
      return true
    }
  }

  const decide = async (why: QuitWhy): Promise<boolean> => {
    const bottles = await bottlesNow(desktop)
    const tasks = desktop.core.tasks.list()
    const plan = planQuit({ bottles, tasks, setting: desktop.settings.all().quitWithRunning, why })
    const answer = plan.do === 'ask' ? await ask(plan.question) : plan.do
    if (isSessionEnding || answer === 'leave') return true
    if (answer === 'cancel') return false
    // Where the person sees how far it is, and can cancel.
    desktop.window.show()
    const problems = await finishAll(desktop, answer === 'freeze')
    if (problems.length === 0 || isSessionEnding) return true
    await show({ type: 'warning', title: 'Icebox', ...quitStopped(problems), buttons: ['OK'] })
    return isSessionEnding
  }

  return {
    async mayEnd(why) {
      if (isSessionEnding || performance.now() - decidedAt < DECIDED_MS) return true
      if (deciding) return false
      deciding = true
      try {
        const isYes = await decide(why)
        if (isYes) decidedAt = performance.now()
        return isYes
      } catch (error) {
        return isSessionEnding || (await tellOf(error))
      } finally {
        deciding = false
      }
    },
    endSession() {
      isSessionEnding = true
    },
    isSessionEnding: () => isSessionEnding,
  }
}

/** What runs as of now; what was known last when the engines don't answer soon. */
async function bottlesNow({ icebox, signal, state }: QuitDesktop): Promise<readonly Bottle[]> {
  const late = AbortSignal.timeout(LOOK_MS)
  const known = new Promise<readonly Bottle[]>((resolve) => {
    late.addEventListener('abort', () => resolve(state.get().bottles), { once: true })
  })
  const fresh = icebox.bottles.list(AbortSignal.any([signal, late])).catch(() => state.get().bottles)
  return Promise.race([fresh, known])
}

/**
 * Waits until nothing is at work any more, and freezes what runs, also what a task has only just started.
 * Returns what failed; nothing new begins after a failure.
 */
async function finishAll(desktop: QuitDesktop, isFreezing: boolean): Promise<readonly QuitProblem[]> {
  const { core, icebox, signal } = desktop
  const { tasks } = core
  const tried = new Set<string>()
  for (;;) {
    const bottles = isFreezing ? await icebox.bottles.list(signal) : []
    const held = { bottles: [...bottles], tasks: [...tasks.list()] }
    const slugs = freezable(held)
      .map(({ slug }) => slug)
      .filter((slug) => !tried.has(slug))
    const working = visibleTasks(held)
    if (slugs.length === 0 && working.length === 0) return []
    for (const slug of slugs) tried.add(slug)
    const parts = { bottles: icebox.bottles, tasks }
    const [missed, ended] = await Promise.all([
      freezeMany(parts, slugs, { note: NOTE, thenStop: true, noMore: signal, signal }),
      Promise.all(working.map(({ id }) => taskEnd(tasks, id, signal))),
    ])
    const problems: QuitProblem[] = [
      ...missed.map(({ slug, problem }) => ({
        slug,
        kind: 'freeze' as const,
        message: problem ?? 'Not begun.',
      })),
      ...ended
        .filter((task) => task?.state === 'failed')
        .flatMap((task) => (task ? [{ slug: task.slug, kind: task.kind, message: task.message ?? '' }] : [])),
    ]
    if (problems.length > 0) return problems
  }
}
