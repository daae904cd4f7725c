import type { BottleTab } from '../../src-preload/contract/desktop.ts'
import type { Bottle, StateSnapshot, Task } from '../../src-preload/contract/index.ts'
import { canResume, isVisible, isWaiting, reasonOf, visibleTasks } from './bottle-facts.ts'
import { oneLine } from './menu-text.ts'
import type { MenuCommand } from './menu-types.ts'
import { words } from './words.ts'

type Seen = Pick<StateSnapshot, 'bottles' | 'tasks'>
type Group = keyof typeof words.notice.many

/** One notification of the system as data. */
export interface Notice {
  /** A later notice with the same id takes the place of an earlier one. */
  readonly id: string
  readonly group: Group
  readonly title: string
  readonly body: string
  /** Buttons, where the system has them. */
  readonly actions: readonly { readonly label: string; readonly command: MenuCommand }[]
  /** What a click on it does. */
  readonly click: MenuCommand
}

export interface NoticeContext {
  readonly setting: 'all' | 'attention' | 'none'
  /** The window is in front: it tells everything itself. */
  readonly isLooking: boolean
}

/** The setting as it is stored, whatever was stored. Pure. */
export function noticeSetting(value: unknown): NoticeContext['setting'] {
  return value === 'attention' || value === 'none' ? value : 'all'
}

/** Freezes that are done while more of them run: told together, once the last one is. */
export interface NoticeMemory {
  readonly held: readonly Notice[]
}

export const NO_NOTICES: NoticeMemory = { held: [] }

/** More of one kind at once become one notification. */
const MAX_AT_ONCE = 3
/** A start that took longer than this is news to who started it. */
const LONG_MS = 10_000
const MAX_BODY = 200

const TOLD_WHEN_DONE: ReadonlySet<string> = new Set([
  'freeze',
  'fork',
  'import',
  'export',
  'push',
  'pull',
  'verify',
])
const TOLD_WHEN_LONG: ReadonlySet<string> = new Set(['start', 'resume', 'restart'])

/** What a change gives to tell, and what is held back for later. Pure. */
export function noticesAfter(
  memory: NoticeMemory,
  before: Seen,
  now: Seen,
  context: NoticeContext,
): { readonly memory: NoticeMemory; readonly notices: readonly Notice[] } {
  if (context.isLooking || context.setting === 'none') return { memory: NO_NOTICES, notices: [] }
  const news = notificationsFor(before, now, context)
  const done = [...memory.held, ...news.filter(({ group }) => group === 'frozen')]
  const isFreezing = visibleTasks(now).some(({ kind }) => kind === 'freeze')
  const rest = news.filter(({ group }) => group !== 'frozen')
  return isFreezing
    ? { memory: { held: done }, notices: fold(rest) }
    : { memory: NO_NOTICES, notices: fold([...rest, ...done]) }
}

/** The notifications of one change; none of what the person is looking at. Pure. */
export function notificationsFor(before: Seen, now: Seen, context: NoticeContext): readonly Notice[] {
  if (context.isLooking || context.setting === 'none') return []
  const tasks = [
    ...newQuestions(before, now).map(asks),
    ...endedTasks(before, now).flatMap((task) => taskNotice(task, now, context)),
  ]
  const told = new Set(tasks.map(({ id }) => id))
  return [...tasks, ...bottleNotices(before, now).filter(({ id }) => !told.has(id))]
}

/** Tasks that wait for an answer since this change. Pure. */
export function newQuestions(before: Seen, now: Seen): readonly Task[] {
  const asked = new Set(before.tasks.filter(({ question }) => question !== null).map(({ id }) => id))
  return now.tasks.filter(({ id, question }) => question !== null && !asked.has(id))
}

function asks(task: Task): Notice {
  return {
    id: `asks:${task.id}`,
    group: 'waiting',
    title: words.notice.asks(oneLine(task.slug ?? '')),
    body: oneLine(task.question ?? '', MAX_BODY),
    actions: [{ label: words.show, command: { do: 'show-window' } }],
    click: { do: 'show-window' },
  }
}

function endedTasks(before: Seen, now: Seen): readonly Task[] {
  const old = new Map(before.tasks.map((task) => [task.id, task.state]))
  return now.tasks.filter(
    (task) => isVisible(task) && task.state !== 'running' && (old.get(task.id) ?? 'running') === 'running',
  )
}

function taskNotice(task: Task, now: Seen, { setting }: NoticeContext): readonly Notice[] {
  const name = task.slug
  if (task.state === 'failed') return [failedTask(task)]
  if (task.state !== 'done' || setting !== 'all' || name === null) return []
  const took = Date.parse(task.endedAt ?? '') - Date.parse(task.startedAt)
  if (!TOLD_WHEN_DONE.has(task.kind) && !(TOLD_WHEN_LONG.has(task.kind) && took > LONG_MS)) return []
  const show = showBottle(name, task.kind === 'freeze' || task.kind === 'verify' ? 'timeline' : 'overview')
  // What comes in may have no row yet; a bottle that was frozen while it ran goes on running.
  const row = now.bottles.find(({ slug }) => slug === name)
  const canResumeIt =
    task.kind === 'freeze' ? row && canResume(row) : isArrival(task) && (!row || canResume(row))
  return [
    {
      id: `done:${task.kind}:${name}`,
      group: task.kind === 'freeze' ? 'frozen' : 'done',
      title: words.done(task.kind, oneLine(name)),
      body: oneLine(task.message ?? '', MAX_BODY),
      actions: [
        ...(canResumeIt ? [{ label: words.resume, command: { do: 'resume', slug: name } as const }] : []),
        { label: words.show, command: show },
      ],
      click: show,
    },
  ]
}

function isArrival({ kind }: Task): boolean {
  return kind === 'import' || kind === 'pull'
}

function failedTask(task: Task): Notice {
  const { slug, error } = task
  const isExit = error?.code === 'agent-exited'
  const show: MenuCommand =
    slug === null
      ? { do: 'page', command: { id: 'section', section: 'activity' } }
      : showBottle(slug, isExit ? 'logs' : 'overview')
  const canRetry = task.kind === 'freeze' && error?.retryable === true && slug !== null
  return {
    id: slug === null ? `failed-task:${task.id}` : `failed:${slug}`,
    group: 'failed',
    title: words.notice.failed(task.kind, slug === null ? null : oneLine(slug)),
    body: oneLine(error?.message ?? task.message ?? '', MAX_BODY),
    actions: [
      ...(canRetry ? [{ label: words.tryAgain, command: { do: 'freeze', slug } as const }] : []),
      { label: isExit ? words.showLogs : words.show, command: show },
    ],
    click: show,
  }
}

function bottleNotices(before: Seen, now: Seen): readonly Notice[] {
  const old = new Map(before.bottles.map((bottle) => [bottle.slug, bottle]))
  return now.bottles.flatMap((bottle) => {
    const was = old.get(bottle.slug)
    // A row that was not there before is history that was read just now.
    if (!was || was === bottle) return []
    if (isWaiting(bottle) && (!isWaiting(was) || was.agentState !== bottle.agentState))
      return [waiting(bottle)]
    const restarts = bottle.health?.restarts
    if (restarts?.gaveUp && !was.health?.restarts.gaveUp) return [failed(bottle)]
    // One that is about to be started again by rule needs nobody.
    const isNewlyFailed = bottle.state === 'failed' && was.state !== 'failed' && !restarts?.nextAt
    return isNewlyFailed && !isToldByTask(bottle, now) ? [failed(bottle)] : []
  })
}

/** An operation that is under way, or failed with this very bottle, tells its own end. */
function isToldByTask({ slug }: Bottle, now: Seen): boolean {
  const last = now.tasks.findLast((task) => task.slug === slug)
  return last?.state === 'running' || last?.error?.code === 'agent-exited'
}

const WHY: Readonly<Partial<Record<NonNullable<Bottle['agentState']>, string>>> = words.notice.why

/** Where a person can do something about it: at the terminal, else where an answer can be sent, else where it tells. */
function waitingTab({ interactive, agentState, health }: Bottle): 'terminal' | 'health' | 'logs' {
  const isTyping = agentState === 'waiting' || agentState === 'signed-out'
  if (interactive && isTyping) return 'terminal'
  if (health) return 'health'
  return interactive ? 'terminal' : 'logs'
}

function waiting(bottle: Bottle): Notice {
  const { slug, agentState } = bottle
  const show = showBottle(slug, waitingTab(bottle))
  const why = agentState === null ? undefined : WHY[agentState]
  return {
    id: `waiting:${slug}`,
    group: 'waiting',
    title: words.notice.waits(oneLine(slug)),
    body: oneLine(reasonOf(bottle) ?? why ?? words.notice.why.waiting, MAX_BODY),
    actions: [{ label: words.show, command: show }],
    click: show,
  }
}

function failed(bottle: Bottle): Notice {
  const { slug, exitCode, stateReason, health } = bottle
  const gaveUp = health?.restarts.gaveUp
  const show = showBottle(slug, gaveUp ? 'health' : 'logs')
  return {
    id: `failed:${slug}`,
    group: 'failed',
    title: words.notice.bottleFailed(oneLine(slug)),
    body: oneLine(
      gaveUp ? words.notice.gaveUp(gaveUp) : (stateReason ?? (exitCode ? words.notice.exited(exitCode) : '')),
      MAX_BODY,
    ),
    actions: [{ label: gaveUp ? words.show : words.showLogs, command: show }],
    click: show,
  }
}

function fold(notices: readonly Notice[]): readonly Notice[] {
  const groups = Map.groupBy(notices, ({ group }) => group)
  return [...groups].flatMap(([group, members]) =>
    members.length <= MAX_AT_ONCE ? members : [folded(group, members)],
  )
}

function folded(group: Group, members: readonly Notice[]): Notice {
  const show: MenuCommand = {
    do: 'page',
    command: { id: 'section', section: group === 'failed' ? 'activity' : 'bottles' },
  }
  const titles = members.slice(0, MAX_AT_ONCE).map(({ title }) => title)
  return {
    id: `many:${group}`,
    group,
    title: words.notice.many[group](members.length),
    body: oneLine(words.notice.andMore(titles, members.length - titles.length), MAX_BODY),
    actions: [{ label: words.show, command: show }],
    click: show,
  }
}

function showBottle(slug: string, tab: BottleTab): MenuCommand {
  return { do: 'page', command: { id: 'show-bottle', slug, tab } }
}
