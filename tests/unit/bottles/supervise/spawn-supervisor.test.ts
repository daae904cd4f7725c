import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { capLog, supervisorCommand } from '../../../../src-main/bottles/supervise/spawn-supervisor.ts'
import { isPidTaken } from '../../../../src-main/system/process-identity.ts'
import { tempFolder } from '../../../support/test-root.ts'

const node = {
  execPath: '/bin/node',
  argv: ['/bin/node', '/app/cli.js', 'start'],
  isElectron: false,
  isUnpackaged: false,
  appImage: undefined,
  cli: '/app/cli.js',
}

test('a supervisor is started by whatever runs here', () => {
  const rest = ['supervise', '--home', '/root dir']
  expect(supervisorCommand(node, '/root dir')).toEqual({ file: '/bin/node', args: ['/app/cli.js', ...rest] })
  expect(supervisorCommand({ ...node, cli: null }, '/root dir')).toBeNull()
  const app = {
    ...node,
    execPath: '/opt/Icebox',
    argv: ['/opt/Icebox', '--hidden'],
    isElectron: true,
    cli: null,
  }
  expect(supervisorCommand(app, '/root dir')).toEqual({ file: '/opt/Icebox', args: ['--cli', '--', ...rest] })
  expect(supervisorCommand({ ...app, appImage: '/x.AppImage' }, '/root dir')?.file).toBe('/x.AppImage')
  const folder = { ...app, argv: ['/electron', '/src/app'], isUnpackaged: true }
  expect(supervisorCommand(folder, '/root dir')?.args).toEqual(['/src/app', '--cli', '--', ...rest])
})

test('its log stays small and keeps its newest lines', async () => {
  const log = join(await tempFolder(), 'supervise.log')
  await capLog(log)
  await writeFile(log, 'short\n')
  await capLog(log)
  expect((await stat(log)).size).toBe(6)
  const lines = Array.from({ length: 60_000 }, (_, n) => `line ${n} of a long log`)
  await writeFile(log, `${lines.join('\n')}\n`)
  const before = (await stat(log)).size
  await capLog(log)
  expect((await stat(log)).size).toBeLessThan(before * 0.6)
  const { readFile } = await import('node:fs/promises')
  const kept = (await readFile(log, 'utf8')).trimEnd().split('\n')
  expect(kept.at(-1)).toBe('line 59999 of a long log')
  expect(kept[0]).toMatch(/^line \d+ of a long log$/)
})

test('a pid is known without a file', () => {
  expect(isPidTaken(process.pid)).toBe(true)
  expect([0, -1, 1.5, Number.NaN, 2 ** 22 + 1].map(isPidTaken)).toEqual([false, false, false, false, false])
})
