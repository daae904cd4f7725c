import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { clearIntent, type Intent, readIntent, writeIntent } from '../../../src-main/state/intent.ts'
import { isAlive } from '../../../src-main/system/process-identity.ts'
import { sampleRef, sampleSnapshot } from '../../support/samples.ts'
import { testRoot } from '../../support/test-root.ts'

const INTENT: Intent = {
  op: 'freeze',
  runId: 'run1',
  previous: null,
  runtime: sampleRef(),
  snapshotId: sampleSnapshot().id,
  target: sampleSnapshot().reference,
  draft: sampleSnapshot(),
  launch: undefined,
}

describe('an intent', () => {
  test('comes back as written, with the process that wrote it', async () => {
    const root = await testRoot()
    await mkdir(root.path('state', 'web'))
    await writeIntent(root, 'web', INTENT)
    const read = await readIntent(root, 'web')
    expect(read).toMatchObject({ version: 1, ...INTENT, by: { pid: process.pid } })
    if (read === null || read === 'corrupt') throw new Error('no intent')
    expect(await isAlive(read.by)).toBe(true)
    await clearIntent(root, 'web')
    await clearIntent(root, 'web')
    expect(await readIntent(root, 'web')).toBeNull()
    expect(await readdir(root.path('state', 'web'))).toEqual([])
  })

  test.each(['', '{', '[]', '{}', '{"op":"freeze"}', '{"op":7,"by":{}}'])('%j is corrupt', async (text) => {
    const root = await testRoot()
    await mkdir(root.path('state', 'web'))
    await writeFile(root.path('state', 'web', 'intent.json'), text)
    expect(await readIntent(root, 'web')).toBe('corrupt')
  })

  test('references that name nothing are read as none', async () => {
    const root = await testRoot()
    await mkdir(root.path('state', 'web'))
    const text = JSON.stringify({ op: 'resume', by: {}, runtime: 'c1', previous: { id: 'c2' } })
    await writeFile(root.path('state', 'web', 'intent.json'), text)
    expect(await readIntent(root, 'web')).toMatchObject({
      runtime: null,
      previous: { id: 'c2', backend: 'docker', volumes: [], sidecars: [], facts: {} },
    })
  })

  test('is never written into a bottle that is gone', async () => {
    const root = await testRoot()
    await expect(writeIntent(root, 'web', INTENT)).rejects.toThrow()
    expect(await readdir(root.path('state'))).toEqual([])
    await clearIntent(root, 'web')
  })
})
