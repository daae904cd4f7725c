import { expect, test } from 'vitest'
import {
  NO_NOTICES,
  type NoticeContext,
  newQuestions,
  noticeSetting,
  noticesAfter,
  notificationsFor,
} from '../../../src-main/menus/notices.ts'
import { failure } from '../../../src-preload/contract/errors.ts'
import type { Bottle, StateSnapshot, Task } from '../../../src-preload/contract/index.ts'
import { health } from '../../support/renderer-rows.ts'
import { bottleRow } from '../../support/rows.ts'
import { stateOf, taskOf } from './states.ts'

const AWAY: NoticeContext = { setting: 'all', isLooking: false }
const ended = (changes: Partial<Task>, state: Bottle['state'] = 'frozen') => {
  const bottles = [bottleRow('demo', { state })]
  return notificationsFor(
    stateOf({ bottles, tasks: [taskOf('t', { ...changes, state: 'running' })] }),
    stateOf({ bottles, tasks: [taskOf('t', { state: 'done', ...changes })] }),
    AWAY,
  )
}
const rows = (...bottles: StateSnapshot['bottles']) => stateOf({ bottles })

test('a freeze that is done offers to resume and to show', () => {
  const [notice] = ended({ message: 'Froze demo\nas x.' })
  expect(notice).toEqual({
    id: 'done:freeze:demo',
    group: 'frozen',
    title: 'demo is frozen',
    body: 'Froze demo as x.',
    actions: [
      { label: 'Resume', command: { do: 'resume', slug: 'demo' } },
      {
        label: 'Show',
        command: { do: 'page', command: { id: 'show-bottle', slug: 'demo', tab: 'timeline' } },
      },
    ],
    click: { do: 'page', command: { id: 'show-bottle', slug: 'demo', tab: 'timeline' } },
  })
})

test('what goes on running is not offered to be resumed', () => {
  const labels = (changes: Partial<Task>) => ended(changes, 'running')[0]?.actions.map(({ label }) => label)
  expect(labels({ kind: 'freeze' })).toEqual(['Show'])
  expect(labels({ kind: 'import' })).toEqual(['Show'])
})

test('a question is told once, whoever asked for the work, and opens the window', () => {
  const question = 'Apple container 1.0.0 has to stop demo for this. Stop it?'
  const quiet = stateOf({ tasks: [taskOf('t', { state: 'running' })] })
  const asking = stateOf({ tasks: [taskOf('t', { state: 'running', question })] })
  const [notice, ...more] = notificationsFor(quiet, asking, { ...AWAY, setting: 'attention' })
  expect(more).toEqual([])
  expect(notice).toMatchObject({
    group: 'waiting',
    title: 'demo has to be stopped to be frozen',
    body: question,
    click: { do: 'show-window' },
  })
  expect(notificationsFor(asking, asking, AWAY)).toEqual([])
  expect(newQuestions(quiet, asking).map(({ id }) => id)).toEqual(['t'])
  expect(newQuestions(asking, quiet)).toEqual([])
})

test('nothing is told of what the person looks at, or does not want to hear', () => {
  const before = stateOf({ tasks: [taskOf('t')], bottles: [bottleRow('demo')] })
  const now = stateOf({
    tasks: [taskOf('t', { state: 'failed' })],
    bottles: [bottleRow('demo', { agentState: 'waiting' })],
  })
  expect(notificationsFor(before, now, AWAY)).toHaveLength(2)
  expect(notificationsFor(before, now, { ...AWAY, isLooking: true })).toEqual([])
  expect(notificationsFor(before, now, { ...AWAY, setting: 'none' })).toEqual([])
  const done = stateOf({ ...now, tasks: [taskOf('t', { state: 'done' })] })
  const some = notificationsFor(before, done, { ...AWAY, setting: 'attention' })
  expect(some.map(({ title }) => title)).toEqual(['demo waits for you'])
})

test.each([
  ['import', 'demo is imported', ['Resume', 'Show']],
  ['export', 'demo is exported', ['Show']],
  ['verify', 'demo passed its check', ['Show']],
] as const)('an %s that is done is told', (kind, title, actions) => {
  const [notice] = ended({ kind })
  expect(notice?.title).toBe(title)
  expect(notice?.actions.map(({ label }) => label)).toEqual(actions)
})

test('quick and cancelled work is no news; a start that took long is', () => {
  for (const kind of ['start', 'stop', 'destroy', 'prune', 'prepare'] as const)
    expect(ended({ kind })).toEqual([])
  expect(ended({ state: 'cancelled' })).toEqual([])
  expect(ended({ kind: 'prepare', state: 'failed' })).toEqual([])
  expect(ended({ kind: 'start', endedAt: '2026-01-01T10:02:00.000Z' })[0]?.title).toBe('demo has started')
})

test('a task is news once', () => {
  const done = stateOf({ tasks: [taskOf('t', { state: 'done' })] })
  expect(notificationsFor(done, done, AWAY)).toEqual([])
  expect(notificationsFor(stateOf(), done, AWAY)).toHaveLength(1)
})

test('a failure says why, and offers what helps', () => {
  const [notice] = ended({ state: 'failed', error: failure('engine-down', 'Docker does not answer.') })
  expect(notice).toMatchObject({ title: 'Freezing demo failed', body: 'Docker does not answer.' })
  expect(notice?.actions[0]).toEqual({ label: 'Try again', command: { do: 'freeze', slug: 'demo' } })
  const [exit] = ended({ kind: 'start', state: 'failed', error: failure('agent-exited') })
  expect(exit?.actions).toEqual([
    {
      label: 'Show logs',
      command: { do: 'page', command: { id: 'show-bottle', slug: 'demo', tab: 'logs' } },
    },
  ])
  const [nameless] = ended({
    kind: 'import',
    slug: null,
    state: 'failed',
    error: failure('artifact-invalid'),
  })
  expect(nameless).toMatchObject({
    title: 'Importing failed',
    click: { do: 'page', command: { id: 'section', section: 'activity' } },
  })
})

test('a bottle that begins to wait is told once for each reason, and only if it was known before', () => {
  const calm = bottleRow('demo', { agentState: 'working', interactive: true })
  const asks = bottleRow('demo', { agentState: 'waiting', interactive: true })
  const [notice] = notificationsFor(rows(calm), rows(asks), AWAY)
  expect(notice).toMatchObject({
    id: 'waiting:demo',
    title: 'demo waits for you',
    body: 'The agent has a question.',
    click: { do: 'page', command: { id: 'show-bottle', slug: 'demo', tab: 'terminal' } },
  })
  expect(notificationsFor(rows(asks), rows({ ...asks, bytes: 7 }), AWAY)).toEqual([])
  expect(notificationsFor(rows(asks), rows({ ...asks, agentState: 'signed-out' }), AWAY)).toHaveLength(1)
  expect(notificationsFor(rows(), rows(asks), AWAY)).toEqual([])
})

test('what an agent asks or lacks is told in its own words, and opens where something can be done', () => {
  const calm = bottleRow('demo', { agentState: 'working' })
  const told = (changes: Partial<Bottle>) =>
    notificationsFor(rows(calm), rows({ ...calm, ...changes }), AWAY).map(({ body, click }) => [
      body,
      click.do === 'page' && click.command.id === 'show-bottle' ? click.command.tab : null,
    ])
  const known = (reason: string | null) => health({ reason })
  expect(told({ agentState: 'waiting', health: known('Go on? (y/n)'), interactive: true })).toEqual([
    ['Go on? (y/n)', 'terminal'],
  ])
  expect(told({ agentState: 'waiting', health: known('Go on?') })).toEqual([['Go on?', 'health']])
  expect(told({ agentState: 'limited', health: known(null), interactive: true })).toEqual([
    ['The agent has reached its usage limit.', 'health'],
  ])
  expect(told({ agentState: 'stuck' })).toEqual([['The agent has made no progress for a while.', 'logs']])
})

test('a failure that a rule mends is not told; that the rule gave up is', () => {
  const fine = bottleRow('demo', { health: health() })
  const restarts = (nextAt: string | null, gaveUp: string | null) =>
    health({ restarts: { count: 1, nextAt, gaveUp } })
  const due = bottleRow('demo', {
    state: 'failed',
    exitCode: 3,
    health: restarts('2026-11-21T10:00:00Z', null),
  })
  const over = { ...due, health: restarts(null, 'it ended again') }
  expect(notificationsFor(rows(fine), rows(due), AWAY)).toEqual([])
  expect(notificationsFor(rows(due), rows(over), AWAY)).toMatchObject([
    {
      id: 'failed:demo',
      body: 'The agent is not started again: it ended again.',
      click: { do: 'page', command: { id: 'show-bottle', slug: 'demo', tab: 'health' } },
    },
  ])
  expect(notificationsFor(rows(over), rows({ ...over, bytes: 7 }), AWAY)).toEqual([])
})

test('a bottle that fails by itself is told; one whose operation tells it is not told twice', () => {
  const fine = bottleRow('demo')
  const bad = bottleRow('demo', { state: 'failed', exitCode: 3 })
  const [notice] = notificationsFor(rows(fine), rows(bad), AWAY)
  expect(notice).toMatchObject({ title: 'demo failed', body: 'The agent ended with code 3.' })
  const task = taskOf('t', { kind: 'start' })
  const failed = taskOf('t', { kind: 'start', state: 'failed', error: failure('agent-exited') })
  const broken = taskOf('t', { kind: 'start', state: 'failed', error: failure('engine-down') })
  expect(
    notificationsFor(
      stateOf({ bottles: [fine], tasks: [task] }),
      stateOf({ bottles: [bad], tasks: [broken] }),
      AWAY,
    ).map(({ title }) => title),
  ).toEqual(['Starting demo failed'])
  const under = stateOf({ bottles: [bad], tasks: [task] })
  expect(notificationsFor(stateOf({ bottles: [fine], tasks: [task] }), under, AWAY)).toEqual([])
  expect(notificationsFor(under, stateOf({ bottles: [bad], tasks: [failed] }), AWAY)).toHaveLength(1)
})

test('freezes of one go are told together, when the last of them is done', () => {
  const tasks = (doneUpTo: number) =>
    stateOf({
      tasks: Array.from({ length: 8 }, (_, n) =>
        taskOf(`t${n}`, { slug: `b${n}`, state: n < doneUpTo ? 'done' : 'running' }),
      ),
    })
  const first = noticesAfter(NO_NOTICES, tasks(0), tasks(1), AWAY)
  expect(first.notices).toEqual([])
  const second = noticesAfter(first.memory, tasks(1), tasks(7), AWAY)
  expect(second.notices).toEqual([])
  const last = noticesAfter(second.memory, tasks(7), tasks(8), AWAY)
  expect(last.notices).toHaveLength(1)
  expect(last.notices[0]).toMatchObject({
    title: '8 bottles are frozen',
    body: 'b0 is frozen, b1 is frozen, b2 is frozen and 5 more',
  })
  expect(last.memory).toEqual(NO_NOTICES)
  // Somebody looked meanwhile, and saw it.
  expect(noticesAfter(second.memory, tasks(7), tasks(8), { ...AWAY, isLooking: true }).notices).toEqual([])
})

test('a failure among freezes is told at once', () => {
  const before = stateOf({ tasks: [taskOf('a', { slug: 'a' }), taskOf('b', { slug: 'b' })] })
  const now = stateOf({ tasks: [taskOf('a', { slug: 'a', state: 'failed' }), taskOf('b', { slug: 'b' })] })
  expect(noticesAfter(NO_NOTICES, before, now, AWAY).notices.map(({ title }) => title)).toEqual([
    'Freezing a failed',
  ])
})

test('any stored value is a setting', () => {
  expect(['all', 'attention', 'none', undefined, 7].map(noticeSetting)).toEqual([
    'all',
    'attention',
    'none',
    'all',
    'all',
  ])
})
