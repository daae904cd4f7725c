import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { SessionMark } from '../../../src-preload/contract/agents.ts'
import type { AgentAccess } from '../../backends/agent-access.ts'
import { syncFolder, writeDurable } from '../../state/durable-file.ts'
import { removeTree } from '../../state/remove-tree.ts'
import type { RuntimeRef } from '../../state/runtime-ref.ts'
import type { ProviderName } from '../definitions.ts'
import {
  chooseSession,
  type FoundSession,
  keepsSessionFiles,
  type RunBegin,
  SESSION_PLACES,
  sessionsAmong,
} from './session-files.ts'

/** Files that are looked at; a bottle with more has its newest among them. */
const LISTED = 500
/** Bytes of transcripts that are kept of one run. */
export const TRANSCRIPTS_MAX = 20_000_000

/** Bytes up to which a file may be one that was begun and never talked in. */
const BEGUN_MAX = 20_000
/** Files that are looked into at most. */
const LOOKED_INTO = 5

/**
 * The conversation that an agent's files hold now, null when there is none. One listing; only a short file is read,
 * since claude begins its files before anybody has said a word, and refuses to go on with such a one.
 */
export async function captureSession(
  access: AgentAccess,
  ref: RuntimeRef,
  provider: ProviderName,
  signal: AbortSignal,
  run: RunBegin = { begunWith: null, startedAt: null },
): Promise<SessionMark | null> {
  if (!keepsSessionFiles(provider)) return null
  const place = { base: 'home', path: SESSION_PLACES[provider].folder } as const
  const files = await access.list(ref, place, LISTED, signal)
  let found = sessionsAmong(provider, files)
  for (let looked = 0; looked < LOOKED_INTO; looked++) {
    const chosen = chooseSession(found, run)
    if (!chosen) return null
    if (provider !== 'claude' || (await isTalkedIn(access, ref, chosen, signal))) {
      return { provider, id: chosen.id, lastActivityAt: new Date(chosen.modifiedAt).toISOString() }
    }
    found = found.filter((session) => session !== chosen)
  }
  return null
}

/** What can't be read counts as a conversation: the program then says what it makes of it. */
async function isTalkedIn(
  access: AgentAccess,
  ref: RuntimeRef,
  { path, bytes }: FoundSession,
  signal: AbortSignal,
): Promise<boolean> {
  if (bytes > BEGUN_MAX) return true
  const file = { base: 'home', path: `${SESSION_PLACES.claude.folder}/${path}` } as const
  const content = await access.read(ref, file, BEGUN_MAX, signal)
  return content === null || /"type"\s*:\s*"(?:user|assistant)"/.test(Buffer.from(content).toString('utf8'))
}

export interface CopiedTranscripts {
  readonly files: number
  readonly bytes: number
  /** True when older or longer ones were left out. */
  readonly isCut: boolean
}

/**
 * Copies the transcripts that the run wrote to a folder of this machine, newest first, as far as they fit. The folder
 * appears whole or not at all, and takes the place of an earlier copy.
 * @param since milliseconds since 1970: what is older belongs to an earlier run
 */
export async function copyTranscripts(
  access: AgentAccess,
  ref: RuntimeRef,
  provider: ProviderName,
  target: { readonly folder: string; readonly since: number; readonly maxBytes?: number },
  signal: AbortSignal,
): Promise<CopiedTranscripts> {
  const nothing = { files: 0, bytes: 0, isCut: false }
  if (!keepsSessionFiles(provider)) return nothing
  const { folder: base } = SESSION_PLACES[provider]
  const listed = await access.list(ref, { base: 'home', path: base }, LISTED, signal)
  const wanted = listed.filter(
    ({ path, bytes, modifiedAt }) =>
      path.endsWith('.jsonl') && bytes > 0 && modifiedAt >= target.since && isPlain(path),
  )
  if (wanted.length === 0) return nothing
  const aside = `${target.folder}.new`
  await removeTree(aside)
  await mkdir(aside, { recursive: true, mode: 0o700 })
  const { bytes, files } = await fill(
    access,
    ref,
    base,
    wanted,
    aside,
    target.maxBytes ?? TRANSCRIPTS_MAX,
    signal,
  )
  await removeTree(target.folder)
  await rename(aside, target.folder)
  await syncFolder(join(target.folder, '..'))
  return { files, bytes, isCut: files < wanted.length || listed.length >= LISTED }
}

async function fill(
  access: AgentAccess,
  ref: RuntimeRef,
  base: string,
  wanted: readonly { readonly path: string; readonly bytes: number }[],
  folder: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<{ readonly bytes: number; readonly files: number }> {
  let bytes = 0
  let files = 0
  for (const { path, bytes: expected } of wanted) {
    signal.throwIfAborted()
    if (bytes + expected > maxBytes) continue
    // It may have grown since it was listed, and the agent decides by how much.
    const content = await access.read(
      ref,
      { base: 'home', path: `${base}/${path}` },
      maxBytes - bytes,
      signal,
    )
    if (!content) continue
    await writeDurable(join(folder, fileName(path)), content)
    bytes += content.length
    files++
  }
  return { bytes, files }
}

/** Names come from the agent: only what can be a plain name here, in not too many folders. */
function isPlain(path: string): boolean {
  const parts = path.split('/')
  return (
    parts.length <= 8 &&
    fileName(path).length <= 240 &&
    parts.every((part) => /^[A-Za-z0-9_-][A-Za-z0-9._@+-]*$/.test(part))
  )
}

/** One flat folder: the working folder's name in it says nothing that is worth a tree. */
function fileName(path: string): string {
  return path.replaceAll('/', '__')
}
