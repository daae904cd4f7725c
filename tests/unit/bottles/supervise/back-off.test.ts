import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DEFAULT_LIFECYCLE } from '../../../../src-main/agents/lifecycle.ts'
import { chooseRestart, waitBefore } from '../../../../src-main/bottles/supervise/back-off.ts'

const policy = { ...DEFAULT_LIFECYCLE.restart, policy: 'on-failure' as const, maxRetries: 3 }
const NOW = 1_800_000_000_000
const crash = { code: 1, isStopped: false, at: NOW }

describe('restart policies', () => {
  test('weakness 09: a clean end, a crash and a stop are told apart', () => {
    const choose = (name: 'never' | 'on-failure' | 'always', code: number | null, isStopped: boolean) =>
      chooseRestart({ ...policy, policy: name }, { code, isStopped, at: NOW }, 0, [], NOW, 0.5).kind
    expect([choose('never', 1, false), choose('never', 0, false)]).toEqual(['none', 'none'])
    expect(choose('on-failure', 1, false)).toBe('wait')
    expect(choose('on-failure', null, false)).toBe('wait')
    expect(choose('on-failure', 0, false)).toBe('none')
    expect(choose('on-failure', 137, true)).toBe('none')
    expect(choose('always', 0, false)).toBe('wait')
    expect(choose('always', 143, true)).toBe('none')
  })

  test('waits grow to the longest, with a share that is random and never more than the whole', () => {
    const bare = { ...policy, jitter: 0 }
    expect([0, 1, 2, 3, 4, 9].map((n) => waitBefore(bare, n, 0.3))).toEqual([
      30_000, 60_000, 120_000, 240_000, 300_000, 300_000,
    ])
    fc.assert(
      fc.property(fc.nat(40), fc.double({ min: 0, max: 1, noNaN: true }), (tries, random) => {
        const whole = waitBefore(bare, tries, random)
        const wait = waitBefore({ ...policy, jitter: 0.2 }, tries, random)
        expect(wait).toBeLessThanOrEqual(whole)
        expect(wait).toBeGreaterThanOrEqual(whole * 0.8 - 1)
      }),
    )
  })

  test('tries count within a rolling window, and then it is given up, with the reason', () => {
    const tries = [NOW - 3_000_000, NOW - 2_000_000, NOW - 60_000]
    const given = chooseRestart(policy, crash, 0, tries, NOW, 0.5)
    expect(given).toMatchObject({ kind: 'give-up', reason: expect.stringContaining('3 times') })
    const rolled = chooseRestart(policy, { ...crash, at: NOW + 1_000_000 }, 0, tries, NOW + 1_000_000, 0.5)
    expect(rolled).toMatchObject({ kind: 'wait', tries: tries.slice(1) })
  })

  test('a run that went on for long begins the count anew', () => {
    const tries = [NOW - 900_000, NOW - 800_000, NOW - 700_000]
    expect(chooseRestart(policy, crash, 299_000, tries, NOW, 0.5).kind).toBe('give-up')
    expect(chooseRestart(policy, crash, 300_000, tries, NOW, 0.5)).toMatchObject({ kind: 'wait', tries: [] })
  })

  test('an end that nobody saw in time is told and not undone days later', () => {
    const old = { ...crash, at: NOW - 3_700_000 }
    expect(chooseRestart(policy, old, 0, [], NOW, 0.5)).toMatchObject({ kind: 'give-up' })
  })

  test('never more tries within a window than the definition allows', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 2_000_000 }), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 0, max: 5 }),
        (gaps, maxRetries) => {
          const own = { ...policy, maxRetries }
          let now = NOW
          let tries: readonly number[] = []
          const all: number[] = []
          for (const gap of gaps) {
            now += gap
            const choice = chooseRestart(own, { ...crash, at: now }, 0, tries, now, 0.5)
            if (choice.kind !== 'wait') continue
            now = choice.at
            tries = [...choice.tries, now]
            all.push(now)
          }
          for (const at of all) {
            const within = all.filter((other) => other > at - 3_600_000 + 300_000 && other <= at)
            expect(within.length).toBeLessThanOrEqual(maxRetries)
          }
        },
      ),
    )
  })
})
