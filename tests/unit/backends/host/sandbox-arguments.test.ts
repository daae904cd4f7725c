import { describe, expect, it } from 'vitest'
import type { Isolation } from '../../../../src-main/backends/host/isolation.ts'
import {
  bwrapArguments,
  type SandboxPlan,
  sandboxCommand,
  sandboxGaveUp,
  sandboxProfile,
} from '../../../../src-main/backends/host/sandbox-arguments.ts'

const plan: SandboxPlan = {
  stateRoot: '/home/u/.bot-bottle',
  workspace: '/home/u/.bot-bottle/state/s/live/workspace',
  home: '/home/u/.bot-bottle/state/s/live/home',
  cwd: '/home/u/.bot-bottle/state/s/live/workspace/sub',
  hidden: [
    { path: '/home/u/.ssh', isFolder: true },
    { path: '/home/u/.netrc', isFolder: false },
    { path: '/home/u/.bot-bottle', isFolder: true },
  ],
  hasNetwork: true,
}
const positionOf = (args: readonly string[], ...sequence: string[]): number =>
  args.findIndex((_arg, at) => sequence.every((word, offset) => args[at + offset] === word))

describe('bwrapArguments', () => {
  const args = bwrapArguments(plan)

  it('hides first, then opens the two folders, then closes the root', () => {
    const order = [
      positionOf(args, '--ro-bind', '/', '/'),
      positionOf(args, '--tmpfs', '/tmp'),
      positionOf(args, '--tmpfs', '/home/u/.ssh'),
      positionOf(args, '--ro-bind', '/dev/null', '/home/u/.netrc'),
      positionOf(args, '--tmpfs', plan.stateRoot),
      positionOf(args, '--bind', plan.workspace, plan.workspace),
      positionOf(args, '--bind', plan.home, plan.home),
      positionOf(args, '--remount-ro', plan.stateRoot),
    ]
    expect(order).not.toContain(-1)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    expect(args.filter((arg) => arg === '--bind')).toHaveLength(2)
  })

  it('lets the agent outlive its parents, without capabilities', () => {
    expect(args).not.toContain('--die-with-parent')
    expect(positionOf(args, '--cap-drop', 'ALL')).toBeGreaterThan(0)
    expect(positionOf(args, '--chdir', plan.cwd)).toBeGreaterThan(0)
  })

  it('takes the network away only where told', () => {
    expect(args).not.toContain('--unshare-net')
    expect(bwrapArguments({ ...plan, hasNetwork: false })).toContain('--unshare-net')
  })
})

describe('sandboxProfile', () => {
  const lines = sandboxProfile(plan).split('\n')

  it('denies before it allows, since the last rule wins', () => {
    const deny = lines.indexOf(`(deny file-read* file-write* (subpath "${plan.stateRoot}"))`)
    const allow = lines.findIndex((line) => line.startsWith('(allow file-read* file-write* (subpath'))
    expect(deny).toBeGreaterThan(0)
    expect(allow).toBeGreaterThan(deny)
    expect(lines[allow]).toContain(`(subpath "${plan.home}")`)
    expect(lines.join('\n')).toContain('(literal "/home/u/.netrc")')
    expect(lines.join('\n')).not.toContain('network')
    expect(sandboxProfile({ ...plan, hasNetwork: false })).toContain('(deny network*)')
  })

  it('quotes paths', () => {
    const odd = sandboxProfile({ ...plan, workspace: '/a"b\\c' })
    expect(odd).toContain('(subpath "/a\\"b\\\\c")')
  })
})

describe('sandboxCommand', () => {
  const isolation = (kind: Isolation['kind'], program: string | null): Isolation => ({
    kind,
    program,
    hasNetwork: true,
    reason: null,
    fix: null,
  })

  it('ends with what separates the agent from options', () => {
    expect(sandboxCommand(isolation('bwrap', '/usr/bin/bwrap'), plan).at(-1)).toBe('--')
    expect(sandboxCommand(isolation('sandbox-exec', '/usr/bin/sandbox-exec'), plan)).toHaveLength(3)
    expect(sandboxCommand(isolation('none', null), plan)).toEqual([])
  })
})

describe('sandboxGaveUp', () => {
  it.each([
    [1, '{ "child-pid": 7 }\n', true],
    [1, '{ "child-pid": 7 }\n{ "exit-code": 1 }\n', false],
    [0, '{ "child-pid": 7 }\n', false],
    [137, '{ "child-pid": 7 }\n', false],
    [1, '', false],
  ])('%s with %j is %s', (exitCode, status, gaveUp) => {
    expect(sandboxGaveUp(exitCode, status)).toBe(gaveUp)
  })
})
