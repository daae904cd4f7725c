import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { lockHolder, takeLock } from '../../src-main/state/lock.ts'
import type { StateRoot } from '../../src-main/state/root.ts'
import { testRoot } from '../support/test-root.ts'

const CONTENDER = join(import.meta.dirname, '../support/lock-contender.ts')

function contend(root: StateRoot, rounds: number, dieAt = 0): ChildProcess {
  const args = [CONTENDER, root.dir, String(rounds), String(dieAt)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function endOf(child: ChildProcess): Promise<number | string> {
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return code ?? signal ?? 'unknown'
}

async function textOf(root: StateRoot, name: string): Promise<string> {
  return readFile(root.path(name), 'utf8').catch(() => '')
}

async function readLedger(root: StateRoot): Promise<readonly number[]> {
  return (await textOf(root, 'ledger')).trim().split('\n').map(Number.parseFloat)
}

test('processes that count under the lock lose no count, whichever of them are killed while holding it', async () => {
  const root = await testRoot()
  await writeFile(root.path('counter'), '0')
  const survivors = Array.from({ length: 5 }, () => contend(root, 12))
  const doomed = [1, 2, 5, 9].map((dieAt) => contend(root, 12, dieAt))
  const ends = await Promise.all([...survivors, ...doomed].map(endOf))
  expect(ends).toEqual([0, 0, 0, 0, 0, 'SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGKILL'])
  expect(await textOf(root, 'violations')).toBe('')
  // The doomed ended before they wrote in their last round, so every number is there once and in order.
  const expected = 5 * 12 + (0 + 1 + 4 + 8)
  expect(await readLedger(root)).toEqual(Array.from({ length: expected }, (_, n) => n + 1))
  expect(await textOf(root, 'counter')).toBe(String(expected))
  // The last holder may be one of the dead; the next to come takes over and leaves nothing behind.
  await (await takeLock(root, 'web', { operation: 'look', waitMs: 0 }))()
  expect(await readdir(root.path('icebox', 'locks'))).toEqual([])
}, 240_000)

test('processes killed at any moment, also while they rescue, stop no other', async () => {
  const root = await testRoot()
  await writeFile(root.path('counter'), '0')
  const survivors = Array.from({ length: 3 }, () => contend(root, 15))
  const ends = Promise.all(survivors.map(endOf))
  let seen = 0
  for (let kill = 0; kill < 6; kill++) {
    const victim = contend(root, 1000)
    const ended = endOf(victim)
    // Each victim takes part for some turns of everybody, so that kills fall on waiting, holding and rescuing.
    await vi.waitFor(
      async () => {
        const now = (await readLedger(root)).length
        expect((await textOf(root, 'ledger')).includes(` ${victim.pid}\n`)).toBe(true)
        expect(now).toBeGreaterThan(seen + kill)
        seen = now
      },
      { timeout: 120_000, interval: 7 },
    )
    victim.kill('SIGKILL')
    expect(await ended).toBe('SIGKILL')
  }
  expect(await ends).toEqual([0, 0, 0])
  expect(await textOf(root, 'violations')).toBe('')
  // A kill between counter and ledger leaves a gap, and one before the counter nothing; a number never comes twice.
  const ledger = await readLedger(root)
  expect(new Set(ledger).size).toBe(ledger.length)
  expect(Number(await textOf(root, 'counter')) - ledger.length).toBeLessThanOrEqual(6)
  expect(await lockHolder(root, 'web')).toBeNull()
}, 240_000)
