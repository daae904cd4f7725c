import { useEffect, useRef, useState } from 'react'
import type { Failure } from '../../src-preload/contract/errors.ts'
import { useApp } from '../state/app.ts'
import { createLogBuffer, type LogBuffer } from './log-buffer.ts'

/** How much of an old output is asked for; the buffer keeps no more anyway. */
const TAIL = 2_000_000

export interface LogView {
  readonly buffer: LogBuffer
  /** Grows with each change of the buffer. */
  readonly version: number
  readonly isOver: boolean
  readonly failure: Failure | null
}

/**
 * Follows the output of a run while the caller is shown. The page redraws at most once per frame.
 * @param newest names the newest start: without a chosen run, another one begins the output anew
 */
export function useLog(slug: string, run: string, newest: string): LogView {
  const { bridge } = useApp()
  const buffer = useRef(createLogBuffer())
  const [state, setState] = useState<Omit<LogView, 'buffer'>>({ version: 0, isOver: false, failure: null })
  const shown = run || newest
  // biome-ignore lint/correctness/useExhaustiveDependencies: another newest start means another stream
  useEffect(() => {
    const fresh = createLogBuffer()
    buffer.current = fresh
    setState({ version: 0, isOver: false, failure: null })
    let frame = 0
    let unseen = 0
    const show = () => {
      frame = 0
      // Acknowledged once taken in, so that a flood waits at its source while the page draws.
      stream.ack(unseen)
      unseen = 0
      setState((now) => ({ ...now, version: now.version + 1 }))
    }
    const schedule = () => {
      frame ||= window.setTimeout(show, document.hidden ? 250 : 16)
    }
    const stream = bridge.open(
      'logs',
      { slug, tailBytes: TAIL, ...(run ? { run } : {}) },
      {
        data(chunk) {
          fresh.add(chunk)
          unseen += chunk.byteLength
          schedule()
        },
        end: (failure) => setState((now) => ({ version: now.version + 1, isOver: true, failure })),
      },
    )
    return () => {
      clearTimeout(frame)
      stream.close()
    }
  }, [bridge, slug, run, shown])
  return { buffer: buffer.current, ...state }
}
