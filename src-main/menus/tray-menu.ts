import type { Bottle, StateSnapshot } from '../../src-preload/contract/index.ts'
import {
  byUrgency,
  canFreeze,
  canResume,
  canStop,
  countBottles,
  freezable,
  heldSlugs,
  isWaiting,
  reasonOf,
  recentlyFrozen,
  silentEngines,
  visibleTasks,
} from './bottle-facts.ts'
import { clockText, menuText } from './menu-text.ts'
import type { MenuCommand, MenuItem } from './menu-types.ts'
import { words } from './words.ts'

/** What the tray and dock menus are made from. */
export type MenuState = Pick<StateSnapshot, 'bottles' | 'tasks' | 'engines'>

const MAX_BOTTLES = 10
const MAX_RECENT = 8
const MAX_TASKS = 3
const SEPARATOR: MenuItem = { kind: 'separator' }

/** The menu of the tray icon; everything in it is in the window too. Pure. */
export function trayMenu(state: MenuState, now: Date): readonly MenuItem[] {
  return [
    ...statusLines(state),
    ...taskItems(state),
    SEPARATOR,
    ...bottleItems(state),
    command(words.freezeAll, { do: 'freeze-all' }, freezable(state).length > 0),
    command(words.newBottle, { do: 'page', command: { id: 'new-bottle' } }),
    recentItem(state, now),
    SEPARATOR,
    command(words.openWindow, { do: 'show-window' }),
    command(words.settings, { do: 'page', command: { id: 'settings' } }),
    SEPARATOR,
    command(words.quit, { do: 'quit' }),
  ]
}

/** "2 running · 1 waiting for you". Pure. */
export function statusText({ bottles }: Pick<MenuState, 'bottles'>): string {
  const { all, running, waiting } = countBottles(bottles)
  if (all === 0) return words.nothing
  const parts = [
    ...(running > 0 ? [words.running(running)] : []),
    ...(waiting > 0 ? [words.waiting(waiting)] : []),
  ]
  return parts.join(' · ') || words.nothingRuns
}

function statusLines(state: MenuState): readonly MenuItem[] {
  return [
    { kind: 'label', label: statusText(state) },
    ...silentEngines(state).map(
      (title): MenuItem => ({ kind: 'label', label: menuText(words.engineDown(title)) }),
    ),
  ]
}

function taskItems(state: MenuState): readonly MenuItem[] {
  const tasks = visibleTasks(state)
  const shown = tasks.slice(0, MAX_TASKS).map(
    (task): MenuItem => ({
      kind: 'submenu',
      label: menuText(`${words.doing(task.kind, task.slug)}…`),
      items: [command(words.cancel, { do: 'cancel-task', taskId: task.id })],
    }),
  )
  const more = tasks.length - shown.length
  return more > 0 ? [...shown, { kind: 'label', label: words.moreTasks(more) }] : shown
}

function bottleItems(state: MenuState): readonly MenuItem[] {
  if (state.bottles.length === 0) return []
  const held = heldSlugs(state)
  const shown = byUrgency(state.bottles)
    .slice(0, MAX_BOTTLES)
    .map((bottle) => bottleItem(bottle, held.has(bottle.slug)))
  return [
    ...shown,
    ...(state.bottles.length > MAX_BOTTLES
      ? [command(words.more, { do: 'page', command: { id: 'section', section: 'bottles' } })]
      : []),
    SEPARATOR,
  ]
}

function bottleItem(bottle: Bottle, isHeld: boolean): MenuItem {
  const { slug } = bottle
  return {
    kind: 'submenu',
    label: menuText(`${slug} — ${words.stateOf(bottle)}${whyIt(bottle)}`),
    items: [
      command(words.open, { do: 'page', command: { id: 'show-bottle', slug, tab: 'overview' } }),
      SEPARATOR,
      command(words.freeze, { do: 'freeze', slug }, canFreeze(bottle) && !isHeld),
      command(words.resume, { do: 'resume', slug }, canResume(bottle) && !isHeld),
      command(words.stop, { do: 'stop', slug }, canStop(bottle) && !isHeld),
      SEPARATOR,
      command(words.logs, { do: 'page', command: { id: 'show-bottle', slug, tab: 'logs' } }),
    ],
  }
}

/** What the agent asks or lacks, where somebody can do something about it. */
function whyIt(bottle: Bottle): string {
  const reason = isWaiting(bottle) ? reasonOf(bottle) : null
  return reason ? `: ${reason}` : ''
}

function recentItem(state: MenuState, now: Date): MenuItem {
  const recent = recentlyFrozen(state.bottles)
  const held = heldSlugs(state)
  const shown = recent.slice(0, MAX_RECENT).map((bottle) => {
    const when = clockText(bottle.lastFrozenAt ?? '', now)
    return command(
      menuText(when ? `${bottle.slug} — ${when}` : bottle.slug),
      {
        do: 'resume',
        slug: bottle.slug,
        ...(bottle.currentSnapshot === null ? {} : { snapshot: bottle.currentSnapshot }),
      },
      !held.has(bottle.slug),
    )
  })
  return {
    kind: 'submenu',
    label: words.recent,
    items:
      shown.length === 0
        ? [{ kind: 'label', label: words.noRecent }]
        : [
            ...shown,
            ...(recent.length > MAX_RECENT
              ? [
                  SEPARATOR,
                  command(words.more, { do: 'page', command: { id: 'section', section: 'bottles' } }),
                ]
              : []),
          ],
  }
}

function command(label: string, what: MenuCommand, isEnabled = true): MenuItem {
  return { kind: 'command', label, command: what, ...(isEnabled ? {} : { isEnabled }) }
}
