import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DEFAULT_LIFECYCLE, type Lifecycle } from '../../../../src-main/agents/lifecycle.ts'
import {
  asStartupState,
  NEW_STARTUP,
  type StartupState,
  startUp,
} from '../../../../src-main/agents/startup/start-up.ts'
import { tempFolder } from '../../../support/test-root.ts'
import { fakeTerminal, REF } from './fake-terminal.ts'

const PATIENCE = { timeout: 20_000 }
const INPUT = '────\n❯ \n────\n  ⏵⏵ bypass permissions on'
const BYPASS =
  'WARNING: running in Bypass Permissions mode\n ❯ 1. No, exit\n   2. Yes, I accept\n Enter to confirm'
const STRANGE = 'The moon is wrong. How shall we go on?\n ❯ 1. Wait\n   2. Ask\n Enter to confirm'

/** As a program shows it: what was typed, above an empty input line. */
const echoed = (typed: readonly string[]) => `${typed.map((text) => `⏺ ${text}`).join('\n')}\n${INPUT}`

const startup = (more: Partial<Lifecycle['startup']>): Lifecycle => ({
  ...DEFAULT_LIFECYCLE,
  runtime: 'terminal',
  startup: { ...DEFAULT_LIFECYCLE.startup, readyPollSeconds: 0.001, readyTimeoutSeconds: 5, ...more },
})

async function setUp(program: Parameters<typeof fakeTerminal>[0], lifecycle: Lifecycle, from = NEW_STARTUP) {
  const terminal = fakeTerminal(program)
  const told: string[] = []
  const saved: StartupState[] = []
  const logsDir = join(await tempFolder(), 'logs')
  const agent = {
    ref: REF,
    access: terminal.access,
    provider: 'claude' as const,
    lifecycle,
    logsDir,
    secrets: async () => ['hunter22secret'],
    tell: (text: string) => told.push(text),
  }
  const progress = { state: from, save: async (state: StartupState) => void saved.push(state) }
  const run = (signal = AbortSignal.timeout(10_000)) => startUp(agent, progress, signal)
  return { ...terminal, told, saved, logsDir, run }
}

const command = (text: string, delaySeconds = 0) => ({ text, delaySeconds })

test('weakness 17: startup commands alone are typed, without auto-accept and without answers', async () => {
  const commands = [command('the mission'), command('then this')]
  const agent = await setUp(echoed, startup({ autoAccept: false, commands }))
  expect(await agent.run()).toEqual({ kind: 'done', reason: null })
  expect(agent.typed).toEqual(['the mission', '<Enter>', 'then this', '<Enter>'])
})

test('a known question is answered once, by its rule, before anything is typed', async () => {
  const agent = await setUp(
    (typed) => (typed.includes('<Enter>') ? echoed(typed) : BYPASS),
    startup({ commands: [command('go')] }),
  )
  await agent.run()
  expect(agent.typed).toEqual(['2', '<Enter>', 'go', '<Enter>'])
  expect(agent.saved.at(-1)).toMatchObject({ answered: ['bypass-permissions'], sent: 1, isDone: true })
})

test('a rule of the definition comes before the built-in one', async () => {
  const answers = [{ name: 'mine', pattern: 'Yes, I accept', keys: ['Down', 'Enter'] }]
  const agent = await setUp((typed) => (typed.length > 0 ? INPUT : BYPASS), startup({ answers }))
  await agent.run()
  expect(agent.typed).toEqual(['<Down>', '<Enter>'])
})

test('without auto-accept a built-in question waits for a person', async () => {
  const agent = await setUp(() => BYPASS, startup({ autoAccept: false, readyTimeoutSeconds: 0.02 }))
  const stop = new AbortController()
  const running = agent.run(stop.signal)
  await expect.poll(() => agent.told.at(-1), PATIENCE).toContain('waits for an answer')
  stop.abort()
  await expect(running).rejects.toThrow()
  expect(agent.typed).toEqual([])
})

test('nothing is typed onto a question that no rule answers; it goes on when a person has answered', async () => {
  let isAnswered = false
  const agent = await setUp(
    (typed) => (isAnswered ? echoed(typed) : STRANGE),
    startup({ commands: [command('go')], readyTimeoutSeconds: 0.02 }),
  )
  const running = agent.run()
  await expect
    .poll(() => agent.told.at(-1), PATIENCE)
    .toBe('The agent waits for an answer: The moon is wrong. How shall we go on?')
  expect(agent.typed).toEqual([])
  const looks = agent.looks()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(agent.looks()).toBe(looks)
  isAnswered = true
  agent.ring()
  await running
  expect(agent.typed).toEqual(['go', '<Enter>'])
})

test('it is ready when all patterns match a screen that stays the same', async () => {
  const agent = await setUp(
    (typed, looks) => (looks < 10 ? `warming ${looks}\n${INPUT}` : echoed(typed)),
    startup({ readyPatterns: ['bypass permissions', '^❯'], readyIdleTicks: 3, commands: [command('go')] }),
  )
  await agent.run()
  expect(agent.looks()).toBeGreaterThanOrEqual(12)
})

test('an agent that is late leaves a capture without secrets, and goes on', async () => {
  const agent = await setUp(
    (typed) => `token hunter22secret\n${echoed(typed)}`,
    startup({ readyPatterns: ['never'], readyTimeoutSeconds: 0.02, commands: [command('go')] }),
  )
  expect(await agent.run()).toMatchObject({ kind: 'done', reason: expect.stringContaining('not ready') })
  const [file] = await readdir(agent.logsDir)
  expect(file).toMatch(/^boot-capture-.*\.txt$/)
  const text = await readFile(join(agent.logsDir, file ?? ''), 'utf8')
  expect(text).toContain('bypass permissions')
  expect(text).not.toContain('hunter22secret')
  expect(agent.typed).toEqual(['go', '<Enter>'])
})

test('or fails, when its definition says so', async () => {
  const onTimeout = 'capture_and_fail' as const
  const lifecycle = startup({
    readyPatterns: ['never'],
    readyTimeoutSeconds: 0.02,
    onTimeout,
    commands: [command('go')],
  })
  const agent = await setUp(() => INPUT, lifecycle)
  expect(await agent.run()).toEqual({ kind: 'failed', reason: 'it was not ready in time' })
  expect(agent.typed).toEqual([])
  expect(await readdir(agent.logsDir)).toHaveLength(1)
})

test('what it asks is told without secrets: whole, cut at the end of a quote, or broken by the screen', async () => {
  const lifecycle = startup({
    readyPatterns: ['never'],
    readyTimeoutSeconds: 0.02,
    onTimeout: 'capture_and_fail',
  })
  const choice = '❯ 1. Yes\n  2. No\nEnter to confirm'
  const questions = [
    'Use hunter22secret?',
    `${'a'.repeat(190)} hunter22secret?`,
    'Do you want to use hunter22sec\nret now?',
  ]
  for (const question of questions) {
    const agent = await setUp(() => `${question}\n${choice}`, lifecycle)
    const { kind, reason } = await agent.run()
    expect(kind).toBe('failed')
    expect(reason).toMatch(/^it asks: .*\*\*\*/)
    const said = [reason, ...agent.told].join('\n')
    for (const part of ['hunter', 'secret', 'ret now']) expect(said).not.toContain(part)
  }
})

test('an Enter that the program lost is pressed again', async () => {
  const program = (typed: readonly string[]) => {
    if (typed.length === 0) return INPUT
    const enters = typed.filter((key) => key === '<Enter>').length
    return enters < 3 ? INPUT.replace('❯ ', '❯ go on') : `❯ go on\n⏺ Done\n${INPUT}`
  }
  const agent = await setUp(program, startup({ commands: [command('go on')] }))
  await agent.run()
  expect(agent.typed).toEqual(['go on', '<Enter>', '<Enter>', '<Enter>'])
})

test('a second supervisor neither repeats nor forgets what the first one typed', async () => {
  const commands = [command('first'), command('second')]
  const typing: StartupState = { ...NEW_STARTUP, isReady: true, sent: 1, isTyping: true }
  const lost = await setUp(
    (typed) => (typed.length > 0 ? `❯ second\n${INPUT}` : INPUT),
    startup({ commands }),
    typing,
  )
  await lost.run()
  expect(lost.typed).toEqual(['second', '<Enter>'])
  const sent = await setUp(() => `❯ second\n⏺ Done\n${INPUT}`, startup({ commands }), typing)
  await sent.run()
  expect(sent.typed).toEqual([])
  const half = await setUp(
    (typed) => (typed.length > 0 ? `❯ second\n${INPUT}` : INPUT.replace('❯ ', '❯ second')),
    startup({ commands }),
    typing,
  )
  await half.run()
  expect(half.typed).toEqual(['<Enter>'])
})

test('a done startup looks at nothing; an agent that ends meanwhile fails it', async () => {
  const over = await setUp(() => INPUT, startup({}), { ...NEW_STARTUP, isDone: true })
  await over.run()
  expect(over.looks()).toBe(0)
  const ended = await setUp((_typed, looks) => (looks > 2 ? null : 'Loading'), startup({}))
  expect(await ended.run()).toEqual({ kind: 'failed', reason: 'the agent ended while it started' })
})

test('what was kept of a startup is read back, and a damaged one begins anew', () => {
  const state = { ...NEW_STARTUP, answered: ['x'], sent: 2 }
  expect(asStartupState(JSON.parse(JSON.stringify(state)))).toEqual(state)
  for (const bad of [null, 4, {}, { ...state, sent: -1 }, { ...state, answered: [1] }]) {
    expect(asStartupState(bad)).toEqual(NEW_STARTUP)
  }
})

test('a command that the program lost while it started is typed again', async () => {
  const program = (typed: readonly string[]) => (typed.length > 2 ? echoed(typed.slice(2)) : INPUT)
  const agent = await setUp(program, startup({ commands: [command('go on')] }))
  await agent.run()
  expect(agent.typed).toEqual(['go on', '<Enter>', 'go on', '<Enter>'])
})
