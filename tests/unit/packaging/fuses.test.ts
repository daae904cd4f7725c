import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeBinary } from '../../support/packaging/fake-electron.ts'
import { wrongFuses } from '../../support/packaging/fuses.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'icebox-fuses-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

async function found(wire: string): Promise<string[]> {
  const file = join(dir, `binary-${wire}`)
  await writeFile(file, fakeBinary(wire))
  return wrongFuses(file)
}

test('a binary as configured passes', async () => {
  expect(await found('000011001')).toEqual([])
})

test('every fuse that is not as configured is named', async () => {
  expect(await found('101100011')).toEqual([
    'runAsNode is ENABLE, not DISABLE',
    'enableNodeOptionsEnvironmentVariable is ENABLE, not DISABLE',
    'enableNodeCliInspectArguments is ENABLE, not DISABLE',
    'enableEmbeddedAsarIntegrityValidation is DISABLE, not ENABLE',
    'onlyLoadAppFromAsar is DISABLE, not ENABLE',
    'grantFileProtocolExtraPrivileges is ENABLE, not DISABLE',
  ])
})

test('a wire too short for a fuse lacks it', async () => {
  expect(await found('00001')).toContain('onlyLoadAppFromAsar is absent, not ENABLE')
})

test('a program that is no Electron is an error', async () => {
  const file = join(dir, 'other')
  await writeFile(file, 'a program')
  await expect(wrongFuses(file)).rejects.toThrow('sentinel')
})
