import { readFile, stat, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import type { ResolvedAgent } from '../../../src-main/agents/definitions.ts'
import { readEnvTemplates, readLaunched, writeLaunched } from '../../../src-main/agents/launched-agent.ts'
import { DEFAULT_LIFECYCLE, type Lifecycle } from '../../../src-main/agents/lifecycle.ts'
import { testRoot } from '../../support/test-root.ts'

const resolved = (lifecycle: Lifecycle): ResolvedAgent =>
  ({
    agent: { name: 'a', provider: 'claude', file: '/d/a.yaml', model: 'sonnet', lifecycle },
    bottle: { env: { ICEBOX_CONTEXT_WINDOW: '64000', OTHER: 'canary' } },
  }) as unknown as ResolvedAgent

const WATCHED: Lifecycle = {
  ...DEFAULT_LIFECYCLE,
  restart: { ...DEFAULT_LIFECYCLE.restart, policy: 'always' },
  workspace: {
    ...DEFAULT_LIFECYCLE.workspace,
    claudeMd: 'It says canary.',
    mcpServers: { hub: { env: { TOKEN: 'canary' } } },
  },
  later: { orochi: { token: 'canary' } },
}

test('a plain definition keeps nothing', async () => {
  const root = await testRoot()
  await writeLaunched(root, 'box', resolved(DEFAULT_LIFECYCLE), 'r1')
  await expect(stat(root.path('state', 'box', 'agent'))).rejects.toThrow('ENOENT')
  expect(await readLaunched(root, 'box', 'r1')).toBeNull()
})

test('a run is known by its id, without what may hold tokens, and the former one stays', async () => {
  const root = await testRoot()
  await writeLaunched(root, 'box', resolved(WATCHED), 'r1')
  await writeLaunched(root, 'box', resolved(WATCHED), 'r2')
  const known = await readLaunched(root, 'box', 'r1')
  expect(known).toMatchObject({
    agent: 'a',
    provider: 'claude',
    file: '/d/a.yaml',
    env: { ICEBOX_CONTEXT_WINDOW: '64000' },
  })
  expect(known?.lifecycle.restart.policy).toBe('always')
  expect(await readLaunched(root, 'box', 'r3')).toBeNull()
  const file = root.path('state', 'box', 'agent', 'launched.json')
  expect(await readFile(file, 'utf8')).not.toContain('canary')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  await writeLaunched(root, 'box', resolved(WATCHED), 'r3')
  expect(await readLaunched(root, 'box', 'r1')).toBeNull()
})

test('parts that were not written get their defaults, and a damaged file has nothing', async () => {
  const root = await testRoot()
  await writeLaunched(root, 'box', resolved(WATCHED), 'r1')
  const file = root.path('state', 'box', 'agent', 'launched.json')
  await writeFile(
    file,
    JSON.stringify({ runs: [{ runId: 'r1', lifecycle: { restart: { policy: 'always' } } }, 7] }),
  )
  const { lifecycle } = (await readLaunched(root, 'box', 'r1')) ?? {}
  expect(lifecycle).toEqual({
    ...DEFAULT_LIFECYCLE,
    restart: { ...DEFAULT_LIFECYCLE.restart, policy: 'always' },
  })
  await writeFile(file, '{')
  expect(await readLaunched(root, 'box', 'r1')).toBeNull()
})

test('a restart by a definition that became plain forgets what the run was before', async () => {
  const root = await testRoot()
  await writeLaunched(root, 'box', resolved(WATCHED), 'r1')
  await writeLaunched(root, 'box', resolved(WATCHED), 'r2')
  await writeLaunched(root, 'box', resolved(DEFAULT_LIFECYCLE), 'r2')
  expect(await readLaunched(root, 'box', 'r2')).toBeNull()
  expect(await readLaunched(root, 'box', 'r1')).not.toBeNull()
})

test('variables that take in others are kept as they are written, of a plain definition as well', async () => {
  const root = await testRoot()
  const template = `postgres://u:$\{PW}@h`
  const plain = resolved(DEFAULT_LIFECYCLE)
  const withTemplates = { ...plain, agent: { ...plain.agent, envTemplates: { URL: template } } }
  await writeLaunched(root, 'box', withTemplates, 'r1')
  await writeLaunched(root, 'box', resolved(WATCHED), 'r2')
  expect((await readLaunched(root, 'box', 'r1'))?.envTemplates).toEqual({ URL: template })
  expect(await readEnvTemplates(root, 'box')).toEqual({ URL: template })
  expect(await readEnvTemplates(root, 'other')).toEqual({})
})
