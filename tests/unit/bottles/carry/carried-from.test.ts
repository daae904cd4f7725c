import { describe, expect, test } from 'vitest'
import { fromHostTrees } from '../../../../src-main/backends/images/tree-places.ts'
import { carriedFrom, originsOf, sameContent } from '../../../../src-main/bottles/carry/carried-from.ts'
import { planTrees } from '../../../../src-main/bottles/carry/content.ts'
import { toDestination } from '../../../../src-main/bottles/carry/fold-volumes.ts'
import { targetOf } from '../../../../src-main/bottles/resume-origin.ts'
import type { Snapshot } from '../../../../src-preload/contract/index.ts'

const snapshot = (id: string, backend: string, more: Partial<Snapshot> = {}): Snapshot => ({
  version: 1,
  id,
  slug: 'web',
  parent: null,
  backend,
  reference: id,
  digest: '',
  createdAt: '',
  fidelity: 'files',
  leftOut: [],
  bytes: 0,
  ownBytes: null,
  reason: 'user',
  note: '',
  label: '',
  pinned: false,
  status: 'ready',
  runId: null,
  agent: '',
  provider: '',
  volumes: [],
  verified: null,
  facts: {},
  ...more,
})
const from = (id: string, backend: string) => ({ carriedFrom: { slug: 'web', snapshot: id, backend } })

const S = snapshot('S', 'docker')
const H1 = snapshot('H1', 'host', { parent: 'S', facts: from('S', 'docker') })
const H2 = snapshot('H2', 'host', { parent: 'H1' })
const H3 = snapshot('H3', 'host', { parent: 'H2' })
const D = snapshot('D', 'docker', { parent: 'H2', facts: from('H2', 'host') })

test('damaged facts name no origin', () => {
  expect(carriedFrom(H1)).toEqual({ slug: 'web', snapshot: 'S', backend: 'docker' })
  for (const carried of [null, 'x', {}, { slug: 'web' }, { slug: 1, snapshot: 2, backend: 3 }]) {
    expect(carriedFrom({ facts: { carriedFrom: carried } })).toBeNull()
  }
})

test('the same content is known from both sides', () => {
  const all = [S, H1, H2, D]
  expect(sameContent(S, all)).toEqual([H1])
  expect(sameContent(H1, all)).toEqual([S])
  expect(sameContent(H2, all)).toEqual([D])
  expect(sameContent(H1, [snapshot('S', 'docker', { status: 'in-doubt' })])).toEqual([])
})

describe('what files of this machine go back to', () => {
  const gone = new Map<string, string | null>()
  test('is kept, however many freezes lie between', () => {
    expect([...originsOf({ snapshots: [S, H1, H2, H3], gone })].map(([id]) => id)).toEqual(['S'])
  })
  test('is found over deleted ones', () => {
    const bridged = new Map([
      ['H1', 'S'],
      ['H2', 'H1'],
    ])
    expect([...originsOf({ snapshots: [S, H3], gone: bridged }).keys()]).toEqual(['S'])
  })
  test('is nothing for a bottle that was never in a container, or whose records go in a circle', () => {
    const circle = [snapshot('A', 'host', { parent: 'B' }), snapshot('B', 'host', { parent: 'A' })]
    expect(originsOf({ snapshots: [H2, ...circle], gone }).size).toBe(0)
  })
})

describe('where a resume goes', () => {
  const web = { backend: 'docker' }
  const runtime = {} as Parameters<typeof targetOf>[3]
  test.each<[string, Parameters<typeof targetOf>, string]>([
    ['where the call says', [{ backend: 'host' }, web, S, runtime], 'host'],
    ['where its work is', [{}, web, H1, runtime], 'docker'],
    ['where a named snapshot was made', [{ snapshot: 'H1' }, web, H1, runtime], 'host'],
    ['where its newest snapshot was made', [{}, web, H1, null], 'host'],
    ['where it was', [{}, web, null, null], 'docker'],
  ])('%s', (_name, args, backend) => {
    expect(targetOf(...args)).toBe(backend)
  })
})

describe('the trees in a container', () => {
  const none = { workdir: null, user: null, home: null }
  const accounts = { passwd: 'me:x:5:6::/home/me:/bin/sh', group: '' }
  test('lie where the image works, and are its user’s', () => {
    expect(planTrees({ WorkingDir: '/srv', User: 'me', Cmd: ['x'] }, none, accounts)).toEqual({
      places: { workspace: '/srv', home: '/home/me' },
      owner: { uid: 5, gid: 6 },
      config: { WorkingDir: '/srv', User: 'me', Cmd: ['x'] },
    })
  })
  test('get a folder and a home where the image has none', () => {
    const { places, config } = planTrees({ Env: ['A=b', 'HOME=/'], WorkingDir: '/' }, none, accounts)
    expect(places).toEqual({ workspace: '/workspace', home: '/home/agent' })
    expect(config).toEqual({ WorkingDir: '/workspace', Env: ['A=b', 'HOME=/home/agent'] })
  })
  test('follow the definition, and never take the whole file system', () => {
    const wishes = { workdir: '/elsewhere', user: '7:8', home: '/h' }
    expect(planTrees({ WorkingDir: '/srv' }, wishes, accounts)).toMatchObject({
      places: { workspace: '/elsewhere', home: '/h' },
      owner: { uid: 7, gid: 8 },
    })
    expect(() => planTrees({}, { ...none, workdir: '/' }, accounts)).toThrow(/workdir/)
    expect(() => planTrees({ User: 'who' }, none, accounts)).toThrow(/"who"/)
    expect(fromHostTrees({ workspace: '/w', home: null }).place('home/agent/x', {} as never)).toBeNull()
  })
  test('a volume becomes the folder that it was mounted on', () => {
    const { place, opaque } = toDestination('/var/lib/data/')
    const to = (path: string) => place(path, {} as never)
    expect([to('data'), to('data/a/b')]).toEqual(['var/lib/data', 'var/lib/data/a/b'])
    expect(opaque).toEqual(new Set(['var/lib/data']))
  })
})
