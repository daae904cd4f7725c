import { execFile } from 'node:child_process'
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { claudeProject, piProject } from '../../../src-main/agents/sessions/session-files.ts'
import { withBroughtSession, withVenv } from '../../../src-main/agents/start-wrappers.ts'
import { tempFolder } from '../../support/test-root.ts'

const run = promisify(execFile)
const A = '11111111-1111-4111-8111-111111111111'
const B = '22222222-2222-4222-8222-222222222222'

/** Runs a command as an agent would be, in each shell that there is. */
async function inShell(shell: readonly string[], argv: readonly string[], home: string, cwd: string) {
  const [, ...rest] = argv
  const [program = 'sh', ...before] = shell
  const { stdout } = await run(program, [...before, ...rest], {
    cwd,
    env: { PATH: process.env.PATH, HOME: home },
  })
  return stdout
}

async function put(file: string, text: string, at: number): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  await utimes(file, at, at)
}

describe.each([[['sh']], [['busybox', 'ash']]])('in %j', (shell) => {
  describe('a virtual environment', () => {
    const SHOW = [
      'sh',
      '-c',
      'printf "%s|%s|%s" "$VIRTUAL_ENV" "$(echo "$PATH" | cut -d: -f1)" "$*"',
      'x',
      'a b',
      '$c',
    ]
    it('is the first that exists, and the command stays as it is', async () => {
      const home = await tempFolder()
      await put(join(home, 'second one/bin/activate'), '', 1)
      await put(join(home, 'third/bin/activate'), '', 1)
      const argv = withVenv(SHOW, [join(home, 'none'), '~/second one', '~/third'])
      const found = join(home, 'second one')
      expect(await inShell(shell, argv, home, home)).toBe(`${found}|${found}/bin|a b $c`)
    })
    it('may be named from the working folder', async () => {
      const home = await tempFolder()
      await put(join(home, 'venv/bin/activate'), '', 1)
      expect(await inShell(shell, withVenv(SHOW, ['venv']), home, home)).toContain(`${join(home, 'venv')}|`)
    })
    it('without any the agent does not begin', async () => {
      const home = await tempFolder()
      const running = inShell(shell, withVenv(['touch', 'begun'], ['~/no"$(x)']), home, home)
      await expect(running).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('~/no"$(x)') })
      await expect(readFile(join(home, 'begun'))).rejects.toThrow('ENOENT')
    })
  })

  describe('a conversation from another place', () => {
    const bring = async (provider: string, id: string | null, files: Record<string, [string, number]>) => {
      const home = await tempFolder()
      const cwd = join(home, 'my work.d')
      await mkdir(cwd)
      const base = provider === 'claude' ? '.claude/projects' : '.pi/agent/sessions'
      for (const [path, [text, at]] of Object.entries(files)) await put(join(home, base, path), text, at)
      const said = await inShell(shell, withBroughtSession(['echo', 'a b', '$c'], provider, id), home, cwd)
      expect(said).toBe('a b $c\n')
      const here = provider === 'claude' ? claudeProject(cwd) : piProject(cwd)
      return (name: string) => readFile(join(home, base, here, name), 'utf8').catch(() => null)
    }
    it('is brought to where claude looks for it', async () => {
      const here = await bring('claude', A, {
        [`-old-place/${A}.jsonl`]: ['mine', 100],
        [`-old-place/${B}.jsonl`]: ['other', 200],
      })
      expect(await here(`${A}.jsonl`)).toBe('mine')
      expect(await here(`${B}.jsonl`)).toBeNull()
    })
    it('is the newest of several copies', async () => {
      const here = await bring('claude', A, {
        [`-first/${A}.jsonl`]: ['older', 100],
        [`-second/${A}.jsonl`]: ['newer', 300],
        [`-third/${A}.jsonl`]: ['', 400],
      })
      expect(await here(`${A}.jsonl`)).toBe('newer')
    })
    it('without an id is the newest of all, and never a subagent’s', async () => {
      const here = await bring('claude', null, {
        [`-first/${A}.jsonl`]: ['older', 100],
        [`-second/${B}.jsonl`]: ['newer', 300],
        '-second/agent-1.jsonl': ['sub', 400],
      })
      expect(await here(`${B}.jsonl`)).toBe('newer')
      expect(await here('agent-1.jsonl')).toBeNull()
    })
    it('is brought for pi too', async () => {
      const here = await bring('pi', A, { [`--old--/2026_${A}.jsonl`]: ['mine', 100] })
      expect(await here(`2026_${A}.jsonl`)).toBe('mine')
    })
    it('that is nowhere harms nothing', async () => {
      const here = await bring('claude', A, {})
      expect(await here(`${A}.jsonl`)).toBeNull()
    })
  })
})

it('codex and others find theirs by themselves', () => {
  expect(withBroughtSession(['codex'], 'codex', A)).toEqual(['codex'])
  expect(withVenv(['a'], [])).toEqual(['a'])
})
