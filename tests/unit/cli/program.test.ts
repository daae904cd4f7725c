import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import type { GlobalFlags, Streams } from '../../../src-main/cli/face.ts'
import { allCommands, buildProgram, runProgram, usageSentence } from '../../../src-main/cli/program.ts'
import { parseQuick } from '../../../src-main/cli/quick.ts'

const GLOBAL = ['--json', '--home', '--quiet']

/** Every command of this version and the flags that are offered, as cli.md names them. */
const OFFERED: Readonly<Record<string, readonly string[]>> = {
  start: [
    ...[
      '--headless',
      '--prompt',
      '--bottle',
      '--label',
      '--color',
      '--backend',
      '--copy-cwd',
      '--cwd',
      '--secret',
    ],
    ...[
      '--allow-missing-secrets',
      '--unenforced-egress',
      '--dry-run',
      '--force',
      '--foreground',
      '--session',
    ],
    '--resume-id',
  ],
  resume: [
    '--headless',
    '--prompt',
    '--backend',
    '--rebuild-ok',
    '--cwd',
    '--secret',
    '--dry-run',
    '--copy-cwd',
  ],
  freeze: ['--note', '--yes', '--pin'],
  hooks: ['--lines'],
  'hooks try': [],
  send: ['--now'],
  fork: ['--count', '--headless', '--prompt', '--agent', '--label'],
  stop: ['--yes', '--force'],
  restart: ['--yes'],
  destroy: ['--yes', '--freeze', '--purge', '--force'],
  adopt: ['--yes'],
  cleanup: ['--yes'],
  'trash list': [],
  'trash undo': [],
  'trash empty': ['--yes'],
  list: ['--all', '--active', '--agents'],
  info: [],
  status: [],
  logs: ['--run', '--all', '--follow', '--lines'],
  attach: ['--read-only'],
  snapshots: [],
  export: ['--output', '--thin', '--compress', '--scrub', '--force'],
  import: ['--label'],
  push: ['--scrub'],
  pull: ['--label'],
  diff: ['--file', '--names'],
  verify: [],
  prune: ['--dry-run', '--last', '--hourly', '--daily', '--weekly', '--yes'],
  du: [],
  pin: [],
  note: [],
  doctor: [],
  validate: [],
  check: ['--backend', '--cwd'],
  'secret set': [],
  'secret list': [],
  'secret remove': [],
  'stop-all': ['--force'],
  serve: ['--port', '--no-open', '--new-link'],
  init: [],
  edit: [],
  agents: [],
  completion: [],
}

const program = buildProgram(() => async () => {}, 80)

function find(path: string): Command | undefined {
  return path
    .split(' ')
    .reduce<Command | undefined>((at, name) => at?.commands.find((below) => below.name() === name), program)
}

interface Heard {
  out: string
  err: string
  flags: GlobalFlags | undefined
}

async function run(...argv: readonly string[]): Promise<Heard & { code: number; message: string }> {
  const heard: Heard = { out: '', err: '', flags: undefined }
  const output = (key: 'out' | 'err') => ({
    isTerminal: false,
    width: undefined,
    isMidLine: false,
    write: async (data: string | Uint8Array) => {
      heard[key] += Buffer.from(data).toString()
    },
  })
  const streams: Streams = { stdout: output('out'), stderr: output('err') }
  try {
    const code = await runProgram(argv, streams, (flags) => {
      heard.flags = flags
      throw Object.assign(new Error('parsed'), { isParsed: true })
    })
    return { ...heard, code, message: '' }
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown
    if ('isParsed' in thrown) return { ...heard, code: 0, message: '' }
    if (!('code' in thrown) || thrown.code !== 'usage') throw thrown
    return { ...heard, code: 2, message: thrown.message }
  }
}

describe('the commands of this version', () => {
  test.each(Object.keys(OFFERED))('%s takes its flags and the global ones', (path) => {
    const flags = find(path)?.options.map((option) => option.long)
    expect(flags).toEqual(expect.arrayContaining([...(OFFERED[path] ?? []), ...GLOBAL]))
  })
  test('are these and no others', () => {
    const visible = allCommands(program)
      // A group is none, unless it does something by itself.
      .filter((command) => command.commands.length === 0 || command.registeredArguments.length > 0)
      .filter((command) => !['__complete', 'supervise'].includes(command.name()))
      .map((command) =>
        command.parent === program ? command.name() : `${command.parent?.name()} ${command.name()}`,
      )
    expect(visible.toSorted()).toEqual(Object.keys(OFFERED).toSorted())
  })
  test('commit is freeze', () => {
    expect(find('freeze')?.aliases()).toEqual(['commit'])
  })
})

describe('what is not understood', () => {
  test.each([
    [['lisst'], "Unknown command 'lisst'. Did you mean list? See `icebox --help`."],
    [['help', 'nix'], "Unknown command 'nix'. See `icebox --help`."],
    [['start', '--hedless'], "Unknown option '--hedless'. Did you mean --headless?"],
    [['start', 'a', 'b'], 'Too many arguments'],
    [['pin'], "Missing required argument 'snapshot'."],
    [['start', '--prompt'], "Option '--prompt <text>' argument missing."],
    [['--json'], 'Name a command.'],
    [['trash', '--json'], 'Name a command.'],
  ])('%j', async (argv, message) => {
    const result = await run(...argv)
    expect(result.code).toBe(2)
    expect(result.message).toContain(message)
    expect(result.out).toBe('')
  })
  test('no command at all prints the usage on stderr', async () => {
    const { code, out, err } = await run()
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('Usage: icebox')
  })
  test('help is no error', async () => {
    for (const argv of [['-h'], ['--help'], ['help'], ['start', '-h'], ['help', 'start']]) {
      const { code, out, err } = await run(...argv)
      expect({ argv, code, err }).toEqual({ argv, code: 0, err: '' })
      expect(out).toContain('Usage: icebox')
    }
  })
  test('the sentence is a sentence', () => {
    expect(usageSentence("error: unknown option '-x'\n", '')).toBe("Unknown option '-x'.")
  })
})

describe('the global flags', () => {
  test.each([
    [['--json', 'list']],
    [['list', '--json']],
    [['trash', '--json', 'list']],
    [['trash', 'list', '--json']],
  ])('%j', async (argv) => {
    expect((await run(...argv)).flags).toMatchObject({ json: true })
  })
  test('-- ends options', async () => {
    expect((await run('info', '--home', '/x', '--', '--json')).flags).toEqual({ home: '/x' })
  })
  test('a prompt may begin with a dash', async () => {
    expect((await run('start', 'a', '--headless', '--prompt', '--json')).flags).toMatchObject({
      prompt: '--json',
    })
  })
})

describe('the quick lane', () => {
  test.each([
    [['list'], {}],
    [['list', '--json'], { json: true }],
    [['list', '--quiet', '--home', '/x', '--active'], { quiet: true, home: '/x', active: true }],
    [['list', '--all', '--json'], { json: true, all: true }],
  ])('%j reads as the full parser does', async (argv, expected) => {
    const quick = parseQuick(argv)
    const full = (await run(...argv)).flags
    expect(full).toEqual(expected)
    const { json, quiet, home } = quick?.flags ?? {}
    expect({ json, quiet, home }).toEqual({ json: false, quiet: false, ...pickGlobal(full) })
  })
  test.each([
    ['list', '--home'],
    ['list', '--agents'],
    ['list', '--help'],
    ['list', 'x'],
    ['list', '--home', '--json'],
    ['status'],
  ])('%j %j is left to the full parser', (...argv) => {
    expect(parseQuick(argv)).toBeUndefined()
  })
})

function pickGlobal(flags: GlobalFlags | undefined): GlobalFlags {
  const { json, quiet, home } = flags ?? {}
  return { ...(json ? { json } : {}), ...(quiet ? { quiet } : {}), ...(home ? { home } : {}) }
}
