import { type DragEvent, useEffect, useRef } from 'react'
import { useApp } from '../state/app.ts'
import { useStore } from '../state/create-store.ts'
import { COLD, type DragItem, type DragTarget, keyOf } from './drag-items.ts'

/** A pointer that only passes must start nothing. */
const INTENT_MS = 120
/** Larger ones are made ready when somebody drags them, not when a pointer rests on them. */
const UNASKED_BYTES = 1_000_000_000

/** What makes an element the handle of a snapshot that can be dragged out. */
export interface DragSource {
  readonly item: DragItem
  readonly props: {
    readonly draggable: boolean
    readonly 'data-drag': DragItem['state'] | undefined
    readonly onDragStart: (event: DragEvent<HTMLElement>) => void
  }
}

/**
 * Makes a row the handle of its snapshot. While somebody rests on it or has chosen it (`isNear`), it is made ready.
 * @param others dragged along when the row is one of several that are selected
 */
export function useDragSource(options: {
  readonly target: DragTarget | null
  readonly bytes: number
  readonly isNear: boolean
  readonly others?: () => readonly DragTarget[]
}): DragSource {
  const { drag } = useApp()
  const { target, isNear } = options
  const key = target ? keyOf(target) : ''
  const item = useStore(drag.items, (all) => all.get(key) ?? COLD)
  const isLight = options.bytes <= UNASKED_BYTES
  const latest = useRef(target)
  latest.current = target
  useEffect(() => {
    if (!isNear || !isLight || key === '') return
    const timer = setTimeout(() => {
      if (latest.current) drag.approach(latest.current)
    }, INTENT_MS)
    return () => {
      clearTimeout(timer)
      if (latest.current) drag.leave(latest.current)
    }
  }, [drag, key, isNear, isLight])
  return {
    item,
    props: {
      draggable: target !== null,
      'data-drag': target ? item.state : undefined,
      onDragStart(event) {
        // Words that are selected in the row, and fields in it, have drags of their own.
        if (!target || event.target !== event.currentTarget) return
        const others = options.others?.() ?? []
        const isOneOfThem = others.some((other) => keyOf(other) === key)
        drag.start(event, isOneOfThem ? others : [target])
      },
    },
  }
}
