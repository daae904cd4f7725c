import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { captureSession, copyTranscripts } from '../../../../src-main/agents/sessions/capture-session.ts'
import {
  chooseSession,
  claudeProject,
  legacyClaudeProject,
  movesSessions,
  piProject,
  sessionsAmong,
} from '../../../../src-main/agents/sessions/session-files.ts'
import type { AgentAccess, AgentFile } from '../../../../src-main/backends/agent-access.ts'
import { tempFolder } from '../../../support/test-root.ts'

const A = '11111111-1111-4111-8111-111111111111'
const B = '22222222-2222-4222-8222-222222222222'
const REF = {
  backend: 'host',
  id: '1',
  name: 'n',
  slug: 's',
  runId: 'r',
  volumes: [],
  networks: [],
  sidecars: [],
  facts: {},
} as const
const ofRun = (begunWith: string | null, startedAt: number | null = null) => ({ begunWith, startedAt })
const signal = new AbortController().signal

const file = (path: string, modifiedAt: number, bytes = 10): AgentFile => ({ path, bytes, modifiedAt })

function fakeAccess(
  files: readonly AgentFile[],
  contents: Readonly<Record<string, string>> = {},
): AgentAccess {
  const none = async () => undefined
  return {
    screen: async () => null,
    type: none,
    output: async function* () {},
    list: async () => files,
    read: async (_ref, { path }, tail) => {
      const name = Object.keys(contents).find((key) => path.endsWith(key))
      const text = name === undefined ? undefined : contents[name]
      return text === undefined ? null : Buffer.from(tail === null ? text : text.slice(-tail))
    },
    obstacle: async () => null,
    write: none,
    remove: none,
  }
}

describe('folders', () => {
  it('follow the rules of the programs', () => {
    expect(claudeProject('/home/me/a.b_c/état')).toBe('-home-me-a-b-c--tat')
    expect(legacyClaudeProject('/home/me/a.b_c//.x')).toBe('-home-me-a-b_c--x')
    expect(piProject('/work/my proj')).toBe('--work-my proj--')
  })
  it('that a variable moved are told', () => {
    expect(movesSessions('claude', ['PATH', 'CLAUDE_CONFIG_DIR'])).toBe(true)
    expect(movesSessions('codex', ['CLAUDE_CONFIG_DIR'])).toBe(false)
    expect(movesSessions('custom', ['CODEX_HOME'])).toBe(false)
  })
})

describe('conversations among files', () => {
  it('of claude: newest first, without subagents, empty ones and strangers', () => {
    const found = sessionsAmong('claude', [
      file(`-w/${A}.jsonl`, 1),
      file(`-w/${B}.jsonl`, 3),
      file('-w/agent-1234.jsonl', 9),
      file(`-w/${A}/subagents/${B}.jsonl`, 9),
      file('-w/33333333-3333-4333-8333-333333333333.jsonl', 9, 0),
    ])
    expect(found.map(({ id }) => id)).toEqual([B, A])
  })
  it('of codex and pi', () => {
    const codex = sessionsAmong('codex', [file(`2026/11/21/rollout-2026-11-21T10-00-00-${A}.jsonl`, 1)])
    expect(codex[0]?.id).toBe(A)
    const pi = sessionsAmong('pi', [file(`--w--/2026-11-21T10-00-00-000Z_${B}.jsonl`, 1)])
    expect(pi[0]?.id).toBe(B)
  })
  it('one that the agent had elsewhere is not its own', () => {
    const found = sessionsAmong('claude', [file(`-other/${B}.jsonl`, 9), file(`-w/${A}.jsonl`, 1)])
    expect(chooseSession(found, ofRun(A))?.id).toBe(A)
    expect(chooseSession(found, ofRun(null))?.id).toBe(B)
    expect(chooseSession([], ofRun(A))).toBeNull()
  })
  it('one of a former run is not its own, however new', () => {
    const older = sessionsAmong('claude', [file(`-w/${B}.jsonl`, 9_000), file(`-w/${A}.jsonl`, 1_000)])
    // Resumed by its id, before its file grows.
    expect(chooseSession(older, ofRun(A, 20_000))?.id).toBe(A)
    // Begun anew, before the first turn.
    expect(chooseSession(older, ofRun('33333333', 20_000))).toBeNull()
    expect(chooseSession(older, ofRun(null, 20_000))).toBeNull()
    // One that it began meanwhile is; a clock in a container may lag a little.
    const newer = [...sessionsAmong('claude', [file(`-w/${B}.jsonl`, 18_500)]), ...older.slice(1)]
    expect(chooseSession(newer, ofRun(A, 20_000))?.id).toBe(B)
  })
  it('of two that are as old the one that the run was begun with is its own', () => {
    const found = sessionsAmong('claude', [file(`-w/${A}.jsonl`, 21_000), file(`-w/${B}.jsonl`, 21_000)])
    expect(chooseSession(found, ofRun(A, 20_000))?.id).toBe(A)
    expect(chooseSession(found, ofRun(B, 20_000))?.id).toBe(B)
  })
})

it('a captured conversation has its time', async () => {
  const at = Date.parse('2026-11-21T10:00:00Z')
  const access = fakeAccess([file(`-w/${A}.jsonl`, at)])
  expect(await captureSession(access, REF, 'claude', signal)).toEqual({
    provider: 'claude',
    id: A,
    lastActivityAt: '2026-11-21T10:00:00.000Z',
  })
  expect(await captureSession(access, REF, 'codex', signal)).toBeNull()
  expect(await captureSession(access, REF, 'custom', signal)).toBeNull()
})

it('a file of claude that was begun and never talked in is none', async () => {
  const files = [file(`-w/${B}.jsonl`, 9), file(`-w/${A}.jsonl`, 1)]
  const begun = '{"type":"file-history-snapshot"}\n'
  const talked = `${begun}{"parentUuid":null,"type": "user","message":{}}\n`
  const capture = (contents: Record<string, string>, listed = files) =>
    captureSession(fakeAccess(listed, contents), REF, 'claude', signal, ofRun(B))
  expect((await capture({ [`${B}.jsonl`]: begun, [`${A}.jsonl`]: talked }))?.id).toBe(A)
  expect((await capture({ [`${B}.jsonl`]: talked, [`${A}.jsonl`]: talked }))?.id).toBe(B)
  expect(await capture({ [`${B}.jsonl`]: begun, [`${A}.jsonl`]: begun })).toBeNull()
  // A long one is not read.
  expect((await capture({ [`${B}.jsonl`]: begun }, [file(`-w/${B}.jsonl`, 9, 50_000)]))?.id).toBe(B)
})

describe('copied transcripts', () => {
  const copy = async (files: readonly AgentFile[], contents: Record<string, string>, maxBytes = 1000) => {
    const folder = join(await tempFolder(), 'transcripts', 'run1')
    const result = await copyTranscripts(
      fakeAccess(files, contents),
      REF,
      'claude',
      { folder, since: 5, maxBytes },
      signal,
    )
    const names = await readdir(folder).catch(() => [])
    return { folder, result, names: names.sort() }
  }
  it('are those of the run, under plain names', async () => {
    const { folder, result, names } = await copy(
      [
        file(`-w/${A}.jsonl`, 6),
        file('-w/agent-1.jsonl', 7),
        file(`-w/${B}.jsonl`, 4),
        file('../../etc/x.jsonl', 9),
        file('-w/..jsonl', 9),
      ],
      { [`${A}.jsonl`]: 'one', 'agent-1.jsonl': 'two', 'x.jsonl': 'bad' },
    )
    expect(names).toEqual([`-w__${A}.jsonl`, '-w__agent-1.jsonl'])
    expect(result).toEqual({ files: 2, bytes: 6, isCut: false })
    expect(await readFile(join(folder, `-w__${A}.jsonl`), 'utf8')).toBe('one')
  })
  it('are bounded, and say when something was left out', async () => {
    const { result, names } = await copy(
      [file(`-w/${A}.jsonl`, 9, 6), file(`-w/${B}.jsonl`, 8, 6)],
      { [`${A}.jsonl`]: '123456', [`${B}.jsonl`]: '123456' },
      10,
    )
    expect(result).toEqual({ files: 1, bytes: 6, isCut: true })
    expect(names).toEqual([`-w__${A}.jsonl`])
  })
  it('a file that grew meanwhile stays within the bound', async () => {
    const { result } = await copy([file(`-w/${A}.jsonl`, 9, 6)], { [`${A}.jsonl`]: 'x'.repeat(500) }, 10)
    expect(result.bytes).toBe(10)
  })
  it('take the place of an earlier copy as a whole', async () => {
    const folder = join(await tempFolder(), 'run1')
    await mkdir(folder)
    await writeFile(join(folder, 'old'), '')
    const access = fakeAccess([file(`-w/${A}.jsonl`, 9)], { [`${A}.jsonl`]: 'new' })
    await copyTranscripts(access, REF, 'claude', { folder, since: 0 }, signal)
    expect(await readdir(folder)).toEqual([`-w__${A}.jsonl`])
  })
})
