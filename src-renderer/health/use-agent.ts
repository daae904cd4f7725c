import { useCallback, useEffect, useRef, useState } from 'react'
import type { CallResult } from '../../src-preload/contract/calls.ts'
import type { Bottle } from '../../src-preload/contract/entities.ts'
import type { Failure, Result } from '../../src-preload/contract/errors.ts'
import { useApp } from '../state/app.ts'
import { readStatus, type StatusView } from './read-status.ts'

export type Hooks = CallResult<'agent:hooks'>

/** Something that is read when it is looked at: its last good value, and why the last reading failed. */
export interface Reading<T> {
  readonly value: T | null
  readonly failure: Failure | null
}

const NOTHING = { value: null, failure: null }
const SETTLE = 120

export interface AgentReadings {
  readonly status: Reading<StatusView>
  readonly isLookedAfter: boolean
  readonly hooks: Reading<Hooks>
  /** Reads both again, as after something was tried or sent. */
  readonly again: () => void
}

/** What is known of a bottle's agent, kept fresh while the caller is shown. */
export function useAgent(bottle: Bottle): AgentReadings {
  const { bridge } = useApp()
  const { slug } = bottle
  const [status, setStatus] = useState<Reading<StatusView>>(NOTHING)
  const [isNamed, setNamed] = useState(false)
  const [hooks, setHooks] = useState<Reading<Hooks>>(NOTHING)
  const turn = useRef(0)
  const read = useCallback(async () => {
    const mine = ++turn.current
    const [known, configured] = await Promise.all([
      bridge.call('agent:status', { slug }),
      bridge.call('agent:hooks', { slug }),
    ])
    // An older answer must not replace a newer one.
    if (mine !== turn.current) return
    if (known.ok) setNamed(known.value.supervised === true)
    setStatus((now) => next(now, known.ok ? { ok: true, value: readStatus(known.value) } : known))
    setHooks((now) => next(now, configured))
  }, [bridge, slug])
  const isFirst = useRef(true)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a changed row is exactly what asks for a new read
  useEffect(() => {
    const timer = setTimeout(() => void read(), isFirst.current ? 0 : SETTLE)
    isFirst.current = false
    return () => clearTimeout(timer)
  }, [read, bottle])
  const again = useCallback(() => void read(), [read])
  const isLookedAfter = isNamed || bottle.health !== undefined || status.value?.seenAt != null
  return { status, isLookedAfter, hooks, again }
}

function next<T>(now: Reading<T>, result: Result<T>): Reading<T> {
  return result.ok ? { value: result.value, failure: null } : { value: now.value, failure: result.error }
}
