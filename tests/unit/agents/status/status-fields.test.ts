import { describe, expect, test } from 'vitest'
import { DEFAULT_LIFECYCLE } from '../../../../src-main/agents/lifecycle.ts'
import { paneFacts } from '../../../../src-main/agents/status/pane-state.ts'
import { type StatusInput, statusFields } from '../../../../src-main/agents/status/status-fields.ts'
import { mcpJsonText, skillsIn } from '../../../../src-main/agents/status/workspace-facts.ts'
import { bottleRow } from '../../../../src-main/bottles/state-model.ts'
import { ROOT_ID, sampleFact, sampleMetadata, sampleRun } from '../../../support/samples.ts'
import { event, lifecycle, NOW, sample, screenOf } from '../observe/agent-world.ts'
import * as screens from '../observe/screens.ts'

const runs = [sampleRun({ interactive: true })]

function rowOf(runtime: ReturnType<typeof sampleFact> | null | undefined, seen = sample()) {
  return bottleRow({
    slug: 'web',
    rootId: ROOT_ID,
    metadata: sampleMetadata({}, { runs }),
    isCorrupt: false,
    snapshots: [],
    current: null,
    intent: null,
    runtime,
    engineTitle: 'Docker',
    sample: seen,
  })
}

const given = (over: Partial<StatusInput> = {}) =>
  statusFields({
    row: rowOf(sampleFact()),
    config: '/d/agents/reviewer.md',
    agent: { model: 'sonnet', lifecycle: lifecycle() },
    sample: sample(),
    diff: null,
    events: [],
    claudeMd: null,
    mcpJson: null,
    pid: null,
    workdir: '/work',
    machine: { name: 'box', canonical: 'box' },
    metrics: { load1: 1 },
    now: NOW + 5_000,
    ...over,
  })

test('every field of the seed is there under its own name', () => {
  const seed =
    'name config screen started_at status model runtime hooks_configured listen extensions context_management agent_meta ' +
    'snapshot multiplexer pid subagent_count subagents last_activity context_pct current_tool current_tool_input ' +
    'last_user_msg current_task skills_loaded machine hostname_canonical workdir project quota_5h_used_pct ' +
    'quota_5h_reset_at quota_7d_used_pct quota_7d_reset_at quota_from_cache quota_error metrics pane_text pane_state ' +
    'stuck_prompt_text claude_md mcp_json recent_tools recent_prompts agent_calls background_tasks tool_counts ' +
    'last_tool_at last_tool_name last_mcp_tool_at last_mcp_tool_name'
  const found = given()
  expect(seed.split(' ').filter((name) => found[name] === undefined)).toEqual([])
  expect(found).not.toHaveProperty('account_email')
  expect(found).not.toHaveProperty('started_at_transcript')
})

test('one that nobody looked at is unknown in everything but what the records tell', () => {
  const found = given({ sample: null, row: rowOf(sampleFact(), sample({ runId: 'run0' })) })
  expect(found).toMatchObject({
    status: 'running',
    alive: 'unknown',
    waiting: 'unknown',
    signed_in: 'unknown',
    agent_meta: null,
    snapshot: null,
    sampled_at: null,
    context_percent: null,
    pane_text: null,
    model: 'sonnet',
  })
})

test('an engine that does not answer leaves the agent unknown, an ended one is not alive', () => {
  expect(given({ row: rowOf(undefined) })).toMatchObject({
    status: 'unknown',
    alive: 'unknown',
    waiting: 'unknown',
  })
  expect(given({ row: rowOf(sampleFact({ state: 'exited', exitCode: 0 })) })).toMatchObject({
    status: 'stopped',
    alive: 'no',
    waiting: 'unknown',
  })
})

test('a definition that can’t be read makes model and runtime unknown', () => {
  expect(given({ agent: null, sample: null })).toMatchObject({
    model: 'unknown',
    runtime: 'unknown',
    supervised: false,
  })
})

test('hooks are counted and never shown, context management only where it acts', () => {
  const hook = { kind: 'shell', run: 'curl secret', timeoutSeconds: 1, required: false } as const
  const found = given({
    agent: {
      model: null,
      lifecycle: lifecycle({ hooks: { ...DEFAULT_LIFECYCLE.hooks, on_diff: [hook, hook] } }),
    },
  })
  expect(found.hooks_configured).toMatchObject({ on_diff: 2, pre_start: 0 })
  expect(JSON.stringify(found)).not.toContain('curl')
  expect(found.context_management).toBeNull()
  const context = { ...DEFAULT_LIFECYCLE.context, strategy: 'compact' as const }
  expect(given({ agent: { model: null, lifecycle: lifecycle({ context }) } }).context_management).toEqual({
    percent: 40,
    strategy: 'compact',
    trigger_at_percent: 70,
  })
})

test('what a later version acts on is told without its secrets', () => {
  const later = { orochi: { port: 8559, api_token: 'canary' }, remote: { host: 'far', password: 'canary' } }
  const found = given({ agent: { model: null, lifecycle: lifecycle({ later }) } })
  expect(found).toMatchObject({ later: { orochi: { port: 8559 } }, remote: { host: 'far' } })
  expect(JSON.stringify(found)).not.toContain('canary')
})

test('the task is the tool with its input, else what was last asked', () => {
  const task = (over: Parameters<typeof sample>[0]) => given({ sample: sample(over) }).current_task
  expect(task({ currentTool: 'Bash', currentToolInput: 'npm test' })).toBe('Bash: npm test')
  expect(task({ currentTool: 'Bash' })).toBe('Bash')
  expect(task({ lastUserMessage: 'fix it' })).toBe('fix it')
})

test('events become the recent tools, prompts and calls', () => {
  const events = [
    event('prompt', { text: 'go on' }),
    event('tool', { tool: 'Bash', text: 'ls', inBackground: true }),
    event('tool', { tool: 'mcp__chat__send', text: 'hi' }),
    event('tool', { tool: 'Task', text: 'look' }),
    event('tool-done', { tool: 'Task' }),
    ...Array.from({ length: 60 }, () => event('tool', { tool: 'Read' })),
  ]
  const found = given({ events })
  expect(found).toMatchObject({
    recent_prompts: [{ prompt: 'go on' }],
    agent_calls: [{ tool: 'Task', input_preview: 'look' }],
    background_tasks: [{ tool: 'Bash' }],
    tool_counts: { Bash: 1, mcp__chat__send: 1, Task: 1, Read: 60 },
    last_tool_name: 'Read',
    last_mcp_tool_name: 'mcp__chat__send',
  })
  expect(found.recent_tools).toHaveLength(50)
})

describe('what lies in the working folder', () => {
  test('no secret of an MCP file is shown, wherever it stands', () => {
    const text = mcpJsonText(
      JSON.stringify({
        mcpServers: {
          hub: {
            env: { HUB_TOKEN: 'canary1', DEBUG: 'yes' },
            headers: { Authorization: 'Bearer canary2' },
            args: ['--api-key', 'canary3', '--secret=canary4', '--port', '80'],
            secrets: ['canary5'],
          },
        },
      }),
    )
    expect(text).not.toMatch(/canary/)
    expect(text).toContain('"DEBUG": "yes"')
    expect(text).toContain('"80"')
    expect(mcpJsonText('{"half":')).toBeNull()
  })

  test('skills are the lines of their blocks', () => {
    expect(skillsIn('# Title\n```skills\n- one\n\ntwo\n```\ntext\n```sh\nls\n```\n')).toEqual(['one', 'two'])
  })
})

test.each([
  [screens.CLAUDE_WORKING, 'running', null],
  [screens.CLAUDE_SIGNED_OUT, 'auth_error', expect.stringContaining('401')],
  [screens.CLAUDE_LIMIT, 'limit_reached', expect.stringContaining('limit')],
  [screens.CLAUDE_PERMISSION, 'y_n_prompt', 'Do you want to proceed?'],
  [screens.CLAUDE_UNSENT, 'compose_pending_unsent', 'please also fix the tests'],
  [screens.CLAUDE_IDLE, 'idle_prompt', null],
  ['', 'unknown', null],
])('pane states', (screen, state, text) => {
  expect(paneFacts(screenOf(screen).lines)).toEqual({ pane_state: state, stuck_prompt_text: text })
})
