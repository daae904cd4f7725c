import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  EVENT_PROGRAM,
  EVENT_SCRIPT,
  STATUS_PROGRAM,
  settingsChanges,
} from '../../../../src-main/agents/workspace/agent-settings.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'settings-'))
  await mkdir(join(home, '.icebox'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

const run = (command: string, input = '{"hook_event_name":"Stop"}') =>
  spawnSync('sh', ['-c', command], { input, env: { ...process.env, HOME: home } }).status

/** The commands that the settings name, in which a program's settings keep them. */
function commands(): readonly string[] {
  const text = JSON.stringify(settingsChanges({ args: [], skipPermissions: false, servers: [] }))
  const found = [...text.matchAll(/"command":("(?:[^"\\]|\\.)*")/g)]
  return [...new Set(found.map(([, quoted = '""']) => JSON.parse(quoted) as string))]
}

test('a helper that is missing or broken never fails the program that calls it', async () => {
  expect(commands()).toHaveLength(2)
  for (const command of commands()) expect(run(command)).toBe(0)
  for (const program of [EVENT_PROGRAM, STATUS_PROGRAM]) await writeFile(join(home, program), 'exit 2\n')
  for (const command of commands()) expect(run(command)).toBe(0)
})

test('events are trimmed again after one that was killed while it trimmed', async () => {
  const events = join(home, '.icebox/events.jsonl')
  const lock = join(home, '.icebox/events.lock')
  await writeFile(join(home, EVENT_PROGRAM), EVENT_SCRIPT)
  await writeFile(events, `{"ts":"x","payload":{}}${' '.repeat(9_000)}\n`.repeat(500))
  const { size } = await stat(events)
  await mkdir(lock)
  for (const command of commands()) run(command)
  // Another one may be at it right now.
  expect((await stat(events)).size).toBeGreaterThan(size)
  const longAgo = Date.now() / 1000 - 180
  await utimes(lock, longAgo, longAgo)
  for (const command of commands()) run(command)
  expect((await stat(events)).size).toBeLessThan(size / 2)
  expect(await readFile(events, 'utf8')).toMatch(/"hook_event_name":"Stop"}}\n$/)
  expect(await readdir(join(home, '.icebox'))).not.toContain('events.lock')
})
