import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type LockHolder, lockHolder, takeLock, withLock } from '../../../src-main/state/lock.ts'
import type { StateRoot } from '../../../src-main/state/root.ts'
import { identityOf, ownIdentity, type ProcessIdentity } from '../../../src-main/system/process-identity.ts'
import { testRoot } from '../../support/test-root.ts'

const lockPath = (root: StateRoot, name = 'web') => root.path('icebox', 'locks', `${name}.lock`)
const entries = (root: StateRoot) => readdir(root.path('icebox', 'locks'))

function holderOf(identity: ProcessIdentity, operation = 'freeze'): LockHolder {
  return { ...identity, token: `token-${identity.pid}`, operation, since: '2026-11-21T07:45:00.000Z' }
}

async function put(root: StateRoot, file: string, content: unknown): Promise<void> {
  await mkdir(root.path('icebox', 'locks'), { recursive: true })
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
}

/** A process of ours that lives until the test ends it. */
async function sleeper() {
  const child = spawn('sleep', ['60'])
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  const identity = await identityOf(child.pid ?? 0)
  if (!identity) throw new Error('the helper process did not start')
  const end = async () => {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  return { identity, end }
}

describe('a lock', () => {
  test('is held by one at a time, in this process too, and leaves nothing behind', async () => {
    const root = await testRoot()
    let inside = 0
    let most = 0
    const section = () =>
      withLock(root, 'web', { operation: 'count', waitMs: 20_000 }, async () => {
        inside += 1
        most = Math.max(most, inside)
        await readdir(root.dir)
        inside -= 1
      })
    await Promise.all(Array.from({ length: 12 }, section))
    expect(most).toBe(1)
    expect(await entries(root)).toEqual([])
  })

  test('of one name does not hinder another, though one name begins the other', async () => {
    const root = await testRoot()
    const options = { operation: 'freeze', waitMs: 0 }
    const releases = [await takeLock(root, 'web', options), await takeLock(root, 'web-1', options)]
    for (const release of releases) await release()
  })

  test('that is taken says busy with operation, time and pid', async () => {
    const root = await testRoot()
    const release = await takeLock(root, 'web', { operation: 'resume' })
    const failed = await takeLock(root, 'web', { operation: 'freeze', waitMs: 0 }).catch((error) => error)
    expect(failed).toMatchObject({ code: 'busy', slug: 'web', retryable: true })
    expect(failed.message).toContain(`by pid ${process.pid}`)
    expect(failed.message).toMatch(/resume in progress since 20\d\d-/)
    expect(await lockHolder(root, 'web')).toMatchObject({ operation: 'resume', pid: process.pid })
    await release()
    expect(await lockHolder(root, 'web')).toBeNull()
  })

  test('is released after a failure, and the failure goes on', async () => {
    const root = await testRoot()
    const failing = withLock(root, 'web', { operation: 'freeze' }, () => Promise.reject(new Error('inner')))
    await expect(failing).rejects.toThrow('inner')
    expect(await entries(root)).toEqual([])
  })

  test('waiting for it ends with the signal', async () => {
    const root = await testRoot()
    const release = await takeLock(root, 'web', { operation: 'resume' })
    const stop = new AbortController()
    const waiting = takeLock(root, 'web', { operation: 'freeze', waitMs: 60_000, signal: stop.signal })
    stop.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
    await release()
    await expect(
      takeLock(root, 'web', { operation: 'freeze', signal: AbortSignal.abort('any reason') }),
    ).rejects.toMatchObject({ code: 'cancelled' })
    expect(await entries(root)).toEqual([])
  })

  test('a late release does not take away the lock of the next holder', async () => {
    const root = await testRoot()
    const release = await takeLock(root, 'web', { operation: 'freeze' })
    const next = holderOf(await ownIdentity(), 'resume')
    await put(root, lockPath(root), next)
    await release()
    expect(await lockHolder(root, 'web')).toEqual(next)
  })
})

describe('a lock that somebody left', () => {
  test('is taken over once its holder is dead, not before', async () => {
    const root = await testRoot()
    const { identity, end } = await sleeper()
    await put(root, lockPath(root), holderOf(identity))
    await expect(takeLock(root, 'web', { operation: 'stop', waitMs: 0 })).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringContaining(`${identity.pid}`),
    })
    await end()
    const release = await takeLock(root, 'web', { operation: 'stop', waitMs: 0 })
    expect(await lockHolder(root, 'web')).toMatchObject({ operation: 'stop', pid: process.pid })
    await release()
    expect(await entries(root)).toEqual([])
  })

  test.each([
    ['its pid is used again by another process', { startTime: '1' }],
    ['the machine was restarted', { bootId: 'another boot' }],
    ['there is no such process', { pid: 2 ** 22 + 1 }],
  ])('is taken over when %s', async (_why, over) => {
    const root = await testRoot()
    await put(root, lockPath(root), holderOf({ ...(await ownIdentity()), ...over }))
    expect(await lockHolder(root, 'web')).toBeNull()
    const release = await takeLock(root, 'web', { operation: 'freeze', waitMs: 0 })
    await release()
  })

  test.each(['', '{"pid": 12', '[]', '\0\0\0\0'])('holding %j is a ruin only after a while', async (text) => {
    const root = await testRoot()
    await put(root, lockPath(root), text)
    await expect(takeLock(root, 'web', { operation: 'freeze', waitMs: 0 })).rejects.toMatchObject({
      code: 'busy',
    })
    expect(await readFile(lockPath(root), 'utf8')).toBe(text)
    const old = new Date(Date.now() - 10_000)
    await utimes(lockPath(root), old, old)
    const release = await takeLock(root, 'web', { operation: 'freeze', waitMs: 0 })
    await release()
  })

  test('and that a clock set back puts into the future is a ruin too', async () => {
    const root = await testRoot()
    await put(root, lockPath(root), '')
    const far = new Date(Date.now() + 86_400_000)
    await utimes(lockPath(root), far, far)
    const release = await takeLock(root, 'web', { operation: 'freeze', waitMs: 0 })
    await release()
  })

  test('is left to a living rescuer, within the time to wait', async () => {
    const root = await testRoot()
    const { identity, end } = await sleeper()
    const dead = { ...(await ownIdentity()), startTime: '1' }
    await put(root, lockPath(root), holderOf(dead))
    await put(root, root.path('icebox', 'locks', 'web.claim.theirs'), holderOf(identity))
    await expect(takeLock(root, 'web', { operation: 'freeze', waitMs: 0 })).rejects.toMatchObject({
      code: 'busy',
    })
    expect(await readFile(lockPath(root), 'utf8')).toContain('"startTime":"1"')
    await end()
    const release = await takeLock(root, 'web', { operation: 'freeze', waitMs: 0 })
    await release()
    expect(await entries(root)).toEqual([])
  })

  test('a rescue clears what dead contenders dropped, and nothing of the living or of other names', async () => {
    const root = await testRoot()
    const own = await ownIdentity()
    const dead = holderOf({ ...own, startTime: '1' })
    const at = (name: string) => root.path('icebox', 'locks', name)
    await put(root, lockPath(root), dead)
    await put(root, at('web.lock.gone.tmp'), dead)
    await put(root, at('web.claim.gone'), dead)
    await put(root, at('web.lock.alive.tmp'), holderOf(own))
    await put(root, at('web-1.lock.gone.tmp'), dead)
    const release = await takeLock(root, 'web', { operation: 'freeze', waitMs: 0 })
    await release()
    expect((await entries(root)).sort()).toEqual(['web-1.lock.gone.tmp', 'web.lock.alive.tmp'])
  })
})
