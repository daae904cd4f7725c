import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planRetention, type Retention } from '../../../src-main/snapshots/plan-retention.ts'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { sampleSnapshot } from '../../support/samples.ts'

const NOW = new Date('2026-11-21T12:00:00Z')
const HOUR = 3_600_000
const NONE: Retention = { last: 0, hourly: 0, daily: 0, weekly: 0 }

function at(time: string, over: Partial<Snapshot> = {}): Snapshot {
  const stamp = new Date(time).toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')
  return sampleSnapshot({
    id: `${stamp}-${over.id ?? 'aaaa'}`,
    ...over,
    ...(over.id ? { id: `${stamp}-${over.id}` } : {}),
    createdAt: new Date(time).toISOString(),
  })
}

const plan = (
  snapshots: readonly Snapshot[],
  policy: Partial<Retention>,
  protect = new Map<string, string>(),
) => planRetention(snapshots, { ...NONE, ...policy }, NOW, protect)
const idsOf = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id).sort()

describe('retention', () => {
  test('the newest stays whatever the policy says', () => {
    const only = at('2026-11-20T10:00:00Z')
    expect(plan([only], {}).drop).toEqual([])
    expect(idsOf(plan([only, at('2026-11-19T10:00:00Z')], {}).keep)).toEqual([only.id])
    expect(plan([], { last: 3 })).toEqual({ keep: [], drop: [] })
  })

  test('of an hour, day and week the newest stays, of as many as have any', () => {
    const all = [
      '2026-11-02T09:00:00Z',
      '2026-11-09T09:00:00Z',
      '2026-11-09T09:10:00Z',
      '2026-11-18T10:00:00Z',
      '2026-11-18T23:00:00Z',
      '2026-11-21T08:01:00Z',
      '2026-11-21T08:59:00Z',
      '2026-11-21T10:30:00Z',
    ].map((time) => at(time))
    const left = (policy: Partial<Retention>) => idsOf(plan(all, policy).keep).map((id) => id.slice(4, 13))
    expect(left({ hourly: 2 })).toEqual(['1121T0859', '1121T1030'])
    expect(left({ daily: 3 })).toEqual(['1109T0910', '1118T2300', '1121T1030'])
    expect(left({ weekly: 3 })).toEqual(['1102T0900', '1109T0910', '1121T1030'])
    expect(left({ last: 2, weekly: 2 })).toEqual(['1109T0910', '1121T0859', '1121T1030'])
  })

  test('a week begins on Monday', () => {
    const [sunday, monday] = [at('2026-11-15T23:59:00Z'), at('2026-11-16T00:00:00Z')]
    expect(plan([sunday, monday], { weekly: 2 }).drop).toEqual([])
    expect(idsOf(plan([monday, at('2026-11-20T11:00:00Z')], { weekly: 2 }).keep)).toHaveLength(1)
  })

  test('what people marked, what is needed and what is not certain stays', () => {
    const newest = at('2026-11-21T11:00:00Z')
    const old = '2026-10-01T00:00:00Z'
    const proof = { at: old, check: null, detail: '' }
    const kept = [
      at(old, { id: 'pinn', pinned: true }),
      at(old, { id: 'labl', label: 'v1' }),
      at(old, { id: 'dout', status: 'in-doubt' }),
      at('2026-09-01T00:00:00Z', { id: 'prov', verified: { ...proof, outcome: 'passed' } }),
      at(old, { id: 'need' }),
    ]
    const dropped = [
      at(old, { id: 'plai', note: 'a note' }),
      at(old, { id: 'fail', verified: { ...proof, outcome: 'failed' } }),
      at('2026-08-01T00:00:00Z', { id: 'olde', verified: { ...proof, outcome: 'passed' } }),
    ]
    const needed = kept.at(-1)?.id ?? ''
    const found = plan([newest, ...kept, ...dropped], {}, new Map([[needed, 'a run began with it']]))
    expect(idsOf(found.drop)).toEqual(idsOf(dropped))
    expect(found.keep.find(({ id }) => id === needed)?.reason).toBe('a run began with it')
  })

  test('a time ahead of now is left alone', () => {
    const ahead = { ...at('2026-11-21T11:00:00Z', { id: 'ahea' }), createdAt: '2027-01-01T00:00:00.000Z' }
    expect(plan([ahead, at('2026-11-21T11:30:00Z')], {}).drop).toEqual([])
  })

  test('any snapshots: nothing is in both lists, more policy never drops more, doing it again drops nothing', () => {
    const snapshots = fc
      .uniqueArray(fc.integer({ min: 0, max: 3000 }), { maxLength: 40 })
      .map((ages) =>
        ages.map((age, index) =>
          at(new Date(NOW.getTime() - age * HOUR).toISOString(), { id: String(index).padStart(4, '0') }),
        ),
      )
    const policies = fc.record({ last: fc.nat(5), hourly: fc.nat(5), daily: fc.nat(5), weekly: fc.nat(5) })
    fc.assert(
      fc.property(snapshots, policies, (all, policy) => {
        const { keep, drop } = plan(all, policy)
        expect([...idsOf(keep), ...idsOf(drop)].sort()).toEqual(idsOf(all))
        expect(keep.length > 0 || all.length === 0).toBe(true)
        const more = plan(all, { ...policy, daily: policy.daily + 1 })
        for (const { id } of more.drop) expect(idsOf(drop)).toContain(id)
        const left = all.filter(({ id }) => idsOf(keep).includes(id))
        expect(plan(left, policy).drop).toEqual([])
      }),
    )
  })
})
