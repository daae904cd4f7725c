import { describe, expect, it } from 'vitest'
import type { LaunchPlan, RuntimeRef } from '../../../../src-main/backends/backend.ts'
import { readFeatures, type Version } from '../../../../src-main/backends/smolmachines/features.ts'
import {
  checkPlan,
  isRegistryReference,
  launchNotices,
  machineName,
  machineSpec,
} from '../../../../src-main/backends/smolmachines/launch-plan.ts'

const features = (version: Version, text = '') =>
  readFeatures(version, { machine: text, create: text, exec: text, pack: text })
const old = features([1, 0, 2])
const plan = (more: Partial<LaunchPlan> = {}): LaunchPlan => ({
  ...{ slug: 'web', runId: 'abcdefghij', rootId: 'r', stateDir: '/s', previous: null, prompt: null },
  ...{ image: { kind: 'image', reference: 'docker.io/library/box:1' }, argv: ['sh'], env: {}, secrets: {} },
  ...{ forgeEnv: {}, user: null, workdir: null, mounts: [], sidecars: [], network: 'default', copyCwd: null },
  ...{ resources: { cpus: null, memoryBytes: null }, tty: false, homeFiles: {} },
  ...more,
})
const previous: RuntimeRef = {
  ...{ backend: 'smolmachines', id: 'bot-bottle-web', name: 'bot-bottle-web', slug: 'web', runId: 'old' },
  ...{ volumes: [], networks: [], sidecars: [], facts: {} },
}

describe('the name of a new machine', () => {
  it('is the bottle’s own', () => {
    expect(machineName(plan())).toBe('bot-bottle-web')
  })

  it('has the run’s id behind it while the previous run’s machine holds the plain one', () => {
    expect(machineName(plan({ previous }))).toBe('bot-bottle-web-abcdefghij')
  })

  it('is the plain one again when the previous machine has the long one', () => {
    expect(machineName(plan({ previous: { ...previous, name: 'bot-bottle-web-zzzzzzzzzz' } }))).toBe(
      'bot-bottle-web',
    )
  })
})

describe('what no machine can be given', () => {
  it.each<[string, Partial<LaunchPlan>, string]>([
    ['a forge environment', { forgeEnv: { A: 'b' } }, 'forge-sidecar-missing'],
    [
      'a sidecar',
      { sidecars: [{ name: 'db', image: 'x', command: null, env: {}, secrets: {} }] },
      'unsupported',
    ],
    ['another user', { user: 'node' }, 'unsupported'],
    [
      'a named volume',
      { mounts: [{ type: 'volume', source: 'data', target: '/data', readOnly: false, external: false }] },
      'unsupported',
    ],
    [
      'a path with a colon',
      { mounts: [{ type: 'bind', source: '/a:b', target: '/c', readOnly: false, external: false }] },
      'unsupported',
    ],
    [
      'a mount over the run’s files',
      { mounts: [{ type: 'bind', source: '/a', target: '/run/icebox', readOnly: false, external: false }] },
      'manifest-invalid',
    ],
    ['a variable without a name', { env: { '': 'x' } }, 'manifest-invalid'],
    ['a zero byte', { secrets: { A: 'x\0y' } }, 'manifest-invalid'],
    ['nothing to run', { argv: [] }, 'manifest-invalid'],
  ])('%s is refused', (_what, more, code) => {
    expect(() => checkPlan(plan(more), old)).toThrow(expect.objectContaining({ code }))
  })

  it('root is every version’s user, another one where the version can', () => {
    expect(() => checkPlan(plan({ user: 'root' }), old)).not.toThrow()
    expect(() => checkPlan(plan({ user: 'node' }), features([1, 23, 0], '  -u, --user <U>\n'))).not.toThrow()
  })

  it('never tells a secret’s value', () => {
    try {
      checkPlan(plan({ secrets: { TOKEN: 'canary\0' } }), old)
    } catch (thrown) {
      expect(String(thrown)).not.toContain('canary')
    }
  })
})

describe('the machine that a plan wants', () => {
  const owner = { root: 'r', slug: 'web', runId: 'abcdefghij', role: 'agent' } as const
  const source = { kind: 'pack', path: '/x' } as const

  it('has whole CPUs, enough memory and an owner', () => {
    const spec = machineSpec(
      plan({ resources: { cpus: 1.5, memoryBytes: 1000 }, network: 'none' }),
      'n',
      source,
      owner,
      { a: 'b' },
    )
    expect(spec).toMatchObject({ cpus: 2, memoryMib: 256, network: false, user: null })
    expect(spec.labels).toEqual({ a: 'b', 'dev.icebox.role': 'agent' })
    expect(machineSpec(plan(), 'n', source, owner, {})).toMatchObject({
      cpus: 4,
      memoryMib: 8192,
      network: true,
    })
  })

  it('comes with a word about what will be different', () => {
    const told = launchNotices(plan({ resources: { cpus: 1.5, memoryBytes: null } }), old).join(' ')
    expect(told).toContain('not pinned by a digest')
    expect(told).toContain('2 instead of 1.5')
    expect(launchNotices(plan({ image: { kind: 'image', reference: 'b@sha256:00' } }), old)).toEqual([])
  })
})

it('an image is a file only by its path', () => {
  expect(['/a.tar', './a.tar', '../a'].map(isRegistryReference)).toEqual([false, false, false])
  expect(['alpine', 'localhost:5000/a:1', 'a/b@sha256:0'].map(isRegistryReference)).toEqual([
    true,
    true,
    true,
  ])
})
