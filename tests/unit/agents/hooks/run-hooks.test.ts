import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readHookJournal } from '../../../../src-main/agents/hooks/hook-journal.ts'
import { createHooks, type HookAgent, tryHooks } from '../../../../src-main/agents/hooks/run-hooks.ts'
import { DEFAULT_LIFECYCLE, type HookEntry } from '../../../../src-main/agents/lifecycle.ts'
import type { HookPoint } from '../../../../src-preload/contract/agents.ts'
import { testRoot } from '../../../support/test-root.ts'

const never = new AbortController().signal
const shell = (run: string, rest: Partial<HookEntry> = {}): HookEntry => ({
  kind: 'shell',
  run,
  timeoutSeconds: 30,
  required: false,
  ...rest,
})
const url = (run: string, rest: Partial<HookEntry> = {}): HookEntry => ({
  kind: 'url',
  run,
  timeoutSeconds: 30,
  required: false,
  ...rest,
})

async function scene(
  point: HookPoint,
  entries: readonly HookEntry[],
  rest: Partial<HookAgent> = {},
  env: NodeJS.ProcessEnv = process.env,
) {
  const root = await testRoot()
  const slug = 'web-1'
  const folder = join(root.dir, 'agents')
  await mkdir(root.path('state', slug))
  const agent: HookAgent = {
    slug,
    runId: 'run-1',
    lifecycle: { hooks: { ...DEFAULT_LIFECYCLE.hooks, [point]: entries } },
    configPath: join(folder, 'web.md'),
    screenName: 'cld-web',
    env: {},
    secrets: [],
    agentName: 'web',
    label: 'Web',
    ...rest,
  }
  const deps = { root, env }
  return {
    root,
    slug,
    folder,
    agent,
    deps,
    hooks: createHooks(deps, agent),
    journal: () => readHookJournal(root, slug),
    journalText: () => readFile(root.path('state', slug, 'agent', 'hooks.jsonl'), 'utf8'),
  }
}

async function serve(answer: (request: IncomingMessage, response: ServerResponse, body: string) => void) {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => answer(request, response, body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Processes of this machine with a text among their arguments; ours carry a nonce. */
async function running(text: string): Promise<readonly string[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    names.map(async (name) => {
      const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
      return line.includes(text) && name !== String(process.pid) ? [line] : []
    }),
  )
  return found.flat()
}

test('weakness 01: every entry of a point runs once, in order, shell and address alike', async () => {
  const calls: string[] = []
  const base = await serve((_request, response, body) => {
    calls.push(body)
    response.end('ok')
  })
  const s = await scene('pre_start', [
    shell('echo one >>order'),
    url(`${base}/hook`),
    shell('echo two >>order'),
  ])
  const records = await s.hooks.run('pre_start', { cause: 'start' }, never)
  expect(records.map(({ kind, outcome, code }) => [kind, outcome, code])).toEqual([
    ['shell', 'done', 0],
    ['url', 'done', 200],
    ['shell', 'done', 0],
  ])
  expect(await readFile(join(s.folder, 'order'), 'utf8')).toBe('one\ntwo\n')
  expect(calls).toEqual([JSON.stringify({ agent: 'web-1', hook: 'pre_start', context: { cause: 'start' } })])
  expect((await s.journal()).map(({ point, runId, isTrial }) => [point, runId, isTrial])).toEqual(
    Array(3).fill(['pre_start', 'run-1', false]),
  )
})

test('weakness 02: a hook that hangs is ended with all it started, and a required one stops what it stands before', async () => {
  const nonce = `31${Date.now()}`
  const s = await scene('pre_freeze', [
    shell(`sleep ${nonce} & sleep ${nonce}`, { timeoutSeconds: 0.3, required: true }),
    shell('echo later >later'),
  ])
  await expect(s.hooks.run('pre_freeze', {}, never)).rejects.toMatchObject({
    code: 'hook-failed',
    slug: 'web-1',
  })
  expect(await running(nonce)).toEqual([])
  expect(existsSync(join(s.folder, 'later'))).toBe(false)
  expect(await s.journal()).toMatchObject([{ outcome: 'timeout', code: null, required: true }])
})

test('a failing entry without `required`, and any failing entry after the fact, stops nothing', async () => {
  const s = await scene('pre_stop', [shell('exit 3'), shell('echo went >went')])
  expect((await s.hooks.run('pre_stop', {}, never)).map(({ outcome, code }) => [outcome, code])).toEqual([
    ['failed', 3],
    ['done', 0],
  ])
  const after = await scene('post_start', [shell('exit 4', { required: true }), shell('true')])
  expect((await after.hooks.run('post_start', {}, never)).map(({ code }) => code)).toEqual([4, 0])
})

test('data reach a hook in variables only, under both names; secrets of Icebox’s environment do not', async () => {
  const env = { ...process.env, API_KEY: 'kept-from-hooks', LC_TIME: 'C', BASH_ENV: '/nowhere' }
  const s = await scene('on_restart', [shell('env >seen; pwd >where')], { env: { ROLE: 'lead' } }, env)
  await s.hooks.run(
    'on_restart',
    { percent: 71.5, strategy: '$(touch hacked)', gone: null, of: { a: [1] } },
    never,
  )
  const seen = await readFile(join(s.folder, 'seen'), 'utf8')
  const lines = seen.split('\n')
  for (const line of [
    `SCITEX_AGENT_CONTAINER_CONFIG_PATH=${join(s.folder, 'web.md')}`,
    'SCITEX_AGENT_CONTAINER_SCREEN_NAME=cld-web',
    'SCITEX_AGENT_CONTAINER_NAME=web-1',
    'SCITEX_AGENT_NAME=web-1',
    'SCITEX_HOOK=on_restart',
    'SCITEX_HOOK_CTX_PERCENT=71.5',
    'SCITEX_HOOK_CTX_STRATEGY=$(touch hacked)',
    'SCITEX_HOOK_CTX_GONE=',
    'SCITEX_HOOK_CTX_OF={"a":[1]}',
    'ICEBOX_HOOK_CTX_PERCENT=71.5',
    'ICEBOX_SLUG=web-1',
    'ICEBOX_HOOK=on_restart',
    'ICEBOX_RUN=run-1',
    `ICEBOX_STATE_DIR=${s.root.path('state', 'web-1')}`,
    `ICEBOX_HOME=${s.root.dir}`,
    'ROLE=lead',
    'LC_TIME=C',
  ]) {
    expect(lines).toContain(line)
  }
  expect(seen).not.toContain('kept-from-hooks')
  expect(seen).not.toContain('BASH_ENV')
  expect(existsSync(join(s.folder, 'hacked'))).toBe(false)
  expect(await readFile(join(s.folder, 'where'), 'utf8')).toBe(`${s.folder}\n`)
})

test('a daemon in a session of its own does not outlive the hook, and does not hold it', async () => {
  const nonce = `32${Date.now()}`
  const s = await scene('post_start', [
    shell(`setsid sleep ${nonce} & setsid sleep ${nonce} </dev/null >/dev/null 2>&1 & sleep 0.2; echo begun`),
  ])
  const [record] = await s.hooks.run('post_start', {}, never)
  expect(record).toMatchObject({ outcome: 'done', output: 'begun\n' })
  expect(await running(nonce)).toEqual([])
})

test('a hook may end its parent, itself or its group: Icebox goes on and says so', async () => {
  const s = await scene('post_stop', [
    shell('kill -9 $PPID; sleep 0.1; echo never'),
    shell('kill -9 $$'),
    shell('kill -9 0'),
    shell('echo after'),
  ])
  const records = await s.hooks.run('post_stop', {}, never)
  expect(records.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed', 'done'])
})

test('a hook ends with an Icebox that is killed', async () => {
  const nonce = `34${Date.now()}`
  const s = await scene('pre_freeze', [])
  const source = join(import.meta.dirname, '../../../../src-main/agents/hooks/run-shell-hook.ts')
  const run = `sleep ${nonce} & trap '' TERM; touch begun; sleep ${nonce}`
  const options = { cwd: s.folder, env: { PATH: process.env.PATH }, timeoutSeconds: 600 }
  const program = `const { runShellHook } = await import(${JSON.stringify(source)})
    await runShellHook(${JSON.stringify(run)}, { ...${JSON.stringify(options)}, signal: new AbortController().signal })`
  const icebox = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' })
  onTestFinished(() => void icebox.kill('SIGKILL'))
  await expect.poll(() => existsSync(join(s.folder, 'begun')), { timeout: 20_000 }).toBe(true)
  icebox.kill('SIGKILL')
  await expect.poll(() => running(nonce), { timeout: 20_000 }).toEqual([])
})

test('of hundreds of megabytes of output the end is kept, in bounded memory', async () => {
  const end = `printf '%9000s' | tr ' ' x; echo; echo the-end`
  const s = await scene('post_start', [shell(`head -c 300000000 /dev/zero; ${end}`)])
  const before = process.memoryUsage().rss
  const [record] = await s.hooks.run('post_start', {}, never)
  expect(record).toMatchObject({ outcome: 'done', output: `${'x'.repeat(8192 - 9)}\nthe-end\n` })
  expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024)
})

test('a secret that a hook says is not in the journal: as it is, in base64, coloured, across the cut', async () => {
  const canary = 'canary-7f3a9b2c51d84e60'
  const encoded = Buffer.from(`x${canary}`).toString('base64')
  const s = await scene(
    'post_start',
    [
      shell(`cat canary; echo ${encoded}; head -c 8 canary; printf '\\033[31m'; tail -c +9 canary`),
      shell(`echo password=hunter2hunter2 https://user:pass-word-1@example.org/x`),
      // The kept end begins in the middle of it.
      shell(`tr -d '\\n' <canary; head -c 8185 /dev/zero | tr '\\0' x`),
      shell('exit 1', { required: true }),
    ],
    { secrets: [canary] },
  )
  await writeFile(join(s.folder, 'canary'), `${canary}\n`)
  await s.hooks.run('post_start', { note: `said ${canary}` }, never)
  const everything =
    (await s.journalText()) +
    (await readFile(join(s.root.path('state', 'web-1', 'agent'), 'hook-payloads.json'), 'utf8'))
  for (const part of [
    canary,
    canary.slice(8),
    canary.slice(0, 12),
    encoded.slice(4, -4),
    'hunter2',
    'pass-word-1',
  ])
    expect(everything).not.toContain(part)
  expect(everything).toContain('[secret]')
  const [, , cut] = await s.journal()
  expect(cut?.output).toMatch(/^\[secret\]x{8185}$/)
})

test('addresses: slow, dead, failing, redirecting, endless', async () => {
  const seen: string[] = []
  const other = await serve((request, response) => {
    seen.push(`other ${request.url}`)
    response.end()
  })
  const base = await serve((request, response) => {
    seen.push(request.url ?? '')
    if (request.url === '/slow') return
    if (request.url === '/error') response.writeHead(500).end('it broke')
    else if (request.url === '/away') response.writeHead(307, { location: `${other}/x` }).end()
    else if (request.url === '/here') response.writeHead(308, { location: '/end' }).end()
    else if (request.url === '/loop') response.writeHead(307, { location: '/loop' }).end()
    else if (request.url === '/endless') {
      const more = (): void => {
        while (!response.destroyed && response.write('y'.repeat(65_536)));
        response.once('drain', more)
      }
      more()
    } else response.end(`ended at ${request.method} ${request.url}`)
  })
  const dead = await serve(() => undefined)
  const deadPort = new URL(dead).port
  const s = await scene('on_health', [
    url(`${base}/slow`, { timeoutSeconds: 0.3 }),
    url(`${base}/error`),
    url(`${base}/away`),
    url(`${base}/here`),
    url(`${base}/loop`),
    url(`${base}/endless`),
    url('http://127.0.0.1:1/'),
    url('not an address'),
    url(`http://name:word-of-pass@127.0.0.1:${new URL(base).port}/q?token=abcdefgh1234`),
  ])
  expect(deadPort).not.toBe('')
  const records = await s.hooks.run('on_health', {}, never)
  expect(records.map(({ outcome, code }) => [outcome, code])).toEqual([
    ['timeout', null],
    ['failed', 500],
    ['failed', 307],
    ['done', 200],
    ['failed', null],
    ['done', 200],
    ['failed', null],
    ['failed', null],
    ['done', 200],
  ])
  expect(seen.filter((line) => line.startsWith('other'))).toEqual([])
  expect(records[1]?.output).toBe('it broke')
  expect(records[3]?.output).toBe('ended at POST /end')
  expect(records[5]?.output).toBe('y'.repeat(8192))
  expect(records[8]?.run).toBe(`${base}/q?token=…`)
  const text = await s.journalText()
  for (const secret of ['word-of-pass', 'abcdefgh1234']) expect(text).not.toContain(secret)
})

test('a trial takes what the point was told last, is marked, and vetoes nothing', async () => {
  const s = await scene('pre_stop', [
    shell('echo "$ICEBOX_HOOK_CTX_WHY/$ICEBOX_HOOK_TRIAL"; exit 5', { required: true }),
  ])
  const [first] = await tryHooks(s.deps, s.agent, 'pre_stop', { why: 'sample' }, never)
  expect(first).toMatchObject({ output: 'sample/1\n', outcome: 'failed', isTrial: true })
  await expect(s.hooks.run('pre_stop', { why: 'real' }, never)).rejects.toMatchObject({ code: 'hook-failed' })
  const [second] = await tryHooks(s.deps, s.agent, 'pre_stop', { why: 'sample' }, never)
  expect(second).toMatchObject({ output: 'real/1\n', isTrial: true })
  expect((await s.journal()).map(({ isTrial }) => isTrial)).toEqual([true, false, true])
})

test('a hook that calls for its own point again is refused before the fact and left out after it', async () => {
  const env = { ...process.env, ICEBOX_HOOK_CHAIN: 'web-1:pre_stop web-1:post_freeze' }
  const before = await scene('pre_stop', [shell('touch ran')], {}, env)
  await expect(before.hooks.run('pre_stop', {}, never)).rejects.toMatchObject({ code: 'busy' })
  expect(existsSync(join(before.folder, 'ran'))).toBe(false)
  const after = await scene('post_freeze', [shell('touch ran')], {}, env)
  expect(await after.hooks.run('post_freeze', {}, never)).toEqual([])
  const other = await scene('pre_freeze', [shell('true')], {}, env)
  expect(await other.hooks.run('pre_freeze', {}, never)).toHaveLength(1)
})

test('cancelling ends the hook; before the fact the operation too', async () => {
  const nonce = `33${Date.now()}`
  const s = await scene('pre_start', [shell(`touch begun; sleep ${nonce}`)])
  const controller = new AbortController()
  const run = s.hooks.run('pre_start', {}, controller.signal)
  await expect.poll(() => existsSync(join(s.folder, 'begun')), { timeout: 20_000 }).toBe(true)
  controller.abort()
  await expect(run).rejects.toMatchObject({ code: 'cancelled' })
  expect(await running(nonce)).toEqual([])
})

test('a bottle that is gone has its hooks run, and nothing of it is made anew', async () => {
  const s = await scene('post_freeze', [shell('echo "$PWD"')], {
    configPath: '/nowhere/web.md',
    slug: 'gone',
  })
  const [record] = await createHooks(s.deps, { ...s.agent, slug: 'gone' }).run('post_freeze', {}, never)
  expect(record).toMatchObject({ outcome: 'done', output: `${s.root.dir}\n` })
  expect(existsSync(s.root.path('state', 'gone'))).toBe(false)
})

test('the journal is bounded, damaged lines cost themselves, and parallel runs lose nothing', async () => {
  const s = await scene('on_diff', [shell('head -c 6000 /dev/zero | tr "\\0" z')])
  await Promise.all(Array.from({ length: 12 }, () => s.hooks.run('on_diff', {}, never)))
  expect(await s.journal()).toHaveLength(12)
  const file = join(s.root.path('state', s.slug, 'agent'), 'hooks.jsonl')
  const line = (await s.journalText()).split('\n')[0] ?? ''
  await writeFile(file, `${'{"half":\n'}${`${line}\n`.repeat(100)}`)
  await s.hooks.run('on_diff', {}, never)
  expect((await s.journalText()).length).toBeLessThan(512 * 1024)
  expect((await s.journal()).length).toBeGreaterThan(40)
})
