import { expect, test } from 'vitest'
import type { RunConfig } from '../../../src-main/backends/portable.ts'
import { compareConfigs } from '../../../src-main/snapshots/diff/compare-configs.ts'

const of = (config: RunConfig, architecture = 'amd64') => ({
  config,
  platform: { os: 'linux', architecture },
})

test('each variable, port, label and volume by itself, the rest as a whole', () => {
  const before = of({
    Env: ['PATH=/bin', 'GONE=1', 'EMPTY='],
    Cmd: ['sh'],
    User: 'root',
    ExposedPorts: { '80/tcp': {} },
    Labels: { a: '1', 'dev.icebox.snapshot': 'x' },
    Healthcheck: { Test: ['NONE'], Retries: 1 },
  })
  const after = of(
    {
      Env: ['EMPTY=', 'PATH=/bin:/x=y'],
      Cmd: ['sh', '-c'],
      ExposedPorts: { '80/tcp': {}, '443/tcp': {} },
      Labels: { a: '2', 'dev.icebox.snapshot': 'y' },
      Volumes: { '/data': {} },
      Healthcheck: { Retries: 1, Test: ['NONE'] },
    },
    'arm64',
  )
  expect(compareConfigs(before, after)).toEqual([
    { key: 'Cmd', before: '["sh"]', after: '["sh","-c"]' },
    { key: 'Env.GONE', before: '1', after: null },
    { key: 'Env.PATH', before: '/bin', after: '/bin:/x=y' },
    { key: 'ExposedPorts.443/tcp', before: null, after: 'exposed' },
    { key: 'Labels.a', before: '1', after: '2' },
    { key: 'Platform', before: 'linux/amd64', after: 'linux/arm64' },
    { key: 'User', before: 'root', after: null },
    { key: 'Volumes./data', before: null, after: 'volume' },
  ])
  expect(compareConfigs(before, before)).toEqual([])
})

test('a missing key and an empty one say the same', () => {
  expect(compareConfigs(of({}), of({ Cmd: [], Env: [], User: '', Labels: {} }))).toEqual([])
})
