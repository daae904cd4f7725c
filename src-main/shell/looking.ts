import { app, BrowserWindow } from 'electron'
import { type Attention, attentionAfter, CALM } from '../menus/attention.ts'
import type { Desktop } from './desktop.ts'

/** Whether the person looks at Icebox, and what went wrong while they did not. */
export interface Looking {
  /** True while the window has the focus. */
  isLooking(): boolean
  attention(): Attention
  /** Called when what needs attention changes, and when the window gets the focus. */
  onChange(listener: () => void): void
}

/** The window that has the page, while there is one. */
export function windowOf(desktop: Pick<Desktop, 'window'>): BrowserWindow | undefined {
  const contents = desktop.window.contents()
  return contents && !contents.isDestroyed()
    ? (BrowserWindow.fromWebContents(contents) ?? undefined)
    : undefined
}

/** Follows state and focus until the app ends. */
export function createLooking(desktop: Desktop): Looking {
  const listeners = new Set<() => void>()
  let attention = CALM
  const isLooking = (): boolean => {
    const window = windowOf(desktop)
    return window ? window.isVisible() && !window.isMinimized() && window.isFocused() : false
  }
  const notify = (): void => {
    for (const listener of listeners) listener()
  }
  const leave = desktop.state.onChange((now, before) => {
    const next = attentionAfter(attention, before, now, isLooking())
    if (next === attention) return
    attention = next
    notify()
  })
  const focused = (): void => {
    attention = CALM
    notify()
  }
  app.on('browser-window-focus', focused)
  desktop.signal.addEventListener(
    'abort',
    () => {
      leave()
      app.off('browser-window-focus', focused)
    },
    { once: true },
  )
  return { isLooking, attention: () => attention, onChange: (listener) => void listeners.add(listener) }
}
