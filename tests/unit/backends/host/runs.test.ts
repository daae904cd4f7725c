import { describe, expect, it } from 'vitest'
import type { RuntimeFact } from '../../../../src-main/backends/backend.ts'
import { agentEnvironment } from '../../../../src-main/backends/host/agent-environment.ts'
import { newestPerBottle } from '../../../../src-main/backends/host/list-runs.ts'
import {
  bottlePaths,
  parseIndexName,
  runPaths,
  snapshotPath,
} from '../../../../src-main/backends/host/paths.ts'
import { hostFacts } from '../../../../src-main/backends/host/run-record.ts'
import { changesBetween } from '../../../../src-main/backends/host/watch-runs.ts'
import { barePlan } from '../../../engine/host/host-fixture.ts'

const fact = (more: Partial<RuntimeFact> = {}): RuntimeFact => ({
  backend: 'host',
  id: '10',
  name: 'bot-bottle-a',
  root: 'r',
  slug: 'a',
  runId: 'run1',
  state: 'running',
  exitCode: null,
  image: '',
  createdAt: '2026-01-01T00:00:00.000Z',
  role: 'agent',
  ...more,
})
const keyed = (...facts: RuntimeFact[]): Map<string, RuntimeFact> =>
  new Map(facts.map((each) => [`${each.slug}.${each.runId}`, each]))

describe('changesBetween', () => {
  const kinds = (before: RuntimeFact[], after: RuntimeFact[]): string[] =>
    changesBetween(keyed(...before), keyed(...after)).map((change) => `${change.slug} ${change.kind}`)

  it('tells starts, ends and removals, and nothing else', () => {
    expect(kinds([], [fact()])).toEqual(['a started'])
    expect(kinds([fact()], [fact({ state: 'exited' })])).toEqual(['a exited'])
    expect(kinds([fact()], [])).toEqual(['a removed'])
    expect(kinds([fact()], [fact()])).toEqual([])
    expect(kinds([fact({ state: 'exited' })], [fact({ runId: 'run2', id: '11' })])).toEqual([
      'a removed',
      'a started',
    ])
  })
})

it('lists the newest run of each bottle', () => {
  const newer = fact({ runId: 'run2', createdAt: '2026-01-02T00:00:00.000Z' })
  expect(newestPerBottle([newer, fact(), fact({ slug: 'b' })])).toEqual([newer, fact({ slug: 'b' })])
})

describe('paths', () => {
  it.each(['../x', 'a/b', '', 'A', '.', 'a\0'])('refuses the slug %j', (slug) => {
    expect(() => bottlePaths('/home', slug)).toThrow(expect.objectContaining({ code: 'invalid-slug' }))
  })
  it.each(['../x', 'a/b', '', '.'])('refuses the run id %j and the snapshot id', (id) => {
    expect(() => runPaths(bottlePaths('/home', 'a'), id)).toThrow()
    expect(() => snapshotPath('/home', 'a', id)).toThrow(
      expect.objectContaining({ code: 'snapshot-missing' }),
    )
  })
  it('reads its own index names only', () => {
    expect(parseIndexName('web-1.abc123')).toEqual({ slug: 'web-1', runId: 'abc123' })
    for (const name of ['web-1', 'web-1.a.b', '.x', '..', 'Web.a']) expect(parseIndexName(name)).toBeNull()
  })
})

it('takes a damaged reference for no process at all', () => {
  const ref = {
    backend: 'host',
    id: '1',
    name: '',
    slug: 'a',
    runId: 'r',
    volumes: [],
    networks: [],
    sidecars: [],
  } as const
  for (const identity of [undefined, null, 5, {}, { pid: 1, startTime: 'x', bootId: 'y' }, { pid: -1 }]) {
    expect(hostFacts({ ...ref, facts: { identity } }).identity).toEqual({ pid: 0, startTime: '', bootId: '' })
  }
})

it('builds an environment from basics, plan and secrets only', () => {
  const plan = {
    ...barePlan('r', 'a', '/s'),
    env: { PATH: '/own', HOME: '/evil', ICEBOX_SLUG: 'evil' },
    secrets: { T: 's' },
  }
  const env = agentEnvironment(
    plan,
    { PATH: '/p', LANG: 'de_DE.UTF-8', SECRET: 'x', TMPDIR: '/t' },
    'none',
    '/live/home',
  )
  expect(env).toEqual({
    LANG: 'de_DE.UTF-8',
    PATH: '/own',
    TERM: 'dumb',
    TMPDIR: '/t',
    T: 's',
    HOME: '/live/home',
    ICEBOX_SLUG: 'a',
    ICEBOX_RUN: plan.runId,
  })
  expect(agentEnvironment(plan, {}, 'bwrap', '/h').TMPDIR).toBe('/tmp')
})
