import { describe, expect, test } from 'vitest'
import {
  type DifferenceInput,
  findDifferences,
  requireNoBlock,
} from '../../../../src-main/bottles/carry/differences.ts'
import type { EngineReport } from '../../../../src-preload/contract/index.ts'

const engine = (name: string, more: Partial<EngineReport> = {}): EngineReport => ({
  name,
  title: name === 'host' ? 'This machine' : name,
  state: 'ready',
  version: '1',
  endpoint: null,
  remote: false,
  capabilities: {},
  limits: [],
  reason: null,
  fix: null,
  ...more,
})
const volume = {
  destination: '/data',
  kind: 'named',
  name: 'data',
  file: '0.tar',
  bytes: 1,
  sha256: '',
} as const
const base: DifferenceInput = {
  source: { slug: 'web', id: 'S', backend: 'docker', fidelity: 'files', volumes: [], facts: {} },
  from: engine('docker'),
  to: engine('macos-container', { capabilities: { sidecars: false, volumes: false } }),
  platform: { os: 'linux', architecture: 'arm64' },
  here: { os: 'linux', architecture: 'arm64', system: 'darwin' },
  wishes: {
    network: 'default',
    user: null,
    mounts: [],
    hasResources: false,
    sidecars: [],
    forgeEnvNames: [],
    hasSecrets: false,
  },
  places: { workspace: '/work', home: '/root' },
  over: null,
  isOriginLost: false,
  isReady: false,
}
type Change = Omit<Partial<DifferenceInput>, 'source' | 'wishes'> & {
  readonly source?: Partial<DifferenceInput['source']>
  readonly wishes?: Partial<DifferenceInput['wishes']>
}
const told = ({ source, wishes, ...change }: Change) =>
  findDifferences({
    ...base,
    ...change,
    source: { ...base.source, ...source },
    wishes: { ...base.wishes, ...wishes },
  })
const toHost = engine('host', { capabilities: { isolation: true, networkSandbox: true, sidecars: false } })
const fromHost: Change = {
  source: { backend: 'host' },
  from: engine('host'),
  platform: null,
  places: null,
  over: { kind: 'snapshot', name: 'web@OLD' },
}
const bind = { type: 'bind', source: '/src', target: '/dst', readOnly: false, external: false } as const

test('two engines that are alike differ in nothing', () => {
  expect(told({})).toEqual([])
})

describe('what stands against it', () => {
  test.each<[string, Change, RegExp]>([
    [
      'an engine that is away',
      { to: engine('docker', { state: 'down', reason: 'No socket.', fix: 'start it' }) },
      /No socket\. Try: start it/,
    ],
    ['an engine that is not installed', { to: engine('smolvm', { state: 'missing' }) }, /not installed/],
    ['another architecture', { platform: { os: 'linux', architecture: 's390x' } }, /s390x.*arm64/],
    ['sidecars', { wishes: { sidecars: ['db'] } }, /db can’t be had there/],
    [
      'the whole file system as working folder',
      { to: toHost, places: { workspace: '/', home: null } },
      /workdir/,
    ],
    ['no image to lay files over', { ...fromHost, over: null }, /names no image/],
    [
      'folders of this machine for a remote engine',
      { to: engine('docker', { remote: true }), wishes: { mounts: [bind] } },
      /\/src → \/dst/,
    ],
    [
      'a network that must be taken away',
      { to: engine('host', { capabilities: { networkSandbox: false } }), wishes: { network: 'none' } },
      /must not reach the network/,
    ],
    [
      'secrets without a shell',
      { source: { facts: { hasShell: false } }, wishes: { hasSecrets: true } },
      /no shell/,
    ],
    ['forge values without a sidecar', { to: toHost, wishes: { forgeEnvNames: ['TOKEN'] } }, /TOKEN/],
    [
      'images from registries only',
      { to: engine('smolmachines', { capabilities: { localImages: false } }) },
      /registries/,
    ],
  ])('%s', (_name, change, text) => {
    const [first] = told(change)
    expect(first).toMatchObject({ blocks: true, text: expect.stringMatching(text) })
    expect(() => requireNoBlock('web', 'there', told(change))).toThrow(text)
  })

  test('all of it is in one error, before what is only different', () => {
    const found = told({
      to: engine('host', { capabilities: { networkSandbox: false } }),
      places: { workspace: '/', home: null },
      wishes: { network: 'none', mounts: [bind] },
    })
    expect(found.map(({ blocks }) => blocks).indexOf(false)).toBe(2)
    expect(() => requireNoBlock('web', 'host', found)).toThrow(/workdir.*network/s)
  })
})

describe('what is only different', () => {
  test.each<[string, Change, readonly string[]]>([
    ['this machine', { to: toHost }, ['architecture', 'isolation', 'files', 'user']],
    [
      'this machine, where the same files are already',
      { to: toHost, isReady: true },
      ['architecture', 'isolation', 'user'],
    ],
    ['from this machine', fromHost, ['isolation', 'image', 'user']],
    [
      'from this machine, its container gone',
      { ...fromHost, isOriginLost: true },
      ['isolation', 'image', 'image', 'user'],
    ],
    ['volumes', { source: { volumes: [volume] } }, ['volumes']],
    ['volumes, to Docker', { source: { volumes: [volume] }, to: engine('docker') }, []],
    [
      'volumes outside of what comes along',
      { source: { volumes: [volume] }, to: toHost },
      ['architecture', 'isolation', 'files', 'user', 'volumes'],
    ],
    ['memory', { source: { fidelity: 'files+memory' } }, ['memory']],
    [
      'sidecars',
      { to: toHost, wishes: { sidecars: ['db'] } },
      ['architecture', 'isolation', 'files', 'user', 'sidecars'],
    ],
    [
      'limits',
      { to: toHost, wishes: { hasResources: true } },
      ['architecture', 'isolation', 'files', 'user', 'resources'],
    ],
    [
      'emulation',
      { platform: { os: 'linux', architecture: 'amd64' }, to: engine('docker') },
      ['architecture'],
    ],
  ])('%s', (_name, change, about) => {
    const found = told(change)
    expect(found.map((difference) => difference.about)).toEqual(about)
    expect(found.some(({ blocks }) => blocks)).toBe(false)
    requireNoBlock('web', 'there', found)
  })

  test('an agent that nothing isolates is told as such', () => {
    const to = engine('host', { capabilities: { isolation: false } })
    expect(told({ to }).find(({ about }) => about === 'isolation')?.text).toMatch(/NOT isolated/)
  })
})
