import { expect, test } from 'vitest'
import { sessionPath } from '../../../src-main/shell/session-path.ts'

test('an app opened from the dock finds what a shell would, its own folders first', () => {
  expect(sessionPath('/usr/bin:/bin:/usr/sbin:/sbin', '/Users/me', 'darwin')).toBe(
    '/usr/bin:/bin:/usr/sbin:/sbin:/opt/homebrew/bin:/usr/local/bin:/opt/local/bin:/Users/me/.orbstack/bin:/Users/me/.docker/bin:/Users/me/.local/bin',
  )
})

test('no folder is named twice, none is empty: an empty one would be the folder of the moment', () => {
  const path = sessionPath('/snap/bin::/usr/local/bin:', '/home/me', 'linux')
  expect(path).toBe('/snap/bin:/usr/local/bin:/home/me/.local/bin:/home/me/bin')
  expect(sessionPath(undefined, '/home/me', 'linux').startsWith('/usr/bin:/bin:')).toBe(true)
  expect(sessionPath('', '/home/me', 'linux')).not.toMatch(/^:|::|:$/)
})
