import { expect, test } from 'vitest'
import { type AskedMount, folderOf } from '../../../../src-main/backends/docker/mounted-workspace.ts'

const bind = (Source: string, Target: string, ReadOnly = false): AskedMount => ({
  Type: 'bind',
  Source,
  Target,
  ReadOnly,
})
const volume: AskedMount = { Type: 'volume', Source: 'v', Target: '/workspace/sub' }

test.each([
  ['/workspace', [bind('/home/me/p', '/workspace')], '/home/me/p'],
  ['/workspace/in/it', [bind('/home/me/p', '/workspace/')], '/home/me/p/in/it'],
  ['/workspace', [bind('/home/me', '/'), bind('/home/me/p', '/workspace')], '/home/me/p'],
  ['/workspace', [bind('/home/me/p', '/work')], null],
  ['/workspace', [bind('/home/me/p', '/workspace/sub')], null],
  ['/workspace', [bind('/home/me/p', '/workspace', true)], null],
  ['/workspace/sub', [bind('/home/me/p', '/workspace'), volume], null],
  ['/', [], null],
])('where a run works on this machine: %s', (workdir, mounts, folder) => {
  expect(folderOf(workdir, mounts)).toBe(folder)
})
