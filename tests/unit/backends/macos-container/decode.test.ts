import { expect, it } from 'vitest'
import { dateOf, decodeContainers } from '../../../../src-main/backends/macos-container/decode.ts'

const configuration = {
  id: 'bot-bottle-a',
  creationDate: '2026-08-07T18:36:01Z',
  image: { descriptor: { digest: 'sha256:aa' }, reference: 'docker.io/library/alpine:3.20' },
  initProcess: { terminal: true, workingDirectory: '/work' },
  labels: { 'dev.icebox.slug': 'a', odd: 3 },
  mounts: [
    { destination: '/run/icebox', source: '/x', type: { virtiofs: {} }, options: [] },
    { destination: '/t', source: '', type: { tmpfs: {} }, options: [] },
    { destination: '/v', source: 'v', type: { volume: { name: 'v', format: 'ext4' } }, options: [] },
    { destination: '/b', source: '/b', type: { block: {} }, options: [] },
  ],
  platform: { architecture: 'arm64', os: 'linux', variant: 'v8' },
}

it('reads the nested generation', () => {
  const [entry] = decodeContainers([
    {
      configuration,
      id: 'bot-bottle-a',
      status: { state: 'running', startedDate: '2026-08-07T18:36:02Z', networks: [] },
    },
  ])
  expect(entry).toEqual({
    id: 'bot-bottle-a',
    state: 'running',
    startedAt: '2026-08-07T18:36:02.000Z',
    createdAt: '2026-08-07T18:36:01.000Z',
    image: { reference: 'docker.io/library/alpine:3.20', digest: 'sha256:aa' },
    labels: { 'dev.icebox.slug': 'a' },
    mounts: [
      { type: 'bind', source: '/x', destination: '/run/icebox' },
      { type: 'tmpfs', source: '', destination: '/t' },
      { type: 'volume', source: 'v', destination: '/v' },
      { type: 'other', source: '/b', destination: '/b' },
    ],
    platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
    hasTerminal: true,
    workdir: '/work',
  })
})

it('reads the flat generation, whose dates count from 2001', () => {
  const { creationDate: _, ...older } = configuration
  const [entry] = decodeContainers([
    { configuration: older, status: 'stopped', networks: [], startedDate: 86_400 },
  ])
  expect(entry).toMatchObject({
    id: 'bot-bottle-a',
    state: 'stopped',
    startedAt: '2001-01-02T00:00:00.000Z',
    createdAt: null,
  })
})

it('passes over what it does not understand, and never throws', () => {
  expect(decodeContainers({})).toEqual([])
  expect(decodeContainers([null, 3, {}, { id: '' }, []])).toEqual([])
  expect(decodeContainers([{ id: 'x' }])).toMatchObject([
    { id: 'x', state: 'unknown', labels: {}, mounts: [] },
  ])
  expect(decodeContainers([{ id: 'x', status: { state: 'melting' } }])).toMatchObject([{ state: 'unknown' }])
})

it('takes dates of both kinds and nothing else', () => {
  expect(dateOf(0)).toBe('2001-01-01T00:00:00.000Z')
  expect(dateOf('2026-08-07T18:36:01Z')).toBe('2026-08-07T18:36:01.000Z')
  expect([dateOf(null), dateOf('soon'), dateOf({}), dateOf(Number.NaN), dateOf(1e300)]).toEqual([
    null,
    null,
    null,
    null,
    null,
  ])
})
