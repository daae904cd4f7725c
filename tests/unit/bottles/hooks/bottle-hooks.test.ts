import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readHookJournal } from '../../../../src-main/agents/hooks/hook-journal.ts'
import { writeLaunched } from '../../../../src-main/agents/launched-agent.ts'
import { DEFAULT_LIFECYCLE, type Lifecycle } from '../../../../src-main/agents/lifecycle.ts'
import type { BottleDeps } from '../../../../src-main/bottles/deps.ts'
import {
  countHooks,
  hasHooks,
  lookForSecrets,
  runBottleHooks,
  withHookCounts,
} from '../../../../src-main/bottles/hooks/bottle-hooks.ts'
import { readAgentHooks, tryAgentHooks } from '../../../../src-main/bottles/hooks/show-hooks.ts'
import type { OperationContext } from '../../../../src-main/bottles/services.ts'
import { readJournal } from '../../../../src-main/state/journal.ts'
import { type Metadata, metadataText, parseMetadata } from '../../../../src-main/state/metadata.ts'
import { testRoot } from '../../../support/test-root.ts'

type Resolved = Parameters<typeof writeLaunched>[2]

const resolved = (lifecycle: Partial<Lifecycle>, file = '/d/web.md') =>
  ({
    agent: {
      name: 'web',
      provider: 'custom',
      file,
      model: null,
      lifecycle: { ...DEFAULT_LIFECYCLE, ...lifecycle },
    },
    bottle: { env: {} },
  }) as unknown as NonNullable<Resolved>

const entry = (run: string, required = false) =>
  ({ kind: 'shell', run, timeoutSeconds: 20, required }) as const

const metadataOf = (counts: unknown): Metadata =>
  parseMetadata({
    identity: 'web-1',
    backend: 'host',
    icebox: {
      version: 1,
      secretNames: ['TOKEN_OF_HOOK_TEST'],
      runs: [{ id: 'run-1', startedAt: '', ref: null }],
      hooksConfigured: counts,
    },
  })

function listen() {
  const told: string[] = []
  const context: OperationContext = {
    signal: new AbortController().signal,
    progress: () => undefined,
    notice: (text) => told.push(text),
    confirm: async () => false,
  }
  return { told, context }
}

async function scene(hooks: Partial<Lifecycle['hooks']>, rest: Partial<Lifecycle> = {}) {
  const root = await testRoot()
  await mkdir(root.path('state', 'web-1'))
  const definition = resolved(
    { hooks: { ...DEFAULT_LIFECYCLE.hooks, ...hooks }, ...rest },
    join(root.dir, 'agents', 'web.md'),
  )
  await writeLaunched(root, 'web-1', definition, 'run-1')
  const metadata = withHookCounts(metadataOf({}), definition)
  await writeFile(root.path('state', 'web-1', 'metadata.json'), metadataText(metadata))
  const env = { ...process.env, TOKEN_OF_HOOK_TEST: 'canary-44d0c2ae' }
  const deps = { root, env, secrets: async () => ({ get: async () => undefined }) } as unknown as BottleDeps
  return { root, deps, metadata, ...listen() }
}

test('the metadata tells where hooks are, and a bottle without them reads nothing', async () => {
  const some = resolved({ hooks: { ...DEFAULT_LIFECYCLE.hooks, pre_stop: [entry('a'), entry('b')] } })
  expect([countHooks(some), countHooks(resolved({})), countHooks(null)]).toEqual([
    { pre_stop: 2 },
    undefined,
    undefined,
  ])
  const before = metadataOf({ pre_stop: 2, post_stop: 'x' })
  expect(hasHooks(before, 'post_stop', 'pre_stop')).toBe(true)
  expect(hasHooks(before, 'post_stop', 'pre_freeze')).toBe(false)
  // Hooks of an earlier run do not stay behind in the file.
  const after = parseMetadata(JSON.parse(metadataText(withHookCounts(before, resolved({})))))
  expect(hasHooks(after, 'pre_stop')).toBe(false)
  for (const odd of [null, 7, 'x', []]) expect(hasHooks(metadataOf(odd), 'pre_stop')).toBe(false)
  const untouchable = new Proxy({} as BottleDeps, {
    get: () => {
      throw new Error('looked at something')
    },
  })
  const { context } = listen()
  await runBottleHooks(untouchable, after, { point: 'pre_stop', context: {} }, context)
  await runBottleHooks(untouchable, null, { point: 'pre_stop', context: {} }, context)
})

test('hooks run as launched; failures are told and in the journal; secrets of the run and its env files are not', async () => {
  const root = await testRoot()
  const file = join(root.dir, 'vars.env')
  await writeFile(file, 'export OTHER="canary-of-file-91"\n')
  const s = await scene(
    { post_stop: [entry('echo canary-44d0c2ae canary-of-file-91; exit 2')] },
    { envFiles: [file, '/nowhere/gone.env'], labels: { role: 'lead' } },
  )
  await runBottleHooks(s.deps, s.metadata, { point: 'post_stop', context: { cause: 'stop' } }, s.context)
  expect(s.told).toEqual([expect.stringMatching(/^The post_stop hook “echo .*” ended with 2\./)])
  expect(await readJournal(s.root, 'web-1')).toMatchObject([{ op: 'hook', outcome: 'failed' }])
  expect(await readHookJournal(s.root, 'web-1')).toMatchObject([
    { output: '[secret] [secret]\n', run: 'echo [secret] [secret]; exit 2', runId: 'run-1' },
  ])
  expect(s.told.join()).not.toContain('canary')
})

test('a veto throws, and force turns it into a sentence and lets all entries run', async () => {
  const s = await scene({ pre_stop: [entry('exit 1', true), entry('touch "$ICEBOX_STATE_DIR/ran"')] })
  const event = { point: 'pre_stop', context: {} } as const
  await expect(runBottleHooks(s.deps, s.metadata, event, s.context)).rejects.toMatchObject({
    code: 'hook-failed',
  })
  await runBottleHooks(s.deps, s.metadata, { ...event, force: true }, s.context)
  expect(s.told).toHaveLength(1)
  const records = await readHookJournal(s.root, 'web-1')
  expect(records.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'done'])
})

test('hooks that can’t be read any more are told and keep nothing from happening', async () => {
  const s = await scene({ pre_freeze: [entry('exit 1', true)] })
  await writeFile(s.root.path('state', 'web-1', 'agent', 'launched.json'), '{')
  await runBottleHooks(s.deps, s.metadata, { point: 'pre_freeze', context: {} }, s.context)
  expect(s.told).toEqual([expect.stringContaining('could not be run')])
})

test('what is shown of hooks has no secret and no query; only points that have any can be tried', async () => {
  const s = await scene({
    pre_start: [entry('login canary-44d0c2ae', true)],
    on_diff: [{ ...entry('https://me:pw-of-mine@example.org/x?key=v'), kind: 'url' }],
  })
  const { configured, journal } = await readAgentHooks(s.deps, 'web-1')
  expect(configured).toEqual({
    pre_start: [{ kind: 'shell', run: 'login [secret]', timeoutSeconds: 20, required: true }],
    on_diff: [{ kind: 'url', run: 'https://example.org/x?key=…', timeoutSeconds: 20, required: false }],
  })
  expect(journal).toEqual([])
  await expect(tryAgentHooks(s.deps, 'web-1', 'post_stop', s.context.signal)).rejects.toMatchObject({
    code: 'not-found',
  })
  await expect(readAgentHooks(s.deps, '../x')).rejects.toMatchObject({ code: 'invalid-slug' })
})

test('values that a definition fills in from the environment are known, whole and in their parts', async () => {
  const s = await scene({})
  const definition = resolved({ runtime: 'terminal' })
  const envTemplates = { DATABASE_URL: `postgres://u:$\{PW_OF_TEST}@h` }
  const agent = { ...definition.agent, envTemplates }
  await writeLaunched(s.root, 'web-1', { ...definition, agent }, 'run-1')
  const metadata = {
    ...s.metadata,
    icebox: s.metadata.icebox && { ...s.metadata.icebox, secretNames: ['DATABASE_URL'] },
  }
  await writeFile(s.root.path('state', 'web-1', 'metadata.json'), metadataText(metadata))
  const deps = { ...s.deps, env: { PW_OF_TEST: 'canary-pw' } }
  expect(await lookForSecrets(deps, metadata, agent.lifecycle)).toEqual({
    values: ['postgres://u:canary-pw@h', 'canary-pw'],
    isWhole: true,
  })
})

test('a keychain that does not tell now is no whole look; a value that is nowhere is', async () => {
  const s = await scene({})
  const secrets = async () => {
    throw new Error('locked')
  }
  const locked = { ...s.deps, env: {}, secrets }
  const { lifecycle } = resolved({}).agent
  expect(await lookForSecrets(locked, s.metadata, lifecycle)).toEqual({ values: [], isWhole: false })
  const empty = { ...s.deps, env: {} }
  expect(await lookForSecrets(empty, s.metadata, lifecycle)).toEqual({ values: [], isWhole: true })
})
