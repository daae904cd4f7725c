import { dialog, type MessageBoxOptions, Notification } from 'electron'
import type { Desktop } from './desktop.ts'
import { windowOf } from './looking.ts'

/** Tells the person what could not even begin: over the window when it is in front, else as a notification. */
export function createTell(desktop: Pick<Desktop, 'window' | 'warn'>): (problem: string) => void {
  // Held until it is gone, because one that was collected disappears.
  const held = new Set<Notification>()
  return (problem) => {
    const window = windowOf(desktop)
    if (window?.isFocused() || !Notification.isSupported()) {
      const box: MessageBoxOptions = { type: 'warning', message: 'Icebox', detail: problem, buttons: ['OK'] }
      const answer = window ? dialog.showMessageBox(window, box) : dialog.showMessageBox(box)
      answer.catch(desktop.warn)
      return
    }
    const notification = new Notification({ title: 'Icebox', body: problem })
    held.add(notification)
    notification.on('click', () => desktop.window.show())
    notification.on('close', () => held.delete(notification))
    notification.show()
  }
}
