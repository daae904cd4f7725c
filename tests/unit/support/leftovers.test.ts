import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { processesUnder } from '../../support/leftovers.ts'

test('finds a process by its working folder', async ({ skip }) => {
  skip(process.platform !== 'linux', 'reads /proc')
  const dir = await mkdtemp(join(tmpdir(), 'leftover-'))
  const child = spawn('sleep', ['300'], { cwd: dir })
  try {
    await new Promise((resolve) => child.once('spawn', resolve))
    expect((await processesUnder(dir)).map((found) => found.pid)).toEqual([child.pid])
  } finally {
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    expect(await processesUnder(dir)).toEqual([])
    await rm(dir, { recursive: true })
  }
})
