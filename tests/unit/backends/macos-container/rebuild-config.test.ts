import { expect, it } from 'vitest'
import {
  configDifferences,
  imageConfigText,
  snapshotConfig,
  TOLD_BY_INSPECT,
} from '../../../../src-main/backends/macos-container/rebuild-config.ts'
import type { Snapshot } from '../../../../src-preload/contract/index.ts'

const record = { id: '20260101T000000Z-abcd', slug: 'a', reference: 'r' } as Snapshot
const image = {
  Env: ['PATH=/bin', 'KEY=a=b "c" \n d'],
  Entrypoint: ['/entry'],
  Cmd: ['run', ''],
  User: '1000',
  WorkingDir: '/work',
  ExposedPorts: { '80/tcp': {} },
  StopSignal: 'SIGINT',
  Labels: { mine: 'kept', 'dev.icebox.snapshot': 'older', 'dev.icebox.root': 'launch' },
}

it('keeps the image’s config, and marks it with this snapshot and nothing else of ours', () => {
  const { run, labels } = snapshotConfig(image, record, 'root-id')
  expect(run).toMatchObject({ Env: image.Env, Entrypoint: ['/entry'], Cmd: ['run', ''], User: '1000' })
  expect(labels).toEqual({
    mine: 'kept',
    'dev.icebox.snapshot': record.id,
    'dev.icebox.record': JSON.stringify(record),
    'dev.icebox.snapshot-root': 'root-id',
  })
})

it('writes a config from which the same comes out again', () => {
  const wanted = snapshotConfig(image, record, 'root-id')
  const text = imageConfigText(wanted, {
    platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
    createdAt: '2026-01-01T00:00:00.000Z',
    diffIds: ['sha256:a'],
    madeBy: 'icebox freeze',
  })
  const made = JSON.parse(text)
  expect(made).toMatchObject({ os: 'linux', architecture: 'arm64', variant: 'v8' })
  expect(made.rootfs).toEqual({ type: 'layers', diff_ids: ['sha256:a'] })
  expect(made.history).toHaveLength(1)
  expect(configDifferences(wanted, made.config)).toEqual([])
})

it('names each part that differs', () => {
  const wanted = snapshotConfig(image, record, 'root-id')
  const found = { ...image, Labels: wanted.labels }
  const changes: Record<string, object> = {
    Env: { Env: ['PATH=/bin'] },
    Entrypoint: { Entrypoint: null },
    Cmd: { Cmd: ['run'] },
    User: { User: '' },
    WorkingDir: { WorkingDir: '/' },
    ExposedPorts: { ExposedPorts: {} },
    StopSignal: { StopSignal: 'SIGTERM' },
    Labels: { Labels: { ...wanted.labels, 'dev.icebox.root': 'launch' } },
    Healthcheck: { Healthcheck: { Test: ['CMD', 'x'] } },
  }
  for (const [key, change] of Object.entries(changes))
    expect(configDifferences(wanted, { ...found, ...change }), key).toEqual([key])
  expect(
    configDifferences(wanted, { ...found, ExposedPorts: {} }, (key) => TOLD_BY_INSPECT.has(key)),
  ).toEqual([])
})

it('takes what a build adds by itself for no difference', () => {
  const wanted = snapshotConfig({ Env: ['A=1'] }, record, 'root-id')
  const built = {
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'A=1'],
    WorkingDir: '/',
    Labels: wanted.labels,
  }
  expect(configDifferences(wanted, built)).toEqual([])
  expect(configDifferences(snapshotConfig({ Env: ['PATH=/x'] }, record, 'root-id'), built)).toContain('Env')
})
