import { expect, test } from 'vitest'
import { autostartEntry, autostartPath, isAutostartOn } from '../../../src-main/shell/autostart-entry.ts'

test('it lies where the session looks', () => {
  expect(autostartPath({}, '/home/me')).toBe('/home/me/.config/autostart/icebox.desktop')
  expect(autostartPath({ XDG_CONFIG_HOME: '/cfg' }, '/home/me')).toBe('/cfg/autostart/icebox.desktop')
  expect(autostartPath({ XDG_CONFIG_HOME: 'cfg' }, '/home/me')).toBe(
    '/home/me/.config/autostart/icebox.desktop',
  )
})

test('any path is one word of its command line', () => {
  const line = (path: string) => autostartEntry([path]).match(/^Exec=(.*)$/m)?.[1]
  expect(line('/opt/Ice box/icebox')).toBe('"/opt/Ice box/icebox" "--at-login"')
  expect(line('/opt/50%/a"b')).toBe('"/opt/50%%/a\\\\"b" "--at-login"')
  expect(line('/opt/$HOME/`x`')).toBe('"/opt/\\\\$HOME/\\\\`x\\\\`" "--at-login"')
  expect(line('/opt/back\\slash')).toBe('"/opt/back\\\\\\\\slash" "--at-login"')
})

test('what a person switched off in it is off', () => {
  const entry = autostartEntry(['/opt/icebox'])
  expect(isAutostartOn(entry)).toBe(true)
  expect(isAutostartOn(`${entry}Hidden=true\n`)).toBe(false)
  expect(isAutostartOn(entry.replace('enabled=true', 'enabled=false'))).toBe(false)
})
