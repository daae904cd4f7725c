import { describe, expect, it } from 'vitest'
import type { ImageFacts } from '../../../../src-main/backends/macos-container/image-source.ts'
import {
  checkPlan,
  imageNotices,
  isWithin,
  NO_SHELL_NOTICE,
  workdirOf,
} from '../../../../src-main/backends/macos-container/preflight.ts'
import { launchPlan } from '../../../support/launch-plan.ts'

const bind = { type: 'bind', source: '/src', target: '/dst', readOnly: false, external: false } as const
const image: ImageFacts = {
  reference: 'docker.io/library/box:1',
  digest: 'sha256:aa',
  entrypoint: [],
  cmd: ['sh'],
  workdir: '/work',
  user: '',
  home: null,
  platform: null,
  hasShell: true,
  built: null,
}
const codeOf = (run: () => unknown): unknown => {
  try {
    run()
    return null
  } catch (thrown) {
    return (thrown as { code?: unknown }).code
  }
}

describe('checkPlan', () => {
  it('lets an ordinary plan pass', () => {
    expect(checkPlan(launchPlan({ mounts: [bind], env: { A: 'b' }, secrets: { K: 's' } }))).toBeUndefined()
  })
  it.each([
    ['the forge', { forgeEnv: { A: 'b' } }, 'forge-sidecar-missing'],
    [
      'sidecars',
      { sidecars: [{ name: 'db', image: 'db', command: null, env: {}, secrets: {} }] },
      'unsupported',
    ],
    ['no network', { network: 'none' as const }, 'policy-unenforceable'],
    ['volumes', { mounts: [{ ...bind, type: 'volume' as const }] }, 'unsupported'],
    ['half a processor', { resources: { cpus: 0.5, memoryBytes: null } }, 'unsupported'],
    ['a mount over the run folder', { mounts: [{ ...bind, target: '/run/icebox/x' }] }, 'manifest-invalid'],
    ['a mount above the run folder', { mounts: [{ ...bind, target: '/run' }] }, 'manifest-invalid'],
    ['a variable without a name', { env: { 'A=B': 'c' } }, 'manifest-invalid'],
    ['a NUL in a secret', { secrets: { A: 'b\0c' } }, 'manifest-invalid'],
    ['a NUL in the command', { argv: ['a\0'] }, 'manifest-invalid'],
    ['an empty command', { argv: [] }, 'manifest-invalid'],
  ])('refuses %s', (_what, more, code) => {
    expect(codeOf(() => checkPlan(launchPlan(more)))).toBe(code)
  })
  it('names the way out of a policy that it cannot keep', () => {
    expect(() => checkPlan(launchPlan({ network: 'none' }))).toThrow(/--unenforced-egress/)
    expect(checkPlan(launchPlan({ network: 'unenforced' }))).toBeUndefined()
  })
})

describe('imageNotices', () => {
  it('has nothing to say of an ordinary image', () => {
    expect(imageNotices(launchPlan(), image)).toEqual([])
  })
  it('tells of an image without a shell, and gives it no secrets and no files', () => {
    const bare = { ...image, hasShell: false }
    expect(imageNotices(launchPlan(), bare)).toEqual([NO_SHELL_NOTICE])
    expect(() => imageNotices(launchPlan({ secrets: { KEY: 's' } }), bare)).toThrow(/secret KEY/)
    expect(() => imageNotices(launchPlan({ homeFiles: { a: 'b' } }), bare)).toThrow(/no files/)
    expect(() => imageNotices(launchPlan({ copyCwd: '/x' }), bare)).toThrow(/no files/)
  })
  it('refuses an image that this machine can not run', () => {
    expect(() => imageNotices(launchPlan(), { ...image, platform: 'linux/s390x' })).toThrow(
      /is for linux\/s390x/,
    )
  })
  it('never writes through a mount into a folder of this machine', () => {
    const homeFiles = { '.agent/x': 'y' }
    const onHome = launchPlan({ homeFiles, mounts: [{ ...bind, target: '/root' }] })
    expect(() => imageNotices(onHome, image)).toThrow(/holds the agent's home/)
    const named = launchPlan({ homeFiles, mounts: [{ ...bind, target: '/home/node' }], user: 'node' })
    expect(() => imageNotices(named, image)).toThrow(/holds the agent's home/)
    const beside = launchPlan({ homeFiles, mounts: [{ ...bind, target: '/src' }] })
    expect(imageNotices(beside, image)).toEqual([])
    const copied = launchPlan({ copyCwd: '/x', mounts: [{ ...bind, target: '/work' }] })
    expect(() => imageNotices(copied, image)).toThrow(/nothing can be copied/)
  })
})

it('knows what lies in a folder', () => {
  expect([isWithin('/a/b', '/a'), isWithin('/a', '/a'), isWithin('/a/', '/a'), isWithin('/x', '/')]).toEqual([
    true,
    true,
    true,
    true,
  ])
  expect([isWithin('/ab', '/a'), isWithin('/a', '/a/b'), isWithin('/a/../b', '/a')]).toEqual([
    false,
    false,
    false,
  ])
})

it('starts in the folder of the plan, else of the image, else where a copy goes', () => {
  expect(workdirOf(launchPlan({ workdir: '/p' }), image)).toBe('/p')
  expect(workdirOf(launchPlan(), image)).toBe('/work')
  expect(workdirOf(launchPlan({ copyCwd: '/x' }), { workdir: '' })).toBe('/workspace')
  expect(workdirOf(launchPlan(), { workdir: '' })).toBeNull()
})
