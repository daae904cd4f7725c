import { expect, test, vi } from 'vitest'
import type { StatePatch, StateSnapshot } from '../../../../src-preload/contract/entities.ts'
import { failure, type Result } from '../../../../src-preload/contract/errors.ts'
import type { IceboxBridge } from '../../../../src-preload/contract/wire.ts'
import { createStore } from '../../../../src-renderer/state/create-store.ts'
import { emptyModel } from '../../../../src-renderer/state/model.ts'
import { type Link, startSync } from '../../../../src-renderer/state/sync.ts'
import { bottle, state } from '../../../support/renderer-rows.ts'

/** A bridge in the test's hands: it answers reads when told to, and sends what it is told to send. */
function handBridge() {
  const reads: ((result: Result<StateSnapshot>) => void)[] = []
  let patchListener: (patch: StatePatch) => void = () => {}
  let connectionListener: (isConnected: boolean) => void = () => {}
  const bridge: IceboxBridge = {
    call: () => new Promise((resolve) => reads.push(resolve as never)),
    on: (_event, listener) => {
      patchListener = listener as never
      return () => {}
    },
    open: () => ({ input() {}, resize() {}, ack() {}, close() {} }),
    onConnection: (listener) => {
      connectionListener = listener
      return () => {}
    },
  }
  const model = createStore(emptyModel)
  const link = createStore<Link>({ isConnected: true, lostAt: null, failure: null })
  const stop = startSync(bridge, model, link)
  return {
    model,
    link,
    reads,
    stop,
    send: (revision: number, slug: string) =>
      patchListener({ revision, changes: [{ entity: 'bottle', key: slug, value: bottle(slug) }] }),
    connect: (isConnected: boolean) => connectionListener(isConnected),
    async answer(snapshot: StateSnapshot) {
      const read = reads.shift()
      if (!read) throw new Error('nothing was read')
      read({ ok: true, value: snapshot })
      await Promise.resolve()
      await Promise.resolve()
    },
  }
}

const slugs = (hand: ReturnType<typeof handBridge>) => hand.model.get().bottleList.map((row) => row.slug)

test('patches that overtake the first read are applied after it', async () => {
  const hand = handBridge()
  hand.send(6, 'new')
  expect(hand.model.get().isLoaded).toBe(false)
  await hand.answer(state(5, [bottle('web')]))
  expect(slugs(hand)).toEqual(['web', 'new'])
  hand.stop()
})

test('a gap reads the state anew, and what came meanwhile is not lost', async () => {
  const hand = handBridge()
  await hand.answer(state(5, [bottle('web')]))
  hand.send(7, 'lost')
  await vi.waitFor(() => expect(hand.reads).toHaveLength(1))
  hand.send(8, 'later')
  await hand.answer(state(7, [bottle('web'), bottle('lost')]))
  await vi.waitFor(() => expect(slugs(hand)).toEqual(['web', 'lost', 'later']))
  expect(hand.reads).toHaveLength(0)
  hand.stop()
})

test('a burst is applied in few steps, and nothing of it is lost', async () => {
  const hand = handBridge()
  await hand.answer(state(0, []))
  let steps = 0
  hand.model.subscribe(() => {
    steps += 1
  })
  for (let revision = 1; revision <= 200; revision += 1) hand.send(revision, `b${revision}`)
  await vi.waitFor(() => expect(hand.model.get().bottles.size).toBe(200))
  expect(steps).toBeLessThan(20)
  hand.stop()
})

test('a lost connection is told with its time, and state is read again when it is back', async () => {
  const hand = handBridge()
  await hand.answer(state(1, [bottle('web')]))
  hand.connect(false)
  expect(hand.link.get()).toMatchObject({ isConnected: false, lostAt: expect.any(Number) })
  expect(slugs(hand)).toEqual(['web'])
  hand.connect(true)
  expect(hand.link.get()).toMatchObject({ isConnected: true, lostAt: null })
  await hand.answer(state(40, [bottle('api')]))
  expect(slugs(hand)).toEqual(['api'])
  hand.stop()
})

test('a state that can not be read is told and tried again', async () => {
  vi.useFakeTimers()
  const hand = handBridge()
  hand.reads.shift()?.({ ok: false, error: failure('internal') })
  await vi.advanceTimersByTimeAsync(0)
  expect(hand.link.get().failure?.code).toBe('internal')
  await vi.advanceTimersByTimeAsync(2000)
  expect(hand.reads).toHaveLength(1)
  hand.stop()
  vi.useRealTimers()
})
