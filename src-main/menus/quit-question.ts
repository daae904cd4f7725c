import type { Bottle, Task } from '../../src-preload/contract/index.ts'
import { isRunning, visibleTasks } from './bottle-facts.ts'
import { oneLine } from './menu-text.ts'
import { words } from './words.ts'

/** What a person, or the setting in their place, says to a quit. */
export type QuitAnswer =
  /** Bottles go on without the app; other work is cancelled and rolled back. */
  | 'leave'
  /** Everything that runs is frozen and stopped, other work ends, then the app quits. */
  | 'freeze'
  /** Nothing runs but work of the app: it ends, then the app quits. */
  | 'finish'
  | 'cancel'

/** Why the app quits; what it asks is the same. */
export type QuitWhy = 'quit' | 'update'

/** The question as a message box has it. */
export interface QuitQuestion {
  readonly message: string
  readonly detail: string
  readonly buttons: readonly { readonly label: string; readonly answer: QuitAnswer }[]
  readonly defaultId: number
  readonly cancelId: number
  /** Null where the next quit may well be a different one. */
  readonly checkboxLabel: string | null
}

export interface QuitFacts {
  readonly bottles: readonly Bottle[]
  readonly tasks: readonly Task[]
  /** The setting as it is stored, whatever was stored. */
  readonly setting: unknown
  readonly why: QuitWhy
}

export type QuitPlan = { readonly do: QuitAnswer } | { readonly do: 'ask'; readonly question: QuitQuestion }

const MAX_NAMES = 4

/** What to do about a quit. Nothing is asked when nothing is at work, or when the setting has the answer. Pure. */
export function planQuit({ bottles, tasks, setting, why }: QuitFacts): QuitPlan {
  const running = bottles.filter(isRunning)
  const working = visibleTasks({ tasks: [...tasks] })
  if (running.length === 0 && working.length === 0) return { do: 'leave' }
  if (running.length === 0) return { do: 'ask', question: askAboutTasks(working, why) }
  if (setting === 'freeze') return { do: 'freeze' }
  if (setting !== 'leave') return { do: 'ask', question: askAboutBottles(running, working, why) }
  return working.length === 0 ? { do: 'leave' } : { do: 'ask', question: askAboutTasks(working, why) }
}

function askAboutBottles(running: readonly Bottle[], working: readonly Task[], why: QuitWhy): QuitQuestion {
  const isOne = running.length === 1
  const subject = isOne ? `${nameOf(running[0])} is running` : `${running.length} bottles are running`
  const [they, them] = isOne ? ['It goes', 'it'] : ['They go', 'them']
  return {
    message: `${subject}. Quit Icebox?`,
    detail: [
      ...(why === 'update' ? ['Icebox quits to install the update.'] : []),
      ...(isOne ? [] : [`${listed(running.map(nameOf))}.`]),
      `${they} on without Icebox, or Icebox freezes and stops ${them} first, to be resumed later.`,
      ...(working.length === 0 ? [] : [`Leaving now cancels: ${doings(working)}.`]),
    ].join('\n'),
    buttons: [
      { label: 'Leave running', answer: 'leave' },
      { label: isOne ? 'Freeze, then quit' : 'Freeze all, then quit', answer: 'freeze' },
      { label: words.cancel, answer: 'cancel' },
    ],
    defaultId: 0,
    cancelId: 2,
    checkboxLabel: 'Do the same from now on',
  }
}

function askAboutTasks(working: readonly Task[], why: QuitWhy): QuitQuestion {
  return {
    message: `${working.length === 1 ? 'A task is' : `${working.length} tasks are`} not done yet. Quit Icebox?`,
    detail: [
      ...(why === 'update' ? ['Icebox quits to install the update.'] : []),
      `${doings(working)}.`,
      'Quitting now cancels this and takes back what is half done.',
    ].join('\n'),
    buttons: [
      { label: 'Finish, then quit', answer: 'finish' },
      { label: 'Quit now', answer: 'leave' },
      { label: words.cancel, answer: 'cancel' },
    ],
    defaultId: 0,
    cancelId: 2,
    checkboxLabel: null,
  }
}

/** One thing that kept the app from quitting. */
export interface QuitProblem {
  readonly slug: string | null
  readonly kind: Task['kind']
  readonly message: string
}

/** What is told when a quit stopped half way. Pure. */
export function quitStopped(problems: readonly QuitProblem[]): {
  readonly message: string
  readonly detail: string
} {
  return {
    message: 'Icebox did not quit',
    detail: problems
      .slice(0, 2 * MAX_NAMES)
      .map(
        ({ slug, kind, message }) =>
          `${words.doing(kind, slug === null ? null : oneLine(slug))}: ${oneLine(message, 300)}`,
      )
      .concat(problems.length > 2 * MAX_NAMES ? [`And ${problems.length - 2 * MAX_NAMES} more.`] : [])
      .join('\n'),
  }
}

function nameOf(bottle: Bottle | undefined): string {
  return oneLine(bottle?.slug ?? '')
}

function doings(tasks: readonly Task[]): string {
  return listed(tasks.map(({ kind, slug }) => words.doing(kind, slug === null ? null : oneLine(slug))))
}

function listed(names: readonly string[]): string {
  const more = names.length - MAX_NAMES
  return more > 0 ? words.notice.andMore(names.slice(0, MAX_NAMES), more) : names.join(', ')
}
