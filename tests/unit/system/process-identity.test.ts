import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { identityOf, isAlive, ownIdentity, startTimeOf } from '../../../src-main/system/process-identity.ts'
import { tempFolder } from '../../support/test-root.ts'

test('this process lives, under the same identity each time', async () => {
  const own = await ownIdentity()
  expect(own.pid).toBe(process.pid)
  expect(await identityOf(process.pid)).toEqual(own)
  expect(await isAlive(own)).toBe(true)
})

test('another start time or another boot is another process', async () => {
  const own = await ownIdentity()
  expect(await isAlive({ ...own, startTime: `${own.startTime}0` })).toBe(false)
  expect(await isAlive({ ...own, bootId: 'another' })).toBe(false)
})

test('a child lives until it is ended; its name may look like the state of a zombie', async () => {
  const program = join(await tempFolder(), 'a) Z (b')
  await writeFile(program, '#!/bin/sh\necho ready; read line\n', { mode: 0o755 })
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'ignore'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const identity = await identityOf(child.pid ?? 0)
  if (!identity) throw new Error('not found')
  expect(await isAlive(identity)).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'close')
  expect(await isAlive(identity)).toBe(false)
  expect(await startTimeOf(identity.pid)).toBeUndefined()
})
