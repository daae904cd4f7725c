import { mkdir, rm, writeFile } from 'node:fs/promises'
import { expect, test, vi } from 'vitest'
import type { ArtifactDeps } from '../../../../src-main/bottles/artifact-deps.ts'
import { leaseHolder, watchLease } from '../../../../src-main/bottles/supervise/lease.ts'
import { pause } from '../../../../src-main/bottles/supervise/pause.ts'
import {
  type SuperviseOptions,
  superviseRoot,
} from '../../../../src-main/bottles/supervise/supervise-root.ts'
import { systemClock } from '../../../../src-main/bottles/supervise/wheel.ts'
import type { StateRoot } from '../../../../src-main/state/root.ts'
import { ownIdentity } from '../../../../src-main/system/process-identity.ts'
import { testRoot } from '../../../support/test-root.ts'

const watches = vi.hoisted(() => ({ areLeft: true }))
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  const watch: typeof fs.watch = ((...args: Parameters<typeof fs.watch>) => {
    if (!watches.areLeft) throw Object.assign(new Error('ENOSPC: watch'), { code: 'ENOSPC' })
    return fs.watch(...args)
  }) as typeof fs.watch
  return { ...fs, watch }
})

/** Supervision of a root without bottles. */
function supervise(root: StateRoot, options: Partial<SuperviseOptions>, onWatch?: () => void) {
  const bottles = {
    freeze: () => Promise.reject(new Error('not here')),
    restart: () => Promise.reject(new Error('not here')),
    waitForExit: () => Promise.reject(new Error('not here')),
    async *watch(signal: AbortSignal) {
      onWatch?.()
      await pause(systemClock, 3_600_000, signal)
      yield null
    },
  }
  const services = { root, env: {} } as unknown as ArtifactDeps
  const ending = new AbortController()
  const warnings: unknown[] = []
  const done = superviseRoot(services, bottles, {
    kind: 'serve',
    warn: (error) => warnings.push(error),
    ...options,
    signal: ending.signal,
  })
  return { done, ending, warnings }
}

test('where the system has no watch left, the lease is watched by the clock, and given back at the end', async () => {
  const root = await testRoot()
  watches.areLeft = false
  try {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const stop = new AbortController()
    const told = vi.fn()
    watchLease(root, told, stop.signal)
    vi.advanceTimersByTime(10_000)
    stop.abort()
    vi.advanceTimersByTime(60_000)
    expect(told).toHaveBeenCalledTimes(1)
    vi.useRealTimers()
    const armed = Promise.withResolvers<void>()
    const { done, ending, warnings } = supervise(root, {
      onChange: (generation) => generation !== null && armed.resolve(),
    })
    await Promise.race([armed.promise, done])
    expect((await leaseHolder(root))?.kind).toBe('serve')
    ending.abort()
    expect(await done).toBe(0)
    expect(warnings).toEqual([])
    expect(await leaseHolder(root)).toBeNull()
  } finally {
    vi.useRealTimers()
    watches.areLeft = true
  }
})

test('an app that can not take the lease tells so and tries again; a detached one ends', async () => {
  const root = await testRoot()
  const blocked = root.path('icebox', 'supervisor.json')
  await mkdir(`${blocked}/in-the-way`, { recursive: true })
  const waits: number[] = []
  const armed = Promise.withResolvers<void>()
  const clock = {
    now: () => Date.now(),
    after: (ms: number, run: () => void) => {
      waits.push(ms)
      void rm(blocked, { recursive: true }).then(run)
      return () => undefined
    },
  }
  await expect(supervise(root, { kind: 'detached' }).done).rejects.toThrow()
  const { done, ending, warnings } = supervise(root, {
    clock,
    onChange: (generation) => generation !== null && armed.resolve(),
  })
  await Promise.race([armed.promise, done])
  expect(waits).toEqual([5000])
  expect(warnings).toHaveLength(1)
  ending.abort()
  await done
})

test('an app that ends before it has looked at every bottle hands over, as nobody knows what runs', async () => {
  const root = await testRoot()
  const dead = { pid: 2 ** 22, startTime: '1', bootId: (await ownIdentity()).bootId, nonce: 'gone' }
  await writeFile(
    root.path('icebox', 'supervisor.json'),
    JSON.stringify({ generation: 1, kind: 'detached', holder: dead, since: '' }),
  )
  const { done, ending } = supervise(root, {}, () => ending.abort())
  expect(await done).toBe(1)
})

test('one that can follow the bottles no more gives the lease back', async () => {
  const root = await testRoot()
  const lost = Promise.withResolvers<void>()
  const onChange = (generation: number | null) => generation === null && lost.resolve()
  const { done, ending, warnings } = supervise(root, { onChange }, () => {
    throw new Error('no watch')
  })
  await lost.promise
  expect(String(warnings[0])).toContain('no watch')
  expect(await leaseHolder(root)).toBeNull()
  ending.abort()
  expect(await done).toBe(1)
})
