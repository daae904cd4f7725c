import { newQuestions } from '../menus/notices.ts'
import type { Desktop } from './desktop.ts'

/** Opens the window when a task asks something: the tray and the shortcuts have no place for an answer. */
export function startQuestions(desktop: Pick<Desktop, 'signal' | 'state' | 'window'>): void {
  const leave = desktop.state.onChange((now, before) => {
    if (newQuestions(before, now).length > 0) desktop.window.show()
  })
  desktop.signal.addEventListener('abort', leave, { once: true })
}
