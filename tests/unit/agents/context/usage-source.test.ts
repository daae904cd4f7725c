import { appendFile, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createUsageSource } from '../../../../src-main/agents/context/usage-source.ts'
import type { ProviderName } from '../../../../src-main/agents/definitions.ts'
import { fakeAgent, STARTED } from '../observe/agent-world.ts'
import { claude, pi } from './records.ts'

const SIGNAL = new AbortController().signal
const OURS = '11111111-1111-4111-8111-111111111111'
const OTHER = '22222222-2222-4222-8222-222222222222'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'usage-'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

const fileOf = (id: string, folder = '-work') => join(home, '.claude/projects', folder, `${id}.jsonl`)

async function put(file: string, lines: readonly string[], minutesLater = 1): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, lines.map((line) => `${line}\n`).join(''))
  const at = Date.parse(STARTED) / 1000 + minutesLater * 60
  await utimes(file, at, at)
}

function sourceOf(provider: ProviderName = 'claude') {
  const world = fakeAgent(home, { provider })
  const { access, ref } = world.agent
  return { ...world, source: createUsageSource(access, ref, provider, Date.parse(STARTED)) }
}

describe('weakness 21', () => {
  test('weakness 21: the last tool and prompt are found behind lines of megabytes', async () => {
    await put(fileOf(OURS), [
      claude.user('read the big file'),
      claude.tool(40_000, 'Read', { file_path: '/big' }),
      claude.toolResult('x'.repeat(5_000_000)),
      ...Array.from({ length: 200 }, () => claude.answer(60_000)),
    ])
    const { source } = sourceOf()
    expect(await source.read(null, SIGNAL)).toMatchObject({
      tokens: 60_000,
      tool: 'Read',
      toolInput: '/big',
      userMessage: 'read the big file',
    })
  })

  test('weakness 21: the conversation is known by its id, however new another one in the folder is', async () => {
    await put(fileOf(OURS), [claude.user('ours'), claude.answer(10_000)], 1)
    await put(fileOf(OTHER), [claude.user('not ours'), claude.answer(90_000)], 30)
    const { source } = sourceOf()
    expect(await source.read(OURS, SIGNAL)).toMatchObject({ userMessage: 'ours', tokens: 10_000 })
    // One that has not said anything yet has no file, and the other one is still not it.
    expect(await sourceOf().source.read('33333333-3333-4333-8333-333333333333', SIGNAL)).toEqual({})
  })
})

test('without an id the newest that this run wrote is taken, never an earlier run’s', async () => {
  await put(fileOf(OTHER), [claude.user('of yesterday'), claude.answer(90_000)], -600)
  const { source } = sourceOf()
  expect(await source.read(null, SIGNAL)).toEqual({})
  await put(fileOf(OURS), [claude.user('today')], 1)
  expect(await source.read(null, SIGNAL)).toMatchObject({ sessionId: OURS, userMessage: 'today' })
})

test('only what came since is read, also when a line was half written', async () => {
  const file = fileOf(OURS)
  await put(file, [claude.user('begin'), ...Array.from({ length: 3000 }, () => claude.answer(10_000))])
  const { source, reads } = sourceOf()
  await source.read(OURS, SIGNAL)
  const next = claude.tool(20_000, 'Bash', { command: 'ls' })
  await appendFile(file, next.slice(0, 50))
  expect((await source.read(OURS, SIGNAL)).tokens).toBe(10_000)
  await appendFile(file, `${next.slice(50)}\n`)
  expect(await source.read(OURS, SIGNAL)).toMatchObject({
    tokens: 20_000,
    tool: 'Bash',
    userMessage: 'begin',
  })
  const grown = reads.at(-1)?.tailBytes ?? 0
  expect(grown).toBeLessThan(100_000)
  const before = reads.length
  await source.read(OURS, SIGNAL)
  expect(reads).toHaveLength(before)
})

test('a file that was written anew is read anew', async () => {
  const file = fileOf(OURS)
  await put(file, [claude.user('one'), claude.answer(50_000), claude.answer(60_000)])
  const { source } = sourceOf()
  await source.read(OURS, SIGNAL)
  await put(file, [claude.user('two')])
  const again = await source.read(OURS, SIGNAL)
  expect(again).toMatchObject({ userMessage: 'two' })
  expect(again.tokens).toBeUndefined()
  await put(file, [claude.user('three'), claude.answer(7_000), claude.user('four'), claude.answer(8_000)])
  expect(await source.read(OURS, SIGNAL)).toMatchObject({ userMessage: 'four', tokens: 8_000 })
})

test('a cost that is a sum is told only when every record was read', async () => {
  const id = '44444444-4444-4444-8444-444444444444'
  const file = join(home, '.pi/agent/sessions/--work--', `2026-11-21_${id}.jsonl`)
  await put(file, [pi.session, pi.user('hello'), pi.answer(1_000, 0.25)])
  const small = sourceOf('pi')
  expect(await small.source.read(id, SIGNAL)).toMatchObject({ costUsd: 0.25 })
  await appendFile(file, `${pi.answer(2_000, 0.5)}\n`)
  expect(await small.source.read(id, SIGNAL)).toMatchObject({ costUsd: 0.75, tokens: 2_000 })
  const tool = pi.answer(2_000, 0.5, [
    { type: 'toolCall', id: 't', name: 'bash', arguments: { command: 'ls' } },
  ])
  const many = Array.from({ length: 2000 }, () => pi.answer(2_000, 0.5))
  await put(file, [pi.session, ...many, pi.user('hello'), tool])
  const big = await sourceOf('pi').source.read(id, SIGNAL)
  expect(big).toMatchObject({ tokens: 2_000, tool: 'bash' })
  expect(big.costUsd).toBeUndefined()
})
