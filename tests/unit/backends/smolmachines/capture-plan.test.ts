import { describe, expect, it } from 'vitest'
import { leftOutOf } from '../../../../src-main/backends/smolmachines/capture-left-out.ts'
import {
  type CaptureAbilities,
  type CaptureScene,
  planCapture,
  stopQuestion,
} from '../../../../src-main/backends/smolmachines/capture-plan.ts'
import type { Version } from '../../../../src-main/backends/smolmachines/features.ts'
import { imageConfig } from '../../../../src-main/backends/smolmachines/pack.ts'

const SCENE: CaptureScene = {
  slug: 'web',
  state: 'running',
  image: 'docker.io/library/box:1',
  mounts: 0,
  ports: 0,
  gpu: false,
  cuda: false,
  isClone: false,
  forkable: false,
}
const can = (version: Version, more: Partial<CaptureAbilities> = {}): CaptureAbilities => ({
  version,
  checkpoint: version[1] >= 14,
  includeWorkspace: version[1] >= 23,
  localImages: version[1] >= 1,
  packsLocalImages: version[1] >= 10,
  ...more,
})
const kinds = (
  scene: Partial<CaptureScene>,
  abilities: CaptureAbilities,
  platform: NodeJS.Platform = 'linux',
) => planCapture({ ...SCENE, ...scene }, abilities, platform).map((way) => way.kind)

describe('which way a freeze goes', () => {
  it.each<[string, Partial<CaptureScene>, CaptureAbilities, readonly string[]]>([
    [
      'a running machine where there are checkpoints',
      {},
      can([1, 20, 0]),
      ['checkpoint', 'pack', 'guest-tar'],
    ],
    ['a stopped one has no memory to keep', { state: 'stopped' }, can([1, 20, 0]), ['pack', 'guest-tar']],
    ['one with a folder of this machine', { mounts: 1 }, can([1, 20, 0]), ['pack', 'guest-tar']],
    ['one with a GPU', { gpu: true }, can([1, 20, 0]), ['pack', 'guest-tar']],
    ['an older version', {}, can([1, 9, 3]), ['pack', 'guest-tar']],
    ['a version without archives', {}, can([1, 0, 2]), ['pack']],
    [
      'an image of this machine, before those were packed',
      { image: 'local:ab12' },
      can([1, 9, 3]),
      ['guest-tar'],
    ],
    [
      'an image of this machine, later',
      { image: 'local:ab12', state: 'stopped' },
      can([1, 20, 0]),
      ['pack', 'guest-tar'],
    ],
    ['a branch, before those were packed', { isClone: true }, can([1, 9, 3]), ['guest-tar']],
    ['a branch, later', { isClone: true, state: 'stopped' }, can([1, 16, 1]), ['pack', 'guest-tar']],
  ])('%s', (_name, scene, abilities, expected) => {
    expect(kinds(scene, abilities)).toEqual(expected)
  })

  it('on a Mac before 1.20 wants a machine that was started as branchable', () => {
    expect(kinds({}, can([1, 18, 0]), 'darwin')[0]).toBe('pack')
    expect(kinds({ forkable: true }, can([1, 18, 0]), 'darwin')[0]).toBe('checkpoint')
    expect(kinds({}, can([1, 20, 0]), 'darwin')[0]).toBe('checkpoint')
  })

  it.each(['created', 'frozen', 'paused', 'unreachable', 'failed'])(
    'refuses a machine that is %s',
    (state) => {
      expect(() => kinds({ state }, can([1, 20, 0]))).toThrow(/web/)
    },
  )

  it('has none for what an old version can neither pack nor bring back', () => {
    expect(() => kinds({ image: 'local:ab12' }, can([1, 0, 2]))).toThrow('newer smolvm')
  })

  it('says before a stop what happens to the agent', () => {
    const [way] = planCapture({ ...SCENE, mounts: 2 }, can([1, 20, 0]), 'linux')
    const question = stopQuestion('web', way?.why ?? '')
    expect(question).toContain('folders of this machine')
    expect(question).toContain('begins anew')
    expect(question).toMatch(/\?$/)
  })
})

describe('what is left out', () => {
  const facts: Parameters<typeof leftOutOf>[0] = {
    way: 'pack',
    scene: { mounts: 0, ports: 0 },
    wasRunning: false,
    survey: { filledTmpfs: [], hasWorkspace: true, user: null },
    mountTargets: [],
    foreignLabels: [],
    losesUser: null,
    hasEgressList: false,
    initCommands: 0,
    losesXattrs: false,
  }
  it('is nothing where nothing applies', () => expect(leftOutOf(facts)).toEqual([]))

  it('is each thing that this machine has and the way forgets', () => {
    const full: typeof facts = {
      ...facts,
      wasRunning: true,
      scene: { mounts: 2, ports: 1 },
      survey: { filledTmpfs: ['/tmp'], hasWorkspace: true, user: null },
      foreignLabels: ['team'],
      losesUser: 'node',
      hasEgressList: true,
      initCommands: 1,
      losesXattrs: true,
    }
    expect(leftOutOf(full)).toEqual([
      'memory and running processes',
      'tmpfs /tmp',
      '2 folders of this machine',
      '1 published port',
      'label team',
      "the image's user node",
      'egress list',
      'init commands',
    ])
    expect(leftOutOf({ ...full, way: 'guest-tar' })).toContain('extended attributes')
    expect(leftOutOf({ ...full, way: 'checkpoint' })).toEqual([
      '2 folders of this machine',
      '1 published port',
      'label team',
      'egress list',
      'init commands',
    ])
    expect(leftOutOf({ ...full, mountTargets: ['/data'] })).toContain('folder of this machine at /data')
  })
})

describe('the config of a packed image', () => {
  it('keeps what was known, and takes from the pack only what was not', () => {
    const packed = { Entrypoint: ['/bin/sh'], Cmd: ['sh'], Env: ['A=1'], WorkingDir: '/work' }
    expect(imageConfig({ Cmd: ['sh'], User: 'node' }, packed)).toEqual({
      Cmd: ['sh'],
      Env: ['A=1'],
      User: 'node',
      WorkingDir: '/work',
    })
    expect(imageConfig({}, packed)).toEqual(packed)
  })
})
