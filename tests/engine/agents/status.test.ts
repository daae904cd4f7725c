import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBackends } from '../../../src-main/backends/registry.ts'
import { readSample } from '../../../src-main/state/agent-sample.ts'
import { latestRun, requireMetadata } from '../../../src-main/state/metadata.ts'
import { scriptedImage } from '../../support/scripted-agent/scripted-agent.ts'
import { makeSupervisedWorld, type SupervisedWorld, until } from '../../support/supervised-world.ts'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

type Status = Readonly<Record<string, unknown>>

const NEVER = new AbortController().signal
const TOKEN = 'ghp_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC2'

/** What another process prints, once what is waited for is there: each look at that costs a process. */
async function statusOf(
  bottles: TestBottles,
  slug: string,
  shows: (status: Status) => boolean,
): Promise<Status> {
  await until(`the status of ${slug}`, async () => shows(await bottles.icebox.bottles.status(slug, NEVER)))
  return (await bottles.home.must(['status', slug])).json as Status
}

/** Types a line, whatever becomes of it. */
async function typeInto({ icebox: { root } }: TestBottles, slug: string, text: string): Promise<void> {
  const run = latestRun(await requireMetadata(root, slug))
  if (!run?.ref) throw new Error(`${slug} does not run`)
  const backends = createBackends({ rootId: root.id, home: root.dir, env: process.env })
  const access = await (await backends.get(run.ref.backend)).access?.()
  await access?.type(run.ref, [{ text }, { pauseMs: 400 }, { key: 'Enter' }], NEVER)
}

describe('an agent of this machine', () => {
  let world: SupervisedWorld
  let slug: string

  beforeAll(async () => {
    world = await makeSupervisedWorld({ step: 0, tokens: 20_000 })
    await world.supervise()
    await world.agent(
      'thinker',
      `runtime: terminal
model: sonnet
health: { enabled: true, interval: 1, stuck: 3 }
context_management: { strategy: warn, trigger_at_percent: 90 }
hooks: { on_diff: ['true', 'true'] }
listen: [{ port: 8080, name: page }]
extensions: { colour: blue }`,
    )
    slug = await world.begin('thinker')
    await until('it waits', async () => (await world.sample(slug))?.state === 'waiting')
  })
  afterAll(() => world.dispose())

  const say = (text: string): Promise<void> => world.say(slug, text)

  test('weakness 04: another process sees the live context percent, and how fresh it is', async () => {
    await say('!tokens 101000')
    await say('go on')
    const status = await statusOf(
      world,
      slug,
      (found) => found.last_user_msg === 'go on' && found.agent_state === 'waiting' && found.reason === null,
    )
    expect(status).toMatchObject({
      name: slug,
      slug,
      status: 'running',
      state: 'running',
      runtime: 'claude-code',
      model: 'claude-sonnet-4-5-20250929',
      context_percent: 50.5,
      context_management: { percent: 50.5, strategy: 'warn', trigger_at_percent: 90 },
      context_tokens: 101_000,
      context_window: 200_000,
      agent_meta: { alive: 'yes', context_pct: 50.5 },
      hooks_configured: { on_diff: 2, pre_start: 0 },
      listen: [{ port: 8080, proto: 'tcp', path: null, name: 'page', owner: '' }],
      extensions: { colour: 'blue' },
      supervised: true,
      multiplexer: 'tmux',
      last_user_msg: 'go on',
      pane_state: 'idle_prompt',
      alive: 'yes',
      waiting: 'yes',
      stuck: 'no',
    })
    expect(Date.parse(String(status.sampled_at))).toBeGreaterThan(Date.parse(String(status.started_at)))
    expect(status.config).toBe(join(world.home.dir, 'agents/thinker.md'))
    const [row] = (await world.home.must(['list'])).json as readonly Status[]
    expect(row).toMatchObject({ agentState: 'waiting', health: { contextPercent: 50.5 } })
  })

  test('weakness 10: what it does and what keeps it from it is told apart', async () => {
    await say('!work 3')
    // Its hook tells that it works a moment before its screen does.
    const working = await statusOf(
      world,
      slug,
      (found) => found.agent_state === 'working' && found.pane_state === 'running',
    )
    expect(working.waiting).toBe('no')
    await statusOf(world, slug, (found) => found.agent_state === 'waiting')

    await say(`!ask Send ${TOKEN}?`)
    const asked = await statusOf(world, slug, (found) => found.reason !== null)
    expect(asked).toMatchObject({
      agent_state: 'waiting',
      reason: 'Do you want to proceed?',
      pane_state: 'y_n_prompt',
      snapshot: { has_diff: true },
    })
    expect(asked.pane_text).toContain('Send ***')
    expect(JSON.stringify(asked)).not.toContain(TOKEN)
    await typeInto(world, slug, '1')
    // What is typed before its question is gone goes to the question.
    await statusOf(world, slug, (found) => found.pane_state === 'idle_prompt' && found.reason === null)

    await say('!limit')
    expect(await statusOf(world, slug, (found) => found.agent_state === 'limited')).toMatchObject({
      reason: "You've hit your limit · resets 5pm (UTC)",
      limited: 'yes',
      pane_state: 'limit_reached',
    })
    await say('!logout')
    expect(await statusOf(world, slug, (found) => found.agent_state === 'signed-out')).toMatchObject({
      signed_in: 'no',
      pane_state: 'auth_error',
    })
    await say('!agents 2')
    await statusOf(world, slug, (found) => found.subagent_count === 2 && found.agent_state === 'waiting')
    await say('!hang')
    expect(await statusOf(world, slug, (found) => found.agent_state === 'stuck')).toMatchObject({
      alive: 'yes',
      responsive: 'no',
      stuck: 'yes',
    })
  })

  test('an end is an end, and a bottle that nobody looks after is told as that', async () => {
    await world.icebox.bottles.stop(slug, { graceSeconds: 1 }, world.context())
    expect(await statusOf(world, slug, ({ status }) => status === 'stopped')).toMatchObject({
      alive: 'no',
    })
    const plain = await world.launch('sleep 60')
    expect((await world.home.must(['status', plain.slug])).json).toMatchObject({
      status: 'running',
      supervised: false,
      sampled_at: null,
      alive: 'unknown',
      agent_meta: null,
      context_management: null,
      context_percent: null,
    })
    await world.icebox.bottles.stop(plain.slug, { graceSeconds: 0 }, world.context())
    await plain.ended
    expect(await world.home.icebox(['status', 'nobody'])).toMatchObject({ code: 1, errorCode: 'not-found' })
  })
})

describe('an agent in a container', () => {
  let bottles: TestBottles
  const ending = new AbortController()
  let supervising: Promise<unknown> = Promise.resolve()

  beforeAll(async () => {
    const image = await scriptedImage({ step: 0, tokens: 20_000 }, 'codex')
    bottles = await makeTestBottles(`backend: docker\nimage: ${image}`)
    supervising = bottles.icebox.supervise({ kind: 'serve', warn: () => undefined, signal: ending.signal })
  })
  afterAll(async () => {
    ending.abort()
    await supervising
    await bottles.dispose()
  })

  test('weakness 04: its context, limits and state are seen from another process', async () => {
    await bottles.home.writeAgent('coder', 'provider: codex\nbottle: box\nruntime: terminal')
    const { slug } = await bottles.icebox.bottles.start(
      {
        agent: 'coder',
        mode: 'headless',
        label: 'coder',
        cwd: join(bottles.home.dir, 'cwd'),
        allowMissingSecrets: true,
      },
      bottles.context(),
    )
    await until('it waits', async () => (await readSample(bottles.icebox.root, slug))?.state === 'waiting')
    const say = (text: string) => typeInto(bottles, slug, text)
    await say('!tokens 136000')
    await say('go on')
    const status = await statusOf(
      bottles,
      slug,
      (found) => found.last_user_msg === 'go on' && found.agent_state === 'waiting' && found.reason === null,
    )
    expect(status).toMatchObject({
      status: 'running',
      agent_state: 'waiting',
      model: 'gpt-5-codex',
      context_percent: 50,
      context_window: 272_000,
      quota_5h_used_pct: 12,
      quota_7d_used_pct: 34,
      last_user_msg: 'go on',
      multiplexer: '',
    })
    await say('!crash 3')
    expect(await statusOf(bottles, slug, ({ status }) => status === 'stopped')).toMatchObject({
      state: 'failed',
      exitCode: 3,
      alive: 'no',
    })
  })
})
