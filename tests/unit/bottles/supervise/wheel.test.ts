import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Clock,
  createWheel,
  dueNow,
  nextDue,
  sleepMs,
} from '../../../../src-main/bottles/supervise/wheel.ts'

/** A clock that stands until it is moved, and counts the timers that are set. */
function virtualClock() {
  let time = 1_000_000
  let pending: { at: number; run: () => void } | null = null
  let most = 0
  const clock: Clock = {
    now: () => time,
    after(ms, run) {
      expect(pending).toBeNull()
      const mine = { at: time + ms, run }
      pending = mine
      most += 1
      return () => {
        if (pending === mine) pending = null
      }
    },
  }
  return {
    clock,
    timersSet: () => most,
    pending: () => pending !== null,
    advance(ms: number) {
      const until = time + ms
      while (pending !== null && pending.at <= until) {
        const { at, run } = pending
        pending = null
        time = at
        run()
      }
      time = until
    },
  }
}

describe('the wheel', () => {
  test('calls once for each key, never early, and at most a moment late', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            key: fc.integer({ min: 0, max: 30 }).map((n) => `a${n}:look`),
            inMs: fc.option(fc.integer({ min: 0, max: 5_000 }), { nil: null }),
            pauseMs: fc.integer({ min: 0, max: 900 }),
          }),
          { maxLength: 60 },
        ),
        (steps) => {
          const virtual = virtualClock()
          const wanted = new Map<string, number>()
          const wheel = createWheel((key) => {
            const at = wanted.get(key)
            expect(at).toBeDefined()
            expect(virtual.clock.now()).toBeGreaterThanOrEqual(at ?? 0)
            expect(virtual.clock.now() - (at ?? 0)).toBeLessThanOrEqual(101)
            wanted.delete(key)
          }, virtual.clock)
          for (const { key, inMs, pauseMs } of steps) {
            const at = inMs === null ? null : virtual.clock.now() + inMs
            if (at === null) wanted.delete(key)
            else wanted.set(key, at)
            wheel.set(key, at)
            virtual.advance(pauseMs)
          }
          virtual.advance(10_000)
          expect([...wanted]).toEqual([])
          expect(wheel.size).toBe(0)
          expect(virtual.pending()).toBe(false)
        },
      ),
    )
  })

  test('has one timer for 200 agents, and moving a due time later sets none', () => {
    const virtual = virtualClock()
    const wheel = createWheel(() => undefined, virtual.clock)
    for (let n = 0; n < 200; n++) wheel.set(`a${n}:look`, virtual.clock.now() + 1000 + n)
    expect(virtual.timersSet()).toBe(1)
    for (let n = 0; n < 200; n++) wheel.set(`a${n}:look`, virtual.clock.now() + 5000)
    expect(virtual.timersSet()).toBe(1)
    virtual.advance(10_000)
    expect(virtual.timersSet()).toBeLessThanOrEqual(3)
  })

  test('weakness 05: what is dropped with its run never comes', () => {
    const virtual = virtualClock()
    const called: string[] = []
    const wheel = createWheel((key) => called.push(key), virtual.clock)
    wheel.set('one/r1:look', virtual.clock.now() + 100)
    wheel.set('one/r1:restart', virtual.clock.now() + 200)
    wheel.set('one/r2:look', virtual.clock.now() + 300)
    wheel.drop('one/r1:')
    virtual.advance(1000)
    expect(called).toEqual(['one/r2:look'])
    wheel.set('one/r2:look', virtual.clock.now() + 100)
    wheel.stop()
    virtual.advance(1000)
    expect(called).toEqual(['one/r2:look'])
    expect(virtual.pending()).toBe(false)
  })

  test('next and due are told in order', () => {
    const dues = new Map([
      ['b', 20],
      ['a', 10],
      ['c', 30],
    ])
    expect(nextDue(dues)).toBe(10)
    expect(nextDue(new Map())).toBeNull()
    expect(dueNow(dues, 20)).toEqual(['a', 'b'])
    expect(sleepMs(0, 50, 100)).toBeGreaterThan(0)
    expect(sleepMs(Number.MAX_SAFE_INTEGER, 0, 100)).toBeLessThan(2 ** 31)
  })
})
