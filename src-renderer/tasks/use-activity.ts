import { useCallback, useEffect, useRef, useState } from 'react'
import type { ActivityEntry } from '../../src-preload/contract/agents.ts'
import type { Failure } from '../../src-preload/contract/errors.ts'
import { useApp, useModel } from '../state/app.ts'

const SETTLE = 400
/** Hooks may run without any row changing. */
const LOOK_AGAIN = 15_000

export interface ActivityReading {
  /** Newest first; null until it was read once. */
  readonly entries: readonly ActivityEntry[] | null
  readonly failure: Failure | null
}

/** What happened last to all bottles, kept fresh while the caller is shown and the page is seen. */
export function useActivity(limit: number): ActivityReading {
  const { bridge } = useApp()
  const [reading, setReading] = useState<ActivityReading>({ entries: null, failure: null })
  const turn = useRef(0)
  const read = useCallback(async () => {
    const mine = ++turn.current
    const result = await bridge.call('activity:list', { limit })
    if (mine !== turn.current) return
    setReading((now) =>
      result.ok ? { entries: result.value, failure: null } : { entries: now.entries, failure: result.error },
    )
  }, [bridge, limit])
  useEffect(() => {
    void read()
    const timer = setInterval(() => {
      if (!document.hidden) void read()
    }, LOOK_AGAIN)
    return () => clearInterval(timer)
  }, [read])
  const bottles = useModel((model) => model.bottleList)
  const running = useModel((model) => model.taskList.filter(({ state }) => state === 'running').length)
  const isFirst = useRef(true)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a changed bottle or an ended task is what asks for a new read
  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false
      return
    }
    const timer = setTimeout(() => void read(), SETTLE)
    return () => clearTimeout(timer)
  }, [read, bottles, running])
  return reading
}
