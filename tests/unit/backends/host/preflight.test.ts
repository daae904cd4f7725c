import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LaunchPlan } from '../../../../src-main/backends/backend.ts'
import type { HostContext } from '../../../../src-main/backends/host/host-context.ts'
import type { Isolation } from '../../../../src-main/backends/host/isolation.ts'
import { preflight } from '../../../../src-main/backends/host/preflight.ts'
import type { Snapshot } from '../../../../src-preload/contract/index.ts'

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'icebox-preflight-'))
})
afterAll(() => rm(home, { recursive: true }))

const sandbox: Isolation = { kind: 'bwrap', program: '/b', hasNetwork: true, reason: null, fix: null }
const bare: Isolation = {
  kind: 'none',
  program: null,
  hasNetwork: false,
  reason: 'No sandbox.',
  fix: 'install one',
}
const context = (isolation = sandbox): HostContext => ({
  rootId: 'r',
  home,
  env: { PATH: '/usr/bin:/bin', SHELL: '/bin/sh' },
  isolation: async () => isolation,
  terminalProgram: async (name) => `/usr/bin/${name}`,
  multiplexer: async (name) => {
    throw new Error(`${name} is not started by a preflight`)
  },
})
const plan = (more: Partial<LaunchPlan> = {}): LaunchPlan => ({
  slug: 'web-1',
  runId: 'aaaaaaaaaa',
  rootId: 'r',
  stateDir: join(home, 'state', 'web-1'),
  previous: null,
  image: { kind: 'none' },
  argv: ['sh', '-c', 'true'],
  prompt: null,
  env: {},
  secrets: {},
  forgeEnv: {},
  user: null,
  workdir: null,
  mounts: [],
  resources: { cpus: null, memoryBytes: null },
  sidecars: [],
  network: 'default',
  copyCwd: null,
  tty: false,
  homeFiles: {},
  ...more,
})
const check = (more?: Partial<LaunchPlan>, at = context()) =>
  preflight(at, plan(more), new AbortController().signal)

describe('preflight', () => {
  it('passes a plain plan without a word', async () => {
    expect(await check()).toEqual([])
  })

  it('tells each container key that it ignores, once', async () => {
    const notices = await check({
      image: { kind: 'image', reference: 'x' },
      user: 'node',
      workdir: '/workspace',
      mounts: [{ type: 'tmpfs', source: '', target: '/x', readOnly: false, external: false }],
      resources: { cpus: 2, memoryBytes: null },
      sidecars: [{ name: 'db', image: 'x', command: null, env: {}, secrets: {} }],
    })
    expect(notices.map((notice) => /"(\w+)"/.exec(notice)?.[1])).toEqual([
      'image',
      'user',
      'mounts',
      'resources',
      'sidecars',
      'workdir',
    ])
    expect(await check({ workdir: 'sub/folder' })).toEqual([])
  })

  it('says when there is no isolation', async () => {
    expect(await check({}, context(bare))).toEqual(['The agent is not isolated. No sandbox.'])
  })

  it.each<[string, Partial<LaunchPlan>, string, RegExp]>([
    ['a forge environment', { forgeEnv: { A: 'b' } }, 'forge-sidecar-missing', /sidecar/],
    ['no command', { argv: null }, 'unsupported', /command/],
    ['an argument that is too long', { argv: ['sh', 'x'.repeat(131_072)] }, 'unsupported', /128 kB/],
    ['a zero byte', { argv: ['sh', 'a\0b'] }, 'usage', /zero byte/],
    ['a strange variable', { env: { 'a b': 'c' } }, 'manifest-invalid', /"a b"/],
    [
      'a zero byte in a secret',
      { secrets: { TOKEN: 'hush\0hush' } },
      'manifest-invalid',
      /^(?!.*hush).*TOKEN/,
    ],
    ['a program that is not there', { argv: ['no-such-agent'] }, 'engine-missing', /no-such-agent/],
    [
      'a docker snapshot',
      { image: { kind: 'snapshot', snapshot: snapshot('docker') } },
      'unsupported',
      /docker/,
    ],
    [
      'a lost snapshot',
      { image: { kind: 'snapshot', snapshot: snapshot('host') } },
      'snapshot-missing',
      /web-1@/,
    ],
  ])('refuses %s', async (_what, more, code, message) => {
    await expect(check(more)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('refuses to promise what it can not hold, and names the way out', async () => {
    await expect(check({ network: 'none' }, context(bare))).rejects.toMatchObject({
      code: 'policy-unenforceable',
      message: expect.stringMatching(/install one.*--unenforced-egress/),
    })
    expect(await check({ network: 'none' })).toEqual([])
  })

  it.each(['tmux', 'screen'] as const)('needs %s only for a terminal that it keeps', async (multiplexer) => {
    const without: HostContext = {
      ...context(),
      terminalProgram: async (name) => (name === multiplexer ? undefined : `/usr/bin/${name}`),
    }
    expect(await check({ multiplexer }, without)).toEqual([])
    await expect(check({ tty: true, multiplexer }, without)).rejects.toMatchObject({
      code: 'engine-missing',
      message: expect.stringMatching(new RegExp(`install ${multiplexer}`)),
    })
    expect(
      await check({ tty: true, multiplexer: multiplexer === 'tmux' ? 'screen' : 'tmux' }, without),
    ).toEqual([])
  })

  it('gives an interactive run without a command a shell', async () => {
    expect(await check({ argv: null, tty: true })).toEqual([])
  })
})

function snapshot(backend: string): Snapshot {
  return {
    version: 1,
    id: '20260101T000000Z-abcd',
    slug: 'web-1',
    parent: null,
    backend,
    reference: '/x',
    digest: '',
    createdAt: '',
    fidelity: 'files',
    leftOut: [],
    bytes: 0,
    ownBytes: null,
    reason: 'user',
    note: '',
    label: '',
    pinned: false,
    status: 'ready',
    runId: null,
    agent: '',
    provider: '',
    volumes: [],
    verified: null,
    facts: {},
  }
}
