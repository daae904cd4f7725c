import { writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import {
  leaseHolder,
  mayTake,
  readLease,
  settledHolder,
  takeLease,
  watchLease,
} from '../../../../src-main/bottles/supervise/lease.ts'
import { ownIdentity } from '../../../../src-main/system/process-identity.ts'
import { testRoot } from '../../../support/test-root.ts'

describe('the lease', () => {
  test('an app goes before a detached process, equals leave each other alone, the dead hold nothing', async () => {
    const holder = { ...(await ownIdentity()), nonce: 'n' }
    const held = (kind: 'desktop' | 'serve' | 'detached') => ({ generation: 3, kind, holder, since: '' })
    expect(mayTake('detached', null, false)).toBe(true)
    expect(mayTake('detached', held('detached'), true)).toBe(false)
    expect(mayTake('serve', held('detached'), true)).toBe(true)
    expect(mayTake('desktop', held('serve'), true)).toBe(false)
    expect(mayTake('detached', held('desktop'), true)).toBe(false)
    expect(mayTake('detached', held('desktop'), false)).toBe(true)
    expect(mayTake('detached', { ...held('desktop'), holder: null }, false)).toBe(true)
  })

  test('weakness 07: every change of hands is a new generation, and the former holder is fenced off', async () => {
    const root = await testRoot()
    const first = await takeLease(root, 'detached')
    expect(await takeLease(root, 'detached')).toBeNull()
    expect(await first?.holds()).toBe(true)
    const second = await takeLease(root, 'serve')
    expect(second?.generation).toBeGreaterThan(first?.generation ?? 0)
    expect(await first?.holds()).toBe(false)
    // A late release by the former holder takes nothing from the new one.
    await first?.release()
    expect(await second?.holds()).toBe(true)
    await second?.release()
    expect(await leaseHolder(root)).toBeNull()
    const third = await takeLease(root, 'detached')
    expect(third?.generation).toBeGreaterThan(second?.generation ?? 0)
  })

  test('of many that want it at once one gets it', async () => {
    const root = await testRoot()
    const taken = await Promise.all(Array.from({ length: 12 }, () => takeLease(root, 'serve')))
    expect(taken.filter((lease) => lease !== null)).toHaveLength(1)
  })

  test('a dead holder is replaced at once', async () => {
    const root = await testRoot()
    const dead = { pid: 2 ** 22, startTime: '1', bootId: (await ownIdentity()).bootId, nonce: 'gone' }
    await writeFile(
      root.path('icebox', 'supervisor.json'),
      JSON.stringify({ generation: 41, kind: 'desktop', holder: dead, since: '' }),
    )
    expect(await settledHolder(root)).toBeNull()
    expect((await takeLease(root, 'detached'))?.generation).toBe(42)
  })

  test('a damaged file is nobody’s, and no generation is used twice', async () => {
    const root = await testRoot()
    const first = await takeLease(root, 'serve')
    await writeFile(root.path('icebox', 'supervisor.json'), '{')
    expect(await first?.holds()).toBe(false)
    const second = await takeLease(root, 'serve')
    expect(second?.generation).toBeGreaterThan(first?.generation ?? 0)
  })

  test('it is only given back if there is still nothing to do, and nobody can rely on it meanwhile', async () => {
    const root = await testRoot()
    const lease = await takeLease(root, 'detached')
    let asked: Promise<unknown> | undefined
    expect(
      await lease?.release(async () => {
        asked = settledHolder(root)
        return false
      }),
    ).toBe(false)
    expect(await asked).not.toBeNull()
    expect(
      await lease?.release(async () => {
        asked = settledHolder(root)
        return true
      }),
    ).toBe(true)
    // Whoever asked while it was decided learns what was decided.
    expect(await asked).toBeNull()
  })

  test('a change of hands is told', async () => {
    const root = await testRoot()
    await takeLease(root, 'detached')
    const stop = new AbortController()
    const told = new Promise<void>((resolve) => watchLease(root, resolve, stop.signal))
    const taken = await takeLease(root, 'serve')
    await told
    stop.abort()
    expect((await readLease(root))?.generation).toBe(taken?.generation)
  })
})
