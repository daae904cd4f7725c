import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runChild } from '../../support/child.ts'
import { scriptedAgent, scriptedLog } from '../../support/scripted-agent/scripted-agent.ts'
import { tempFolder } from '../../support/test-root.ts'

async function install(name: string, scenario = {}) {
  const dir = await tempFolder()
  await scriptedAgent(join(dir, 'bin'), scenario, name)
  const env = { PATH: process.env.PATH ?? '', HOME: dir }
  const run = (...args: string[]) =>
    runChild(join(dir, 'bin', name), args, { env, cwd: dir, timeout: 20_000 })
  return { dir, run }
}

test('an unknown flag ends it with 2, as does a value that is missing', async () => {
  const { dir, run } = await install('claude')
  expect((await run('--bogus')).exitCode).toBe(2)
  expect((await run('-p', '--model')).exitCode).toBe(2)
  expect(await scriptedLog(dir)).toContain("usage unknown option '--bogus'")
})

test.each([
  ['claude', ['-p'], ['-p', '--continue']],
  ['codex', ['exec', '--skip-git-repo-check'], ['exec', 'resume', '--last']],
  ['pi', ['-p'], ['-p', '--continue']],
])('%s remembers a conversation that goes on, and knows no other', async (name, first, next) => {
  const { run } = await install(name)
  const lost = await run(...next, '--', 'too early')
  expect(lost.exitCode).toBe(1)
  expect((await run(...first, '--', 'the word is "blue"')).stdout).toBe('Done: the word is "blue"\n')
  expect((await run(...next, '--', '!recall')).stdout).toBe('You said: the word is "blue"\n')
  expect((await run(...first, '--', '!count')).stdout).toBe('1 messages\n')
})

test('a streamed turn is lines of JSON, and its session can be resumed by id', async () => {
  const { dir, run } = await install('claude', { tool: true })
  expect((await run('-p', '--output-format', 'stream-json', '--', 'x')).exitCode).toBe(1)
  const { stdout } = await run('-p', '--output-format', 'stream-json', '--verbose', '--', 'a\nb')
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines.map(({ type }) => type)).toEqual(['system', 'assistant', 'result'])
  expect(lines.at(-1)?.result).toBe('Done: a\nb')
  const id = String(lines[0]?.session_id)
  const file = join(dir, '.claude/projects', dir.replaceAll(/[^A-Za-z0-9]/g, '-'), `${id}.jsonl`)
  const records = (await readFile(file, 'utf8')).trim().split('\n')
  expect(records.map((record) => (JSON.parse(record) as { type: string }).type)).toEqual([
    'user',
    'assistant',
    'user',
    'assistant',
  ])
  expect((await run('-p', '--resume', id, '--', '!count')).stdout).toBe('2 messages\n')
  expect((await run('-p', '--session-id', id, '--', 'x')).exitCode).toBe(1)
})

test('a crash has its code, and a limit fails the turn', async () => {
  const { run } = await install('claude')
  expect((await run('-p', '--', '!crash 7')).exitCode).toBe(7)
  const limited = await run('-p', '--', '!limit')
  expect(limited).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("You've hit your limit") })
})
