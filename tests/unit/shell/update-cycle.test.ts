import { describe, expect, test, vi } from 'vitest'
import type { UpdateAnswer, UpdateEvent, UpdateState } from '../../../src-main/menus/update-state.ts'
import { createUpdates, type UpdateParts } from '../../../src-main/shell/update-cycle.ts'

/** A cycle whose waits end when the test says so, and whose updater does what the test says. */
function setUp(other: Partial<UpdateParts> = {}, first: UpdateState = { is: 'idle' }) {
  const stop = new AbortController()
  const waits: { readonly ms: number; readonly end: () => void }[] = []
  const told: { send: (event: UpdateEvent) => void } = { send: () => {} }
  const check = vi.fn(async () => {})
  const quitAndInstall = vi.fn()
  const announce = vi.fn<(answer: UpdateAnswer) => void>()
  const show = vi.fn(async (_answer: UpdateAnswer) => false)
  const load = vi.fn(async (send: (event: UpdateEvent) => void) => {
    told.send = send
    return { check, quitAndInstall }
  })
  const mayEnd = vi.fn(async () => true)
  const updates = createUpdates({
    first,
    version: '1.0.0',
    load,
    show,
    announce,
    mayEnd,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        waits.push({ ms, end: resolve })
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
    random: () => 0,
    warn: (error) => {
      throw error
    },
    signal: stop.signal,
    ...other,
  })
  return { updates, waits, told, check, quitAndInstall, announce, show, load, mayEnd, stop }
}

describe('by itself', () => {
  test('looks after a while, loads, and tells once without a dialog', async () => {
    const { waits, told, check, announce, show, load, updates } = setUp()
    expect(load).not.toHaveBeenCalled()
    expect(waits.map(({ ms }) => ms)).toEqual([30_000])
    waits[0]?.end()
    await vi.waitFor(() => expect(waits).toHaveLength(2))
    expect(check).toHaveBeenCalledOnce()
    told.send({ event: 'found', version: '2.0.0' })
    told.send({ event: 'loaded', version: '2.0.0' })
    told.send({ event: 'loaded', version: '2.0.0' })
    expect(updates.state()).toEqual({ is: 'ready', version: '2.0.0' })
    expect(announce).toHaveBeenCalledOnce()
    expect(show).not.toHaveBeenCalled()
    // There is one already: nothing more to look for.
    waits[1]?.end()
    await vi.waitFor(() => expect(waits).toHaveLength(3))
    expect(check).toHaveBeenCalledOnce()
  })

  test('a failure is quiet, and the next look begins anew', async () => {
    const { waits, check, announce, show, load, updates } = setUp()
    check.mockRejectedValueOnce(new Error('no network'))
    waits[0]?.end()
    await vi.waitFor(() => expect(updates.state()).toEqual({ is: 'failed', reason: 'no network' }))
    await vi.waitFor(() => expect(waits).toHaveLength(2))
    waits[1]?.end()
    await vi.waitFor(() => expect(load).toHaveBeenCalledTimes(2))
    expect(announce).not.toHaveBeenCalled()
    expect(show).not.toHaveBeenCalled()
  })

  test('never, where there are no updates', () => {
    const { waits, load } = setUp({}, { is: 'off', why: 'no-source' })
    expect(waits).toEqual([])
    expect(load).not.toHaveBeenCalled()
  })

  test('ends with the app, and that is no failure', async () => {
    const warn = vi.fn()
    const { stop } = setUp({ warn })
    stop.abort()
    await new Promise(setImmediate)
    expect(warn).not.toHaveBeenCalled()
  })
})

describe('by hand', () => {
  test('says why there are none, without loading anything', async () => {
    const { updates, show, load } = setUp({}, { is: 'off', why: 'package' })
    await updates.checkByHand()
    expect(load).not.toHaveBeenCalled()
    expect(show).toHaveBeenCalledWith(
      expect.objectContaining({ message: 'Icebox does not look for updates' }),
    )
  })

  test('tells that there is nothing newer', async () => {
    const { updates, show, check, told } = setUp()
    check.mockImplementationOnce(async () => told.send({ event: 'none' }))
    await updates.checkByHand()
    expect(show).toHaveBeenCalledWith(expect.objectContaining({ detail: '1.0.0 is the newest version.' }))
  })

  test('waits for a look that is on its way', async () => {
    const { updates, show, check, told, waits } = setUp()
    let end = () => {}
    check.mockImplementationOnce(() => new Promise((resolve) => (end = () => resolve())))
    waits[0]?.end()
    await vi.waitFor(() => expect(check).toHaveBeenCalledOnce())
    const asked = updates.checkByHand()
    told.send({ event: 'none' })
    expect(show).not.toHaveBeenCalled()
    end()
    await asked
    expect(show).toHaveBeenCalledWith(expect.objectContaining({ message: 'Icebox is up to date' }))
    expect(check).toHaveBeenCalledOnce()
  })

  test('installs only after the question of what runs was answered', async () => {
    const { updates, show, check, told, mayEnd, quitAndInstall, announce } = setUp()
    check.mockImplementationOnce(async () => told.send({ event: 'loaded', version: '2.0.0' }))
    show.mockResolvedValue(true)
    mayEnd.mockResolvedValueOnce(false)
    await updates.checkByHand()
    expect(quitAndInstall).not.toHaveBeenCalled()
    await updates.checkByHand()
    expect(mayEnd).toHaveBeenCalledTimes(2)
    expect(quitAndInstall).toHaveBeenCalledOnce()
    expect(announce).not.toHaveBeenCalled()
  })

  test('later means later', async () => {
    const { updates, check, told, mayEnd } = setUp()
    check.mockImplementationOnce(async () => told.send({ event: 'loaded', version: '2.0.0' }))
    await updates.checkByHand()
    expect(mayEnd).not.toHaveBeenCalled()
  })

  test('a second wish while the first is being answered does nothing', async () => {
    const { updates, show } = setUp({}, { is: 'off', why: 'package' })
    await Promise.all([updates.checkByHand(), updates.checkByHand()])
    expect(show).toHaveBeenCalledOnce()
  })
})
