import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { runChild } from '../../support/child.ts'

async function isGone(pid: number): Promise<boolean> {
  for (let left = 100; left > 0; left--) {
    try {
      process.kill(pid, 0)
    } catch {
      return true
    }
    await sleep(50)
  }
  return false
}

test('collects output and the exit code', async () => {
  const result = await runChild('sh', ['-c', 'echo out; echo err >&2; exit 7'], { timeout: 10_000 })
  expect(result).toMatchObject({ exitCode: 7, timedOut: false })
  expect(result.output).toContain('out')
  expect(result.output).toContain('err')
})

test('a timeout ends grandchildren too', async () => {
  const result = await runChild('sh', ['-c', 'sleep 300 & echo $!; wait'], { timeout: 300 })
  expect(result.timedOut).toBe(true)
  expect(await isGone(Number(result.output))).toBe(true)
})

test('an abort ends it', async () => {
  const stopper = new AbortController()
  const running = runChild('sleep', ['300'], { timeout: 60_000, signal: stopper.signal })
  stopper.abort()
  expect(await running).toMatchObject({ exitCode: null, timedOut: false })
})

test('a missing program rejects', async () => {
  await expect(runChild('/no/such/program', [], { timeout: 1000 })).rejects.toThrow('ENOENT')
})
