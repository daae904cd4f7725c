import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { watchReplacement } from '../../../../src-main/bottles/supervise/own-files.ts'

describe('watchReplacement', () => {
  let dir: string
  let program: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'own-files-'))
    program = join(dir, 'program.js')
    await writeFile(program, 'one')
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  const replace = async () => {
    await writeFile(join(dir, 'next'), 'one')
    await rename(join(dir, 'next'), program)
  }

  it('sees nothing while the file stays', async () => {
    const isReplaced = watchReplacement([program])
    expect([await isReplaced(), await isReplaced()]).toEqual([false, false])
  })

  it('tells another file of the same content, once it is there twice in a row', async () => {
    const isReplaced = watchReplacement([program])
    await isReplaced()
    await replace()
    expect([await isReplaced(), await isReplaced()]).toEqual([false, true])
  })

  it('waits while the file is missing, and while it still changes', async () => {
    const isReplaced = watchReplacement([program])
    await isReplaced()
    await rm(program)
    expect([await isReplaced(), await isReplaced()]).toEqual([false, false])
    await replace()
    expect(await isReplaced()).toBe(false)
    await writeFile(program, 'longer')
    expect(await isReplaced()).toBe(false)
    expect(await isReplaced()).toBe(true)
  })
})
