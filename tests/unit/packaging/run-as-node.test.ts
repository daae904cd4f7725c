import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { readSources, type Sources } from '../../support/arch/sources.ts'

/**
 * In the packed app `process.execPath` is the app and never a Node: its fuse forbids it, and `fork` with it. Who starts a
 * process of Icebox has to say why that works there.
 */
const ALLOWED: Readonly<Record<string, string>> = {
  'src-main/start.ts': 'runs from the sources only',
  'src-main/cli/bundled-node.ts': 'runs on a Node that is too old only, and Electron’s is not',
  'src-main/shell/launch-command.ts': 'starts the app itself',
  'src-main/bottles/supervise/spawn-supervisor.ts':
    'starts the app itself with --cli, or the Node that runs the command',
  'src-main/bottles/supervise/own-files.ts': 'only looks at the file',
  'src-main/system/stale-build.ts': 'only looks at the file',
}
const SIGNS =
  /process\.execPath|process\.argv0|['"/]cli\.js\b|import \{[^}]*\bfork\b[^}]*\} from 'node:child_process'/

let sources: Sources
beforeAll(async () => {
  sources = await readSources(join(import.meta.dirname, '../../..'), ['src-main'], /\.ts$/)
})

const starters = (all: Sources) => [...all].filter(([, text]) => SIGNS.test(text)).map(([path]) => path)

test('nothing starts Icebox’s own program as a Node', () => {
  expect(starters(sources).filter((path) => !(path in ALLOWED))).toEqual([])
})

test('every exception is still one', () => {
  expect(Object.keys(ALLOWED).filter((path) => !starters(sources).includes(path))).toEqual([])
})

test.each([
  `spawn(process.execPath, ['x.js'])`,
  `import { fork, spawn } from 'node:child_process'`,
  `join(dir, 'cli.js')`,
])('it would be seen: %s', (text) => {
  expect(starters(new Map([['a.ts', text]]))).toEqual(['a.ts'])
})
