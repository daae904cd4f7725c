import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createObserver } from '../../../../src-main/agents/observe/observer.ts'
import { claude } from '../context/records.ts'
import { fakeAgent, lifecycle, NOW, STARTED, sample } from './agent-world.ts'
import * as screens from './screens.ts'

const SIGNAL = new AbortController().signal
const SESSION = '11111111-1111-4111-8111-111111111111'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'observer-'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

async function put(path: string, text: string): Promise<void> {
  const file = join(home, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  const at = Date.parse(STARTED) / 1000 + 60
  await utimes(file, at, at)
}

const transcript = (...lines: string[]) =>
  put(`.claude/projects/-work/${SESSION}.jsonl`, lines.map((line) => `${line}\n`).join(''))

test('a look joins screen, transcript, status line and events', async () => {
  const { agent, shown } = fakeAgent(home)
  shown.screen = screens.CLAUDE_IDLE
  await transcript(
    claude.user('fix it'),
    claude.tool(50_000, 'Bash', { command: 'ls' }),
    claude.answer(60_000),
  )
  await put('.icebox/status.json', JSON.stringify({ session_id: SESSION, cost: { total_cost_usd: 2 } }))
  expect(await createObserver(agent).look('tick', SIGNAL)).toMatchObject({
    state: 'waiting',
    contextPercent: 30,
    contextTokens: 60_000,
    contextWindow: 200_000,
    costUsd: 2,
    currentTool: 'Bash',
    lastUserMessage: 'fix it',
  })
})

test('files are read once after output, and not at a look where nothing came', async () => {
  const { agent, shown, reads, clock } = fakeAgent(home)
  shown.screen = screens.CLAUDE_IDLE
  await put('.icebox/status.json', '{}')
  const observer = createObserver(agent)
  await observer.look('tick', SIGNAL)
  const first = reads.length
  expect(first).toBeGreaterThan(0)
  clock.now += 60_000
  await observer.look('tick', SIGNAL)
  expect(reads).toHaveLength(first)
  await observer.look('output', SIGNAL)
  expect(reads.length).toBeGreaterThan(first)
})

test('while it works files are not read at every look, and right when it is done', async () => {
  const { agent, shown, reads, clock } = fakeAgent(home)
  shown.screen = screens.CLAUDE_WORKING
  await put('.icebox/status.json', '{}')
  const observer = createObserver(agent)
  await observer.look('output', SIGNAL)
  const first = reads.length
  clock.now += 500
  await observer.look('output', SIGNAL)
  expect(reads).toHaveLength(first)
  shown.screen = screens.CLAUDE_IDLE
  clock.now += 500
  await observer.look('output', SIGNAL)
  expect(reads.length).toBeGreaterThan(first)
})

test('silence makes it stuck, output makes it work again', async () => {
  const { agent, shown, clock } = fakeAgent(home)
  shown.screen = screens.CLAUDE_WORKING
  const observer = createObserver(agent)
  expect((await observer.look('output', SIGNAL)).state).toBe('working')
  clock.now += 700_000
  expect((await observer.look('tick', SIGNAL)).state).toBe('stuck')
  shown.screen = screens.CLAUDE_WORKING.replace('42s', '43s')
  expect((await observer.look('output', SIGNAL)).state).toBe('working')
})

test('an observer that begins anew does not take a screen that stood still for a fresh one', async () => {
  const first = fakeAgent(home)
  first.shown.screen = screens.CLAUDE_WORKING
  const before = await createObserver(first.agent).look('output', SIGNAL)
  const second = fakeAgent(home, { previous: before })
  second.shown.screen = screens.CLAUDE_WORKING
  second.clock.now = NOW + 700_000
  expect((await createObserver(second.agent).look('tick', SIGNAL)).state).toBe('stuck')
})

test('what an earlier launch of the same run showed tells nothing of this one', async () => {
  const previous = sample({ at: '2026-11-21T10:00:00.000Z', state: 'exited', contextTokens: 9, model: 'old' })
  const { agent } = fakeAgent(home, { previous })
  expect(await createObserver(agent).look('tick', SIGNAL)).toMatchObject({
    state: null,
    contextTokens: null,
    model: null,
    screen: [],
  })
})

test('an agent whose things can’t be read is unknown, and only the caller’s end is an error', async () => {
  const { agent } = fakeAgent(home)
  const broken = async () => {
    throw new Error('no engine')
  }
  const access = { ...agent.access, screen: broken, list: broken, read: broken }
  const observer = createObserver({ ...agent, access })
  expect(await observer.look('tick', SIGNAL)).toMatchObject({ state: null, alive: 'unknown' })
  const ended = AbortSignal.abort(new Error('the end'))
  await expect(createObserver({ ...agent, access }).look('tick', ended)).rejects.toThrow('no engine')
})

test('a runner of turns is seen by its heartbeat', async () => {
  const { agent } = fakeAgent(home, { lifecycle: lifecycle({ runtime: 'turns' }) })
  const beat = (state: string, at: number) =>
    put('.icebox/heartbeat.json', JSON.stringify({ ts: new Date(at).toISOString(), pid: 7, state }))
  const observer = createObserver(agent)
  await beat('working', NOW - 5_000)
  expect(await observer.look('tick', SIGNAL)).toMatchObject({ state: 'working', alive: 'yes' })
  await beat('idle', NOW - 1_000)
  expect(await observer.look('tick', SIGNAL)).toMatchObject({ state: 'waiting', reason: null })
  await beat('working', NOW - 100_000)
  expect(await observer.look('tick', SIGNAL)).toMatchObject({ state: 'stuck', alive: 'unknown' })
  expect(await observer.look('exit', SIGNAL, 1)).toMatchObject({ state: 'exited', alive: 'no' })
})

test('weakness 21: a program that the agent calls is not taken for it, nor is a conversation of an earlier run', async () => {
  const { agent, shown } = fakeAgent(home)
  const nested = '22222222-2222-4222-8222-222222222222'
  const said = (id: string) =>
    JSON.stringify({ ts: STARTED, payload: { hook_event_name: 'Stop', session_id: id } })
  shown.screen = screens.CLAUDE_IDLE
  await transcript(claude.user('ours'), claude.answer(60_000))
  await put(`.claude/projects/-work/${nested}.jsonl`, `${claude.user('nested')}\n${claude.answer(9_000)}\n`)
  await put('.icebox/events.jsonl', `${said(SESSION)}\n${said(nested)}\n`)
  await put('.icebox/status.json', JSON.stringify({ session_id: SESSION }))
  const look = () => createObserver(agent).look('tick', SIGNAL)
  expect(await look()).toMatchObject({ sessionId: SESSION, lastUserMessage: 'ours', contextTokens: 60_000 })
  await put('.icebox/status.json', JSON.stringify({ session_id: 'of-before', cost: { total_cost_usd: 9 } }))
  await put('.icebox/events.jsonl', `${said(SESSION)}\n`)
  expect(await look()).toMatchObject({ sessionId: SESSION, contextTokens: 60_000, costUsd: null })
})

test('a launch that begins a new conversation has nothing of the one before, whose files still lie there', async () => {
  const begunWith = '33333333-3333-4333-8333-333333333333'
  const { agent, shown } = fakeAgent(home, { begunWith })
  const said = (at: number, id: string) =>
    JSON.stringify({ ts: new Date(at).toISOString(), payload: { hook_event_name: 'Stop', session_id: id } })
  shown.screen = screens.CLAUDE_IDLE
  const full = {
    session_id: SESSION,
    context_window: { used_percentage: 75, current_usage: { input_tokens: 150_000 } },
  }
  await put('.icebox/status.json', JSON.stringify(full))
  await transcript(claude.user('before'), claude.answer(150_000))
  // Its last word came in the second before.
  await put('.icebox/events.jsonl', `${said(Date.parse(STARTED) - 400, SESSION)}\n`)
  const look = () => createObserver(agent).look('tick', SIGNAL)
  expect(await look()).toMatchObject({ sessionId: begunWith, contextPercent: null, contextTokens: null })
  // What a person goes back to is told by the program itself.
  await put('.icebox/events.jsonl', `${said(Date.parse(STARTED) + 60_000, SESSION)}\n`)
  expect(await look()).toMatchObject({ sessionId: SESSION, contextPercent: 75 })
})

test('a definition’s variable gives the window', async () => {
  const { agent, shown } = fakeAgent(home, { env: { ICEBOX_CONTEXT_WINDOW: '100000' } })
  shown.screen = screens.CLAUDE_IDLE
  await transcript(claude.user('hi'), claude.answer(50_000))
  expect((await createObserver(agent).look('tick', SIGNAL)).contextPercent).toBe(50)
})

test('secrets that could not be told at one look are hidden at the next, and stay known when a later one fails', async () => {
  let answers: (readonly string[] | null)[] = [null, ['swordfish'], null]
  const secrets = async () => {
    const [answer = null, ...rest] = answers
    answers = rest
    if (answer === null) throw new Error('the keychain is locked')
    return answer
  }
  const { agent, shown } = fakeAgent(home, { secrets })
  shown.screen = 'it is swordfish'
  const observer = createObserver(agent)
  const rows = []
  for (const _ of [1, 2, 3]) rows.push((await observer.look('output', SIGNAL)).screen[0])
  expect(rows).toEqual(['it is swordfish', 'it is *********', 'it is *********'])
})
