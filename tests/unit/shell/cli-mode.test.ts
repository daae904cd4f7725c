import { EventEmitter } from 'node:events'
import type { App } from 'electron'
import { expect, test, vi } from 'vitest'
import { cliArguments, stayHidden } from '../../../src-main/shell/cli-mode.ts'

test.each([
  [['/opt/Icebox', '--cli', 'list', '--json'], true, ['list', '--json']],
  [['/opt/Icebox', '--no-sandbox', '--cli'], true, []],
  [['/opt/Icebox', '--cli', '--', 'start', '--type=x'], true, ['start', '--type=x']],
  [['/opt/Icebox', '--cli', 'start', 'claude', '--', '--cli'], true, ['start', 'claude', '--', '--cli']],
  [['electron', '.', '--cli', 'list'], false, ['list']],
  [['electron', '--no-sandbox', '.', '--cli', 'list'], false, ['list']],
] as const)('%j', (argv, isPackaged, expected) => {
  expect(cliArguments(argv, isPackaged)).toEqual(expected)
})

test.each([
  [['/opt/Icebox'], true],
  [['/opt/Icebox', 'a.bottle', '--cli'], true],
  [['/opt/Icebox', 'icebox://new', '--cli', 'destroy', 'web-1'], true],
  [['electron', '.', 'icebox://new', '--cli', 'destroy'], false],
  [['/opt/Icebox', '--client', 'list'], true],
  [['--cli', 'list'], true],
] as const)('%j means the window', (argv, isPackaged) => {
  expect(cliArguments(argv, isPackaged)).toBeNull()
})

function madeApp() {
  const calls: string[] = []
  const app = Object.assign(new EventEmitter(), {
    disableHardwareAcceleration: () => calls.push('no gpu'),
    setActivationPolicy: (policy: string) => calls.push(`policy ${policy}`),
    dock: { hide: () => calls.push('dock hidden') },
    commandLine: { appendSwitch: (name: string, value: string) => calls.push(`${name}=${value}`) },
  })
  return { app: app as unknown as App, emitter: app, calls }
}

test('an app that answers a command is not seen', () => {
  const mac = madeApp()
  stayHidden(mac.app, 'darwin')
  expect(mac.calls).toEqual(['no gpu', 'policy prohibited', 'dock hidden'])
  const linux = madeApp()
  stayHidden(linux.app, 'linux')
  expect(linux.calls).toEqual(['no gpu', 'ozone-platform=headless'])
})

test('what Electron takes for quitting reaches the command as Ctrl-C, once', async () => {
  const before = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map(
    (name) => [name, process.listeners(name)] as const,
  )
  const { app, emitter } = madeApp()
  stayHidden(app, 'linux')
  const interrupted = vi.fn()
  process.on('SIGINT', interrupted)
  const preventDefault = vi.fn()
  emitter.emit('before-quit', { preventDefault })
  await vi.waitFor(() => expect(interrupted).toHaveBeenCalledOnce())
  // The signal itself came through: nothing is to be added.
  emitter.emit('before-quit', { preventDefault })
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  expect([interrupted.mock.calls.length, preventDefault.mock.calls.length]).toEqual([1, 2])
  for (const [name, listeners] of before)
    for (const listener of process.listeners(name))
      if (!listeners.includes(listener)) process.off(name, listener)
})
