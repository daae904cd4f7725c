import { describe, expect, it } from 'vitest'
import { parseArguments, parseDuration } from '../../support/doubles/smolvm/clap.ts'
import { commandTable } from '../../support/doubles/smolvm/command-table.ts'
import { nameProblem } from '../../support/doubles/smolvm/machine-name.ts'
import { featuresOf, SMOLVM_VERSIONS } from '../../support/doubles/smolvm/versions.ts'

const parse = (version: string, ...argv: readonly string[]) =>
  parseArguments(commandTable(featuresOf(version)), version, argv)
const kind = (version: string, line: string) => parse(version, ...line.split(' ')).kind
const text = (version: string, line: string) => {
  const parsed = parse(version, ...line.split(' '))
  return parsed.kind === 'call' ? '' : parsed.text
}

describe('the grammar of the smolvm double', () => {
  it('tells its version alone', () => {
    expect(parse('1.9.3', '--version')).toEqual({ kind: 'print', text: 'smolvm 1.9.3\n' })
  })

  it('takes names by position up to 1.0.1 and as flags from 1.0.2', () => {
    for (const version of SMOLVM_VERSIONS) {
      const isOld = version === '1.0.1'
      for (const verb of ['create', 'delete', 'update', 'data-dir']) {
        expect(kind(version, `machine ${verb} box`)).toBe(isOld ? 'call' : 'refused')
        expect(kind(version, `machine ${verb} --name box`)).toBe(isOld ? 'refused' : 'call')
      }
      expect(kind(version, 'machine start --name box')).toBe('call')
      expect(kind(version, 'machine start box')).toBe('refused')
    }
    expect(kind('1.0.1', 'machine delete -f box')).toBe('call')
    expect(kind('1.0.1', 'machine delete box -f')).toBe('call')
    expect(text('1.0.2', 'machine delete -f')).toContain(
      'error: the following required arguments were not provided:\n  --name <NAME>',
    )
  })

  it('refuses what it does not know, and says so as clap does', () => {
    expect(text('1.9.3', 'machine create --privileged')).toContain(
      "error: unexpected argument '--privileged' found",
    )
    expect(text('1.9.3', 'machine restore --name x')).toContain("error: unrecognized subcommand 'restore'")
    expect(text('1.9.3', 'machine logs')).toContain("error: unrecognized subcommand 'logs'")
    expect(text('1.9.3', 'create x')).toContain("error: unrecognized subcommand 'create'")
    expect(text('1.9.3', 'machine create --name a --name b')).toContain('cannot be used multiple times')
    expect(text('1.9.3', 'machine create --cpus many')).toContain(
      "error: invalid value 'many' for '--cpus <N>'",
    )
    expect(text('1.9.3', 'machine create --image a --from b')).toContain(
      "cannot be used with '--image <IMAGE>'",
    )
    expect(text('1.9.3', 'machine ls --json=yes')).toContain(
      "error: unexpected value 'yes' for '--json' found",
    )
    expect(text('1.9.3', 'machine start --name')).toContain("a value is required for '--name <NAME>'")
    expect(text('1.9.3', 'pack create --from-vm x')).toContain('  --output <PATH>')
  })

  it('knows no -n at exec, and wants -- before a command', () => {
    expect(text('1.9.3', 'machine exec -n box -- true')).toContain("error: unexpected argument '-n' found")
    expect(kind('1.9.3', 'machine exec --name box true')).toBe('refused')
    expect(kind('1.9.3', 'machine exec --name box --')).toBe('refused')
    const parsed = parse('1.9.3', 'machine', 'exec', '--name', 'box', '-it', '--', 'ls', '--name', '-n')
    expect(parsed.kind === 'call' && parsed.call.rest).toEqual(['ls', '--name', '-n'])
    expect(parsed.kind === 'call' && parsed.call.has('interactive') && parsed.call.has('tty')).toBe(true)
  })

  it('takes a dash alone as a value, and an option as none', () => {
    expect(kind('1.9.3', 'machine create --image -')).toBe('call')
    expect(kind('1.9.3', 'machine create --image --net')).toBe('refused')
    expect(kind('1.9.3', 'machine create --image=--net')).toBe('call')
  })

  it.each([
    ['1.0.1', 'machine exec --name a -d -- true', 'refused'],
    ['1.8.0', 'machine exec --name a -d -- true', 'call'],
    ['1.8.0', 'machine exec --name a -d --stream -- true', 'refused'],
    ['1.0.2', 'machine create --label a=b', 'refused'],
    ['1.8.0', 'machine create --label a=b --label c=d', 'call'],
    ['1.8.0', 'machine cp a b:/c --mode 644', 'refused'],
    ['1.9.3', 'machine cp a b:/c --mode 644', 'call'],
    ['1.0.2', 'machine delete --name a --cascade', 'refused'],
    ['1.8.0', 'machine delete --name a --cascade', 'call'],
    ['1.0.2', 'pack create --from-vm a -o b --staging-dir c', 'refused'],
    ['1.8.0', 'pack create --from-vm a -o b --staging-dir c', 'call'],
    ['1.20.0', 'pack create --from-vm a -o b --include-workspace', 'refused'],
    ['1.23.0', 'pack create --from-vm a -o b --include-workspace', 'call'],
    ['1.20.0', 'machine ls -q', 'refused'],
    ['1.23.0', 'machine ls -q', 'call'],
    ['1.20.0', 'machine create -u node', 'refused'],
    ['1.23.0', 'machine create -u node', 'call'],
    ['1.9.3', 'machine checkpoint --name a -o b.smolcheckpoint', 'refused'],
    ['1.20.0', 'machine checkpoint --name a -o b.smolcheckpoint', 'call'],
    ['1.9.3', 'machine pause --name a', 'refused'],
    ['1.20.0', 'machine pause --name a', 'call'],
    ['1.9.3', 'machine start --name a --branchable', 'refused'],
    ['1.20.0', 'machine start --name a --branchable', 'call'],
    ['1.9.3', 'machine fork --golden a -n b', 'call'],
    ['1.0.1', 'machine fork a b', 'call'],
    ['1.9.3', 'machine branch --from a --name b', 'refused'],
    ['1.20.0', 'machine branch --from a --name b', 'call'],
    ['1.20.0', 'machine fork --golden a --name b --forkable', 'call'],
    ['1.20.0', 'machine create --at ~1', 'refused'],
    ['1.20.0', 'machine create --from x --at ~1', 'call'],
    ['1.9.3', 'vm list --json', 'call'],
    ['1.9.3', 'machine rm --name a -f', 'call'],
  ])('%s: %s is a %s', (version, line, expected) => {
    expect(kind(version, line)).toBe(expected)
  })

  it('names in its help exactly what the version has', () => {
    for (const version of SMOLVM_VERSIONS) {
      const features = featuresOf(version)
      const words = new Set(text(version, 'machine --help').split(/\s+/))
      for (const verb of ['checkpoint', 'branch']) expect(words.has(verb)).toBe(features.checkpoint)
      expect(words.has('pause')).toBe(features.pause)
      expect(words.has('fork')).toBe(!features.branch)
      expect(text(version, 'machine create --help').includes('--label')).toBe(features.labels)
      expect(text(version, 'machine create --help').includes('--at ')).toBe(features.checkpoint)
      expect(text(version, 'pack create --help').includes('--include-workspace')).toBe(
        features.includeWorkspace,
      )
      expect(text(version, 'pack create --help')).not.toContain('--rootfs-dir')
    }
  })

  it('reads times only with a unit', () => {
    expect([parseDuration('30s'), parseDuration('5m'), parseDuration('200ms')]).toEqual([
      30_000, 300_000, 200,
    ])
    expect([parseDuration('30'), parseDuration('0s'), parseDuration('soon')]).toEqual([null, null, null])
    expect(kind('1.9.3', 'machine exec --timeout 30 -- true')).toBe('refused')
  })
})

describe('names of machines', () => {
  it.each([
    ['a'.repeat(129), 'too long: 129 characters (max 128)'],
    ['-a', 'must start with a letter or digit'],
    ['a-', 'cannot end with a hyphen'],
    ['a--b', 'cannot contain consecutive hyphens'],
    ['a/b', 'cannot contain path separators'],
    ['a.b', "contains invalid character: '.'"],
    ['', 'cannot be empty'],
  ])('%s is refused', (name, why) => {
    expect(nameProblem(name)).toContain(`machine name ${why}`)
  })

  it('takes letters, digits, dashes and underscores', () => {
    expect(['a', 'A_9-b', 'bot-bottle-x', 'a'.repeat(128)].map(nameProblem)).toEqual([null, null, null, null])
  })
})
