import type { Attention } from './attention.ts'
import { countBottles, visibleTasks } from './bottle-facts.ts'
import { oneLine } from './menu-text.ts'
import { type MenuState, statusText } from './tray-menu.ts'
import { words } from './words.ts'

/** The shapes of the tray icon. */
export const TRAY_SHAPES = ['idle', 'running', 'waiting', 'working', 'error'] as const
export type TrayShape = (typeof TRAY_SHAPES)[number]

export interface TrayLook {
  readonly shape: TrayShape
  readonly tooltip: string
  /** Stands beside the icon where the system can show it: how many run, or how many wait. */
  readonly count: string
}

/** The tray icon in one glance: who needs a person comes before what is at work. Pure. */
export function trayLook(state: MenuState, attention: Attention): TrayLook {
  const { running, waiting } = countBottles(state.bottles)
  const [task, ...more] = visibleTasks(state)
  const unseen = attention.failed.size
  const shape: TrayShape =
    waiting > 0 ? 'waiting' : unseen > 0 ? 'error' : task ? 'working' : running > 0 ? 'running' : 'idle'
  const lines = [
    statusText(state),
    ...(unseen > 0 ? [words.failed(unseen)] : []),
    ...(task ? [`${words.doing(task.kind, task.slug)}…`] : []),
    ...(more.length > 0 ? [words.moreTasks(more.length)] : []),
  ]
  const count = waiting || (shape === 'running' || shape === 'working' ? running : 0)
  return {
    shape,
    tooltip: oneLine(`${words.app}: ${lines.join(' · ')}`, 120),
    count: count > 0 ? String(count) : '',
  }
}
