import { spawn } from 'node:child_process'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { AgentDefinition } from '../../../../src-main/agents/definitions.ts'
import { INBOX, turnsCommand } from '../../../../src-main/agents/turns/turns-command.ts'
import { MESSAGE_END } from '../../../../src-main/agents/turns/turns-script.ts'
import { type Scenario, scriptedAgent, scriptedLog } from '../../../support/scripted-agent/scripted-agent.ts'
import { tempFolder } from '../../../support/test-root.ts'
import { agentWith, commandsOf } from './agent.ts'

vi.setConfig({ testTimeout: 60_000 })
const PATIENCE = { timeout: 20_000 }

async function place(scenario: Scenario = {}, name = 'claude') {
  const dir = await tempFolder()
  await scriptedAgent(join(dir, 'bin'), scenario, name)
  return dir
}

/** Starts the runner in a folder as a launch would; ends with the test. */
async function start(home: string, agent: AgentDefinition, prompt: string | null = null) {
  const command = turnsCommand({
    agent,
    prompt,
    session: { sessionId: null, isResuming: false },
    skipPermissions: true,
    args: [],
    workdir: home,
  })
  for (const [path, text] of Object.entries(command.homeFiles)) {
    await mkdir(dirname(join(home, path)), { recursive: true })
    await writeFile(join(home, path), text)
  }
  const [file = '', ...args] = command.argv
  const env = { HOME: home, PATH: `${home}/bin:${process.env.PATH}` }
  const child = spawn(file, args, { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await ended
  })
  return {
    ended,
    child,
    output: () => output,
    send: async (name: string, text: string) => {
      await writeFile(join(home, 'draft'), text)
      await rename(join(home, 'draft'), join(home, INBOX, name))
    },
    state: async () => {
      const text = await readFile(join(home, '.icebox/heartbeat.json'), 'utf8').catch(() => '{}')
      return (JSON.parse(text) as { state?: string }).state
    },
    turns: async () =>
      (await scriptedLog(home)).filter((line) => line.startsWith('turn ')).map((line) => line.slice(5)),
  }
}

test.each(['claude', 'codex', 'pi'] as const)(
  '%s: the mission, then each message, in one conversation',
  async (name) => {
    const home = await place({}, name)
    await mkdir(join(home, INBOX), { recursive: true })
    await writeFile(join(home, INBOX, '2.txt'), '!count')
    await writeFile(join(home, INBOX, '1.txt'), 'first of two\nlines')
    const runner = await start(
      home,
      agentWith({ startup: commandsOf('mission', '@second') }, { provider: name }),
      'the "prompt" $HOME',
    )
    await expect.poll(runner.output, PATIENCE).toContain('5 messages')
    expect((await runner.turns()).slice(0, 3)).toEqual([
      'the "prompt" $HOME',
      'mission',
      expect.stringMatching(/^ ?@second$/),
    ])
    await expect.poll(async () => readdir(join(home, INBOX)), PATIENCE).toEqual([])
    const ids = (await scriptedLog(home))
      .filter((line) => line.startsWith('session '))
      .map((line) => line.split(' ').at(-1))
    expect(new Set(ids).size).toBe(1)
    expect((await readFile(join(home, '.icebox/session_id'), 'utf8')).trim()).toBe(ids[0])
    const events = (await readFile(join(home, '.icebox/session.jsonl'), 'utf8')).trim().split('\n')
    const echoes = events
      .map((line) => JSON.parse(line) as { type: string; text?: string })
      .filter(({ type }) => type === 'user_echo')
    expect(echoes.map(({ text }) => text)).toContain('first of two\nlines')
  },
)

test('a message counts once its last line has come', async () => {
  const home = await place()
  const runner = await start(home, agentWith({}))
  await expect.poll(runner.state, PATIENCE).toBe('idle')
  await runner.send('1.msg', 'half')
  await runner.send('2.msg', `whole\n${MESSAGE_END}\n`)
  await expect.poll(runner.turns, PATIENCE).toEqual(['whole'])
  await runner.send('1.msg', `half and half\n${MESSAGE_END}\n`)
  await expect.poll(runner.turns, PATIENCE).toEqual(['whole', 'half and half'])
})

test('driven by itself it ends with 0 once the reply holds the text', async () => {
  const home = await place({ reply: 'all is DONE here' })
  const autonomous = {
    enabled: true,
    driveUntil: 'is DONE',
    maxTurns: 5,
    idleKickSeconds: 1,
    kickText: 'go on',
  }
  const runner = await start(home, agentWith({ autonomous, startup: commandsOf('say DONE when it is DONE') }))
  expect(await runner.ended).toBe(0)
  expect(await runner.turns()).toEqual(['say DONE when it is DONE'])
})

test('and with 1 after the most turns, kicked while it is idle', async () => {
  const home = await place({ reply: 'not yet' })
  const autonomous = { enabled: true, driveUntil: 'DONE', maxTurns: 2, idleKickSeconds: 1, kickText: 'go on' }
  const runner = await start(home, agentWith({ autonomous, startup: commandsOf('try') }))
  expect(await runner.ended).toBe(1)
  expect(await runner.turns()).toEqual(['try', 'go on'])
})

test('asked to end it ends with 0: at once while idle, else after its turn; what was cut short comes again', async () => {
  const home = await place()
  const idle = await start(home, agentWith({}))
  await expect.poll(idle.state, PATIENCE).toBe('idle')
  idle.child.kill('SIGTERM')
  expect(await idle.ended).toBe(0)
  expect(await idle.state()).toBe('stopping')

  const busy = await start(home, agentWith({}), '!work 1')
  await expect.poll(busy.state, PATIENCE).toBe('working')
  busy.child.kill('SIGTERM')
  expect(await busy.ended).toBe(0)
  expect(await scriptedLog(home)).toContain('exit 0')

  const cut = await start(home, agentWith({}), '!work 30')
  await expect.poll(async () => (await cut.turns()).at(-1), PATIENCE).toBe('!work 30')
  cut.child.kill('SIGTERM')
  expect(await cut.ended).toBe(0)
  const next = await start(home, agentWith({}), null)
  await expect
    .poll(async () => (await next.turns()).filter((text) => text === '!work 30'), PATIENCE)
    .toHaveLength(2)
  next.child.kill('SIGTERM')
  await next.ended
  const third = await start(home, agentWith({}), null)
  await expect.poll(third.state, PATIENCE).toBe('idle')
  expect((await third.turns()).filter((text) => text === '!work 30')).toHaveLength(2)
  expect(await readdir(join(home, '.icebox/undone'))).toHaveLength(1)
})

test('a program that is not there ends it with its code; a failed turn does not', async () => {
  const home = await place({}, 'other')
  const missing = await start(home, agentWith({}, { provider: 'pi' }), 'x')
  expect(await missing.ended).toBe(127)
  const failing = await start(await place(), agentWith({ startup: commandsOf('!crash 3', 'after') }))
  await expect.poll(failing.turns, PATIENCE).toEqual(['!crash 3', 'after'])
})

test('a process that the agent leaves behind does not hold its turn', async () => {
  const home = await place()
  const line = (text: string) => [
    '/bin/sh',
    '-c',
    'sleep 60 & echo "$1"; kill -0 $!; echo $! >left',
    'x',
    text,
  ]
  const agent = agentWith(
    {},
    { provider: 'custom', command: { headless: line('{prompt}'), interactive: null, resume: null } },
  )
  const runner = await start(home, agent, 'hello')
  onTestFinished(async () => void process.kill(Number(await readFile(join(home, 'left'), 'utf8'))))
  await expect.poll(runner.output, PATIENCE).toContain('hello')
  await expect.poll(runner.state, PATIENCE).toBe('idle')
})
