import { describe, expect, it } from 'vitest'
import {
  optionOf,
  optionsOf,
  parseArguments,
  type VerbSpec,
} from '../../support/doubles/container/arguments.ts'
import { verbsOf } from '../../support/doubles/container/verbs.ts'
import { CONTAINER_VERSIONS, gatesOf, isAtLeast } from '../../support/doubles/container/versions.ts'

const specOf = (verb: string, version = '1.2.2'): VerbSpec => {
  const found = verbsOf(gatesOf(version)).find(({ names }) => names.includes(verb))
  if (!found) throw new Error(`no verb ${verb}`)
  return found.spec
}
const parse = (verb: string, ...argv: string[]) => parseArguments(specOf(verb), argv, verb)

describe('the grammar of container', () => {
  it('takes everything after the image as the guest’s', () => {
    const parsed = parse('run', '-d', '--name', 'one', 'box', '-d', '--nonsense', '--', 'x')
    expect(parsed.positional).toEqual(['box'])
    expect(parsed.rest).toEqual(['-d', '--nonsense', '--', 'x'])
    expect(optionOf(parsed, 'name')).toBe('one')
  })

  it('reads short flags together, long ones with an equals sign, and lists', () => {
    const parsed = parse('exec', '-it', '--env=A=1', '-e', 'B', '--cwd', '/x', 'one', 'sh')
    expect([...parsed.flags].toSorted()).toEqual(['interactive', 'tty'])
    expect(optionsOf(parsed, 'env')).toEqual(['A=1', 'B'])
    expect(optionOf(parsed, 'workdir')).toBe('/x')
  })

  it.each([
    ['run', ['--privileged', 'box'], "Unknown option '--privileged'"],
    ['run', ['--hostname', 'x', 'box'], "Unknown option '--hostname'"],
    ['run', ['--restart=no', 'box'], "Unknown option '--restart'"],
    ['run', ['--security-opt', 'x', 'box'], "Unknown option '--security-opt'"],
    ['run', ['--add-host', 'x', 'box'], "Unknown option '--add-host'"],
    ['run', ['--device', 'x', 'box'], "Unknown option '--device'"],
    ['run', ['--gpus', 'x', 'box'], "Unknown option '--gpus'"],
    ['run', ['--pull', 'never', 'box'], "Unknown option '--pull'"],
    ['run', ['--health-cmd', 'x', 'box'], "Unknown option '--health-cmd'"],
    ['run', ['--stop-signal', 'x', 'box'], "Unknown option '--stop-signal'"],
    ['run', ['--stop-timeout', '1', 'box'], "Unknown option '--stop-timeout'"],
    ['run', ['-P', 'box'], "Unknown option '-P'"],
    ['create', ['--progress', 'none', 'box'], "Unknown option '--progress'"],
    ['start', ['--progress', 'none', 'x'], "Unknown option '--progress'"],
    ['export', ['--progress', 'none', 'x'], "Unknown option '--progress'"],
    ['export', ['--live', 'x'], "Unknown option '--live'"],
    ['export', ['--image', 'y', 'x'], "Unknown option '--image'"],
    ['image save', ['--progress', 'none', 'x'], "Unknown option '--progress'"],
    ['image load', ['--progress', 'none'], "Unknown option '--progress'"],
    ['list', ['--filter', 'x'], "Unknown option '--filter'"],
    ['list', ['--no-trunc'], "Unknown option '--no-trunc'"],
    ['logs', ['--tail', '1', 'x'], "Unknown option '--tail'"],
    ['logs', ['--since', '1', 'x'], "Unknown option '--since'"],
    ['logs', ['--timestamps', 'x'], "Unknown option '--timestamps'"],
    ['list', ['--format', 'xml'], "The value 'xml' is invalid for '--format <format>'"],
    ['stop', ['-t', 'soon', 'x'], "The value 'soon' is invalid for '-t <time>'"],
    ['run', ['--cpus', '0.5', 'box'], "The value '0.5' is invalid for '--cpus <cpus>'"],
    ['run', [], "Missing expected argument '<image>'"],
    ['run', ['--name'], "Missing value for '--name <name>'"],
    ['run', ['--name', '--rm', 'box'], "Missing value for '--name <name>'"],
    ['run', ['--rm=yes', 'box'], "does not take any value, but 'yes'"],
    ['exec', ['one'], "Missing expected argument '<arguments> ...'"],
    ['start', ['one', 'two'], "Unexpected argument 'two'"],
    ['export', ['one', 'two', 'three'], "2 unexpected arguments: 'two', 'three'"],
    ['inspect', [], "Missing expected argument '<container-ids> ...'"],
  ] as const)('%s %j is refused: %s', (verb, argv, message) => {
    expect(() => parse(verb, ...argv)).toThrow(message)
  })

  it('has the flags of its version and no others', () => {
    expect(() => parseArguments(specOf('list', '0.12.3'), ['--format', 'toml'], 'list')).toThrow('invalid')
    expect(() => parseArguments(specOf('list', '1.0.0'), ['--format', 'toml'], 'list')).not.toThrow()
    const verbs = (version: string) => verbsOf(gatesOf(version)).flatMap(({ names }) => names)
    expect(verbs('0.12.3')).not.toContain('cp')
    expect(verbs('1.0.0')).toContain('cp')
    for (const version of CONTAINER_VERSIONS) {
      const known = verbs(version)
      for (const verb of ['pause', 'unpause', 'rename', 'restart', 'wait', 'top', 'diff', 'update', 'attach'])
        expect(known).not.toContain(verb)
      for (const verb of ['events', 'import', 'checkpoint', 'commit']) expect(known).not.toContain(verb)
    }
  })

  it('compares versions by number', () => {
    expect(isAtLeast('0.12.3', '0.9.0')).toBe(true)
    expect(isAtLeast('1.2.0', '1.2.1')).toBe(false)
    expect(isAtLeast('1.10.0', '1.2.1')).toBe(true)
  })
})
