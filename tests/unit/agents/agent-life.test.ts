import { describe, expect, it, test } from 'vitest'
import type { AgentDefinition } from '../../../src-main/agents/definitions.ts'
import { DEFAULT_LIFECYCLE } from '../../../src-main/agents/lifecycle.ts'
import { parseAgent } from '../../../src-main/agents/parse-manifest.ts'
import type { ManifestProblem } from '../../../src-main/agents/problems.ts'
import { v3, validAgent } from './yaml/yaml-agent.ts'

const read = (yaml: string) =>
  parseAgent(`---\n${yaml}\n---\nBe careful.\n`, {
    name: 'worker',
    file: '/r/agents/worker/worker.md',
    source: 'home',
    homeDir: '/home/me',
  })

async function agent(yaml: string): Promise<AgentDefinition> {
  const parsed = await read(yaml)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

async function problems(yaml: string): Promise<readonly ManifestProblem[]> {
  const parsed = await read(yaml)
  return parsed.ok ? [] : parsed.problems
}

test('a manifest without the new keys is as it always was', async () => {
  const plain = await agent(
    'bottle: box\nskills: [review]\nhealth: {command: [true], timeout: 20}\nmodel: opus',
  )
  expect(plain.lifecycle).toEqual(DEFAULT_LIFECYCLE)
  expect(plain).toMatchObject({ skills: ['review'], health: { command: ['true'], timeout: 20 } })
  expect(plain).not.toHaveProperty('skipsPermissions')
})

/** Keys that both kinds of file have, none at its default. */
const SHARED = `runtime: turns
session: continue
startup: {ready_patterns: ["^>"], ready_timeout_seconds: 5, commands: [go, {delay: 2, command: on}], answers: [{pattern: Trust, keys: Enter}]}
hooks: {pre_freeze: [sync], on_resume: [{url: "https://example.org/x", timeout: 3, required: true}]}
restart: {policy: always, max_retries: 9, window: 60, backoff: {initial: 2, max: 4, multiplier: 1.5, jitter: 0.5}}
health: {enabled: true, interval: 10, timeout: 3, stuck: 120, command: [test, -f, ready]}
context_management: {strategy: freeze, trigger_at_percent: 55, freeze_first: false}
auto_freeze: {on_exit: true, every_minutes: 20}
autonomous: {enabled: true, max_turns: 3}
env-file: [~/a.env, b.env]
python-venv: .venv
multiplexer: screen
screen: {name: known-as}
mcp_servers: {hub: {command: hub, args: ["\${metadata.name}", "\${metadata.labels.role}"]}}
claude: {channels: [x], flags: [--verbose], continue_max_age_minutes: 5, resume_id: abc, auto_accept: false}
skills: {required: [review], available: [deploy]}
listen: [{port: 80, proto: udp, name: n, owner: o}]
extensions: {a: {b: 1}}
x-own: [1]`

test('Markdown and YAML say the same under the same names', async () => {
  const markdown = await agent(`bottle: box\nlabels: {role: lead}\n${SHARED}`)
  const yaml = await validAgent(v3(SHARED).replace('spec:', 'metadata: {labels: {role: lead}}\nspec:'))
  expect(markdown.lifecycle).toEqual(yaml.lifecycle)
  expect(markdown.health).toEqual(yaml.health)
  expect(markdown.systemPrompt).toBe('Be careful.')
  expect(markdown.lifecycle).toMatchObject({
    runtime: 'turns',
    session: { mode: 'continue', maxAgeMinutes: 5, resumeId: 'abc' },
    envFiles: ['/home/me/a.env', '/r/agents/worker/b.env'],
    later: { 'x-own': [1] },
  })
})

describe('Markdown', () => {
  it('takes the names of runtimes of agent YAML, where they fit', async () => {
    expect((await agent('runtime: claude-code')).lifecycle.runtime).toBe('terminal')
    expect((await agent('runtime: claude-session')).lifecycle.runtime).toBe('turns')
    expect(await problems('runtime: claude-code\nprovider: codex')).toMatchObject([
      { line: 2, hint: 'Write `terminal` or `turns`.' },
    ])
    expect(await problems('runtime: slurm')).toMatchObject([{ line: 2 }])
  })

  it('skills stay a list of folders, or are a map of names', async () => {
    const named = await agent('skills: {required: [A skill]}')
    expect(named.skills).toEqual([])
    expect(named.lifecycle.workspace.skillsRequired).toEqual(['A skill'])
  })

  it.each([
    ['sesion: new', 2, 'Did you mean “session”?'],
    ['hooks:\n  pre_freze: x', 3, 'Did you mean “pre_freeze”?'],
    ['claude:\n  flag: [x]', 3, 'Did you mean “flags”?'],
    ['claude: {flags: ["--say \'open"]}', 2, 'Write flag and value as two items.'],
    ['claude: {resume_id: "--help"}', 2, 'It may hold letters, digits, dots, colons and hyphens.'],
    ['hooks: {pre_stop: [{run: x, url: "http://y"}]}', 2, null],
    ['hooks: {pre_stop: ["https://"]}', 2, null],
    ['hooks: {pre_stop: [{run: x, timeout: 0}]}', 2, 'Write a number from 1 to 3600.'],
    ['hooks: {pre_stop: [{run: x, required: maybe}]}', 2, null],
    ['screen: {nam: x}', 2, 'Known: name.'],
    ['screen: {name: "a b"}', 2, 'Use letters, digits, dots and hyphens.'],
    ['auto_freeze: {on_exit: often}', 2, null],
    ['restart: {max_retries: 1.5}', 2, 'Write a whole number from 0 to 1000.'],
    ['startup: {answers: [{pattern: x}]}', 2, 'For example: {pattern: "Trust this", keys: [1, Enter]}'],
    ['listen: [port]', 2, null],
    ['env-file: ["a\\nb"]', 2, null],
    ['health: {enabled: true, interval: 0}', 2, 'Write a number from 1 to 86400.'],
    ['x-: 1', 2, expect.anything()],
  ])('%s is an error', async (yaml, line, hint) => {
    expect(await problems(yaml)).toMatchObject([{ line, hint }])
  })

  it('never repeats the query of an address, which may hold a token', async () => {
    const found = await problems('hooks: {pre_stop: ["https://me:pass@ex ample.org/x?token=canary"]}')
    expect(found).toHaveLength(1)
    expect(JSON.stringify(found)).not.toMatch(/canary|pass/)
  })
})
