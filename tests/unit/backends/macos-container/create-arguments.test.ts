import { describe, expect, it } from 'vitest'
import type { LaunchPlan } from '../../../../src-main/backends/backend.ts'
import {
  type ContainerPlan,
  createArguments,
  mountArguments,
  resourceArguments,
} from '../../../../src-main/backends/macos-container/create-arguments.ts'
import type { ImageFacts } from '../../../../src-main/backends/macos-container/image-source.ts'
import { labelArgument, nameOf, runName } from '../../../../src-main/backends/macos-container/names.ts'
import { launchPlan } from '../../../support/launch-plan.ts'

const image: ImageFacts = {
  reference: 'docker.io/library/box:1',
  digest: 'sha256:aa',
  entrypoint: [],
  cmd: ['sh'],
  workdir: '/work',
  user: '',
  home: null,
  platform: null,
  hasShell: null,
  built: null,
}

const containerPlan = (more: Partial<LaunchPlan> = {}, rest: Partial<ContainerPlan> = {}): ContainerPlan => {
  const run = launchPlan(more)
  return {
    name: 'bot-bottle-web-1',
    run,
    image,
    recipe: { argv: run.argv ?? [], env: run.env, secrets: run.secrets },
    hasShell: true,
    guestFolder: '/state/guest',
    ...rest,
  }
}

describe('createArguments', () => {
  it('carries nothing of the run but its owner and its place', () => {
    const plan = containerPlan({
      argv: ['agent', 'PROMPT'],
      env: { PLAIN: 'PLAIN-VALUE' },
      secrets: { KEY: 'SECRET-VALUE' },
      workdir: '/elsewhere',
      user: 'node',
      tty: true,
      resources: { cpus: 2, memoryBytes: 512 * 1_048_576 },
      mounts: [{ type: 'bind', source: '/src', target: '/dst', readOnly: true, external: false }],
    })
    const args = createArguments(plan)
    expect(args.join(' ')).not.toMatch(/PROMPT|PLAIN|SECRET|KEY/)
    expect(args).toEqual([
      'create',
      ...['--name', 'bot-bottle-web-1'],
      ...['--label', 'dev.icebox.root=6f1c2c3e-0000-4000-8000-1234567890ab'],
      ...['--label', 'dev.icebox.slug=web-1', '--label', 'dev.icebox.run=abc123xyz0'],
      ...['--label', 'dev.icebox.role=agent'],
      ...['--volume', '/state/guest:/run/icebox', '--volume', '/src:/dst:ro'],
      ...['--user', 'node', '--interactive', '--tty', '--cpus', '2', '--memory', '512M'],
      ...['--entrypoint', '/run/icebox/start', 'docker.io/library/box:1'],
    ])
  })
  it('starts at once what needs no terminal', () => {
    expect(createArguments(containerPlan()).slice(0, 4)).toEqual(['run', '--detach', '--progress', 'none'])
  })
  it('without a shell has the command and plain variables, and never a secret', () => {
    const plan = containerPlan(
      { env: { A: 'x=y z' }, secrets: { KEY: 'SECRET-VALUE' }, workdir: '/w' },
      { hasShell: false },
    )
    const args = createArguments(plan)
    expect(args.join(' ')).not.toMatch(/SECRET|icebox:|volume/)
    expect(args.slice(args.indexOf('--workdir'))).toEqual([
      ...['--workdir', '/w', '--env', 'A=x=y z', '--entrypoint', 'agent', 'docker.io/library/box:1', '--go'],
    ])
  })
  it('names the platform of an image that is not for this machine', () => {
    const args = createArguments(containerPlan({}, { image: { ...image, platform: 'linux/riscv64' } }))
    expect(args.slice(-6, -3)).toEqual(['--platform', 'linux/riscv64', '--rosetta'])
  })
})

describe('mountArguments', () => {
  const bind = { type: 'bind', source: '/a', target: '/b', readOnly: false, external: false } as const
  it('takes the long form where a colon would cut the short one', () => {
    expect(mountArguments(bind)).toEqual(['--volume', '/a:/b'])
    expect(mountArguments({ ...bind, source: '/a:b', readOnly: true })).toEqual([
      '--mount',
      'type=bind,source=/a:b,target=/b,readonly',
    ])
    expect(() => mountArguments({ ...bind, source: '/a:b,c' })).toThrow(/colon and a comma/)
  })
  it('has tmpfs, and no volumes', () => {
    expect(mountArguments({ ...bind, type: 'tmpfs', source: '' })).toEqual(['--tmpfs', '/b'])
    expect(() => mountArguments({ ...bind, type: 'volume', source: 'data' })).toThrow(/no volumes/)
  })
})

describe('resourceArguments', () => {
  it('gives whole processors and memory by the megabyte, rounded up', () => {
    expect(resourceArguments({ cpus: 4, memoryBytes: 200 * 1_048_576 + 1 })).toEqual([
      ...['--cpus', '4', '--memory', '201M'],
    ])
    expect(resourceArguments({ cpus: null, memoryBytes: null })).toEqual([])
  })
  it('refuses what the engine would refuse or round', () => {
    expect(() => resourceArguments({ cpus: 1.5, memoryBytes: null })).toThrow(
      /whole processors only.*Write 2/,
    )
    expect(() => resourceArguments({ cpus: 0, memoryBytes: null })).toThrow(/whole processors/)
    expect(() => resourceArguments({ cpus: null, memoryBytes: 199 * 1_048_576 })).toThrow(/200 MiB/)
  })
})

describe('names', () => {
  it('are no longer than the engine takes, and keep the run', () => {
    expect(nameOf('web-1', 'abc123xyz0', null)).toBe('bot-bottle-web-1')
    expect(nameOf('web-1', 'abc123xyz0', 'somebody')).toBe('bot-bottle-web-1')
    expect(nameOf('web-1', 'abc123xyz0', 'bot-bottle-web-1')).toBe('bot-bottle-web-1-abc123xyz0')
    expect(nameOf('y'.repeat(80), 'abc123xyz0', null)).toHaveLength(63)
    const long = runName('x'.repeat(52), 'abc123xyz0')
    expect(long).toHaveLength(63)
    expect(long).toMatch(/x-abc123xyz0$/)
  })
  it('of labels hold no value that the engine would cut', () => {
    expect(labelArgument('a', 'b')).toBe('a=b')
    expect(() => labelArgument('a', 'b=c')).toThrow()
    expect(() => labelArgument('a', '')).toThrow()
  })
})
