import { useEffect } from 'react'
import { useChangeView, useView } from '../state/app.ts'

/**
 * Drops the wish for the terminal when the person goes on elsewhere before it is there: a terminal that takes the
 * focus late would give keys to the agent that were meant for the list.
 */
export function useTerminalWish(): void {
  const isWanted = useView((view) => view.isTerminalWanted)
  const change = useChangeView()
  useEffect(() => {
    if (!isWanted) return
    const listening = new AbortController()
    const drop = (event: Event): void => {
      // A key that is held is still the one that asked for it.
      if (event instanceof KeyboardEvent && event.repeat) return
      change({ isTerminalWanted: false })
    }
    const options = { capture: true, signal: listening.signal }
    window.addEventListener('pointerdown', drop, options)
    window.addEventListener('keydown', drop, options)
    return () => listening.abort()
  }, [isWanted, change])
}
