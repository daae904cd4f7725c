import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Bottle } from '../../../src-preload/contract/index.ts'
import { OUT } from '../../support/icebox-home.ts'
import { makeTestBottles, SHELL_AGENT, type TestBottles } from '../../support/test-bottles.ts'

const CLI = `"${process.execPath}" "${join(OUT, 'main/cli.js')}"`
const LOG = '"$ICEBOX_HOME/log"'
/** Without those that need a process of their own to look after the agent. */
const POINTS = [
  ...['pre_start', 'post_start', 'pre_stop', 'post_stop', 'pre_freeze', 'post_freeze', 'on_resume'],
  ...['on_compact', 'on_restart'],
]

let tests: TestBottles
let log: string

beforeAll(async () => {
  tests = await makeTestBottles('backend: host')
  log = join(tests.home.dir, 'log')
})
afterAll(() => tests.dispose())
beforeEach(() => rm(log, { force: true }))

const lines = async (): Promise<readonly string[]> => {
  const text = await readFile(log, 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}

/** An agent whose program is a shell script, with hooks; each runs with its answers in the same log. */
async function agentWith(name: string, hooks: Readonly<Record<string, string | readonly string[]>>) {
  const entries = Object.entries(hooks).flatMap(([point, runs]) => [
    `  ${point}:`,
    ...[runs].flat().map((run) => `    - ${run}`),
  ])
  await tests.home.writeAgent(name, `${SHELL_AGENT}\nhooks:\n${entries.join('\n')}`)
}

const yaml = (run: string, required = false) => JSON.stringify(required ? { run, required } : run)

/** Starts an agent that waits for the end, as people leave them. */
async function start(agent: string, script: string, label = agent): Promise<string> {
  return new Promise((resolve, reject) => {
    tests.icebox.bottles
      .start(
        {
          agent,
          mode: 'headless',
          prompt: script,
          label,
          cwd: join(tests.home.dir, 'cwd'),
          onLaunched: ({ slug }) => resolve(slug),
        },
        tests.context(),
      )
      .catch(reject)
  })
}

async function rowOf(slug: string): Promise<Bottle | undefined> {
  const rows = await tests.icebox.bottles.list(new AbortController().signal)
  return rows.find((row) => row.slug === slug)
}

const code = (thrown: Promise<unknown>) =>
  thrown.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  )

test('weakness 01: a life of start, freeze, stop, resume, restart and fork runs each hook once, in order', async () => {
  const say = yaml(`echo "$ICEBOX_HOOK $ICEBOX_SLUG $ICEBOX_HOOK_CTX_CAUSE$ICEBOX_HOOK_CTX_REASON" >>${LOG}`)
  await agentWith('alive', Object.fromEntries(POINTS.map((point) => [point, say])))
  const { bottles } = tests.icebox
  const slug = await start('alive', 'echo work >work; sleep 600')
  expect(await lines()).toEqual(['pre_start alive start', 'post_start alive start'])
  const seen = (await lines()).length
  await bottles.freeze({ slug }, tests.context())
  await bottles.stop(slug, {}, tests.context())
  await bottles.stop(slug, {}, tests.context())
  await bottles.freeze({ slug }, tests.context())
  expect((await lines()).slice(seen)).toEqual([
    'pre_freeze alive user',
    'post_freeze alive user',
    'pre_stop alive stop',
    'post_stop alive stop',
  ])
  await rm(log)
  await bottles.resume({ slug, mode: 'headless', prompt: 'echo more >more' }, tests.context())
  expect(await lines()).toEqual([
    'pre_start alive resume',
    'post_start alive resume',
    'on_resume alive resume',
  ])
  await rm(log)
  await bottles.fork(
    { slug, count: 1, mode: 'headless', prompt: 'true', label: 'other', cwd: tests.home.dir },
    tests.context(),
  )
  expect(await lines()).toEqual([
    'pre_freeze alive before-fork',
    'post_freeze alive before-fork',
    'pre_start other fork',
    'post_start other fork',
  ])
  const { configured, journal } = await bottles.hooks(slug)
  expect(Object.keys(configured).toSorted()).toEqual([...POINTS].toSorted())
  expect(journal.map(({ outcome }) => outcome)).toEqual(Array(journal.length).fill('done'))
})

test('a restart stops and starts, with all four hooks once, and a trial changes nothing', async () => {
  const say = yaml(`echo "$ICEBOX_HOOK $ICEBOX_HOOK_CTX_CAUSE $ICEBOX_HOOK_TRIAL" >>${LOG}`)
  await tests.home.writeAgent(
    'again',
    `provider: custom\nbottle: box\ncommand: {headless: [sh, -c, 'sleep 600'], resume: [sh, -c, 'sleep 600']}\nhooks: {pre_start: [${say}], post_start: [${say}], pre_stop: [${say}], post_stop: [${say}]}`,
  )
  const slug = await start('again', 'go')
  await rm(log)
  const launched = new AbortController()
  await tests.icebox.bottles
    .restart(slug, tests.context({ signal: launched.signal }), { onLaunched: () => launched.abort() })
    .catch((error: unknown) => expect(error).toMatchObject({ code: 'cancelled' }))
  expect(await lines()).toEqual([
    'pre_stop restart ',
    'post_stop restart ',
    'pre_start restart ',
    'post_start restart ',
  ])
  await rm(log)
  const [record] = await tests.icebox.bottles.tryHook(slug, 'pre_stop', new AbortController().signal)
  expect(record).toMatchObject({ isTrial: true, outcome: 'done' })
  expect(await lines()).toEqual(['pre_stop restart 1'])
  expect((await rowOf(slug))?.state).toBe('running')
})

test('weakness 02: a required pre_start hook that fails or hangs leaves nothing behind', async () => {
  await agentWith('refused', {
    pre_start: yaml('echo no room; exit 9', true),
    post_start: yaml(`echo post >>${LOG}`),
  })
  await expect(start('refused', 'sleep 600')).rejects.toMatchObject({
    code: 'hook-failed',
    slug: 'refused',
    detail: 'no room\n',
  })
  await agentWith('hanging', { pre_start: '{run: "sleep 600", required: true, timeout: 1}' })
  await expect(start('hanging', 'sleep 600')).rejects.toMatchObject({ code: 'hook-failed' })
  for (const name of ['refused', 'hanging'])
    expect(existsSync(join(tests.home.dir, 'state', name))).toBe(false)
  expect(await rowOf('refused')).toBeUndefined()
  expect(await lines()).toEqual([])
})

test('a required pre_stop hook keeps the agent running, unless the stop is forced', async () => {
  await agentWith('busy', {
    pre_stop: [yaml('exit 1', true), yaml(`echo second >>${LOG}`)],
    post_stop: yaml(`echo stopped >>${LOG}`),
  })
  const slug = await start('busy', 'sleep 600')
  const { bottles } = tests.icebox
  expect(await code(bottles.stop(slug, {}, tests.context()))).toBe('hook-failed')
  expect((await rowOf(slug))?.state).toBe('running')
  expect(await lines()).toEqual([])
  await bottles.stop(slug, { graceSeconds: 0, force: true }, tests.context())
  expect((await rowOf(slug))?.state).not.toBe('running')
  expect(await lines()).toEqual(['second', 'stopped'])
  expect(tests.notices.join('\n')).toContain('The pre_stop hook “exit 1” ended with 1')
})

test('a stop that comes while the agent is being launched waits for it and then asks its hooks', async () => {
  await agentWith('early', {
    pre_start: yaml(`touch "$ICEBOX_HOME/begun"; sleep 0.5`),
    pre_stop: yaml(`echo "pre_stop $ICEBOX_RUN" >>${LOG}`),
  })
  const started = start('early', 'sleep 600')
  await expect.poll(() => existsSync(join(tests.home.dir, 'begun')), { timeout: 20_000 }).toBe(true)
  await tests.icebox.bottles.stop('early', {}, tests.context())
  await started
  const run = (await tests.icebox.bottles.detail('early', new AbortController().signal)).runs[0]
  expect(await lines()).toEqual([`pre_stop ${run?.id}`])
  expect(tests.notices.join()).not.toContain('could not be run')
})

test('a start that is cancelled in its hook leaves nothing behind', async () => {
  await agentWith('left', { pre_start: yaml(`touch "$ICEBOX_HOME/waits"; sleep 600`) })
  const controller = new AbortController()
  const request = {
    agent: 'left',
    mode: 'headless',
    prompt: 'true',
    label: 'left',
    cwd: tests.home.dir,
  } as const
  const starting = tests.icebox.bottles.start(request, tests.context({ signal: controller.signal }))
  const failed = code(starting)
  await expect.poll(() => existsSync(join(tests.home.dir, 'waits')), { timeout: 20_000 }).toBe(true)
  controller.abort()
  expect(await failed).toBe('cancelled')
  expect(existsSync(join(tests.home.dir, 'state', 'left'))).toBe(false)
})

test('a required pre_freeze hook keeps every freeze from happening, and nothing is lost', async () => {
  await agentWith('closed', {
    pre_freeze: yaml(`test -e "$ICEBOX_HOME/open"`, true),
    post_freeze: yaml(`echo "$ICEBOX_HOOK_CTX_SNAPSHOT" >>${LOG}`),
  })
  const slug = await start('closed', 'echo work >work; sleep 600')
  const { bottles } = tests.icebox
  expect(await code(bottles.freeze({ slug }, tests.context()))).toBe('hook-failed')
  expect(await code(bottles.freeze({ slug, reason: 'rule' }, tests.context()))).toBe('hook-failed')
  expect(await bottles.snapshots(slug)).toEqual([])
  expect(existsSync(join(tests.home.dir, 'state', slug, 'intent.json'))).toBe(false)
  expect((await rowOf(slug))?.state).toBe('running')
  await bottles.stop(slug, {}, tests.context())
  // A resume freezes newer work first; what may not be frozen is not replaced.
  expect(await code(bottles.resume({ slug, mode: 'headless', prompt: 'true' }, tests.context()))).toBe(
    'hook-failed',
  )
  expect(await code(bottles.destroy({ slug, freeze: true }, tests.context()))).toBe('hook-failed')
  await writeFile(join(tests.home.dir, 'open'), '')
  const { snapshot } = await bottles.freeze({ slug }, tests.context())
  expect(await lines()).toEqual([snapshot.id])
})

test('hooks may call Icebox for their own bottle: looking never waits, the same again is busy at once', async () => {
  await agentWith('caller', {
    pre_start: yaml(`${CLI} info "$ICEBOX_SLUG" --quiet >>${LOG}`),
    pre_stop: [
      yaml(`${CLI} freeze "$ICEBOX_SLUG" --quiet >>${LOG} 2>&1; echo "freeze $?" >>${LOG}`),
      yaml(`${CLI} stop "$ICEBOX_SLUG" --json 2>&1 | grep -o '"code":"[a-z-]*"' >>${LOG}`),
    ],
    pre_freeze: yaml(`${CLI} freeze "$ICEBOX_SLUG" --json 2>&1 | grep -o '"code":"[a-z-]*"' >>${LOG}`),
    post_freeze: yaml(
      `${CLI} note "$ICEBOX_SLUG@$ICEBOX_HOOK_CTX_SNAPSHOT" kept --quiet; echo "note $?" >>${LOG}`,
    ),
  })
  const slug = await start('caller', 'echo work >work; sleep 600')
  await tests.icebox.bottles.stop(slug, {}, tests.context())
  const [snapshot] = await tests.icebox.bottles.snapshots(slug)
  expect(snapshot).toMatchObject({ note: 'kept' })
  expect(await lines()).toEqual([
    'caller',
    '"code":"busy"',
    'note 0',
    expect.stringContaining(snapshot?.id ?? 'no snapshot'),
    'freeze 0',
    '"code":"busy"',
  ])
})

test('the last words of an agent’s hooks are in the journal without its secrets', async () => {
  const canary = 'canary-1f9d7e30ab'
  await tests.home.writeAgent(
    'secret',
    `${SHELL_AGENT}\nhooks: {post_start: [${yaml('cat "$ICEBOX_HOME/spilled"; echo "[$TOKEN_OF_TEST]"')}]}`,
  )
  await writeFile(join(tests.home.dir, 'spilled'), canary)
  const { slug } = await tests.icebox.bottles.start(
    {
      agent: 'secret',
      mode: 'headless',
      prompt: 'true',
      label: 'secret',
      cwd: join(tests.home.dir, 'cwd'),
      secrets: { TOKEN_OF_TEST: canary },
      secretNames: ['TOKEN_OF_TEST'],
    },
    tests.context(),
  )
  const { journal } = await tests.icebox.bottles.hooks(slug)
  expect(journal).toMatchObject([{ point: 'post_start', output: '[secret][]\n' }])
})

test('a bottle without hooks has no file of hooks', async () => {
  const { slug } = await tests.run('true', 'plain')
  await tests.icebox.bottles.freeze({ slug }, tests.context())
  expect(existsSync(join(tests.home.dir, 'state', slug, 'agent', 'hooks.jsonl'))).toBe(false)
  expect(await tests.icebox.bottles.hooks(slug)).toEqual({ configured: {}, journal: [] })
  await expect(
    tests.icebox.bottles.tryHook(slug, 'pre_stop', new AbortController().signal),
  ).rejects.toMatchObject({
    code: 'not-found',
  })
})
