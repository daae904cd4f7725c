import { bottleError } from '../../system/bottle-error.ts'
import type { AgentFile, AgentPath, FileObstacle } from '../agent-access.ts'
import { fileParts, LIST_DEPTH, LIST_ENTRIES, pathParts, requireReadable } from '../local/agent-paths.ts'
import { baseIn, type Container, inside } from './access-place.ts'
import { LIST_SCRIPT, MISSING, TAIL_SCRIPT } from './access-scripts.ts'
import type { Engine } from './engine.ts'
import { type InsideEntry, lookInContainer, visitArchive } from './look-in-container.ts'
import { runInContainer } from './run-in-container.ts'

/** Up to so much content, packing all of it costs less than a program in the container. */
const SMALL_BYTES = 4 * 1024 * 1024
const LISTING_BYTES = 8 * 1024 * 1024
/** So much is packed at most where no program helps: a look at a running agent comes again and again. */
const LOOK_BYTES = 64 * 1024 * 1024
const LOOK_MS = 20_000
/** A stopped one is looked at once, and only the engine can. */
const STOPPED_BYTES = 2 * 1024 * 1024 * 1024
const STOPPED_MS = 300_000

/** Plain files below a folder, newest first. @throws BottleError */
export async function listInside(
  engine: Engine,
  container: Container,
  folder: AgentPath,
  limit: number,
  signal: AbortSignal,
): Promise<readonly AgentFile[]> {
  const path = inside(container, folder, pathParts(folder))
  const all = await listAll(engine, container, path, signal)
  return [...all].sort((a, b) => b.modifiedAt - a.modifiedAt || (a.path < b.path ? -1 : 1)).slice(0, limit)
}

async function listAll(
  engine: Engine,
  container: Container,
  path: string,
  signal: AbortSignal,
): Promise<readonly AgentFile[]> {
  if (container.canRun) {
    const { found, isCut } = await listPacked(engine, container, path, SMALL_BYTES, signal)
    if (!isCut) return found
    const told = await listByProgram(engine, container, path, signal)
    if (told) return told
  }
  const most = container.isRunning ? LOOK_BYTES : STOPPED_BYTES
  return (await listPacked(engine, container, path, most, signal)).found
}

/** Stops where the folder holds more than `most` bytes, with what was found until then. */
async function listPacked(
  engine: Engine,
  container: Container,
  path: string,
  most: number,
  signal: AbortSignal,
): Promise<{ readonly found: readonly AgentFile[]; readonly isCut: boolean }> {
  const found: AgentFile[] = []
  let bytes = 0
  let entries = 0
  let isFolder = false
  const visit = async (entry: InsideEntry): Promise<boolean> => {
    // The first one is what the path names; a link there is a link, not what it leads to.
    if (entries++ === 0) isFolder = entry.type === 'directory'
    if (!isFolder || entries > LIST_ENTRIES) return false
    const parts = entry.name.split('/').filter(Boolean).slice(1)
    if (entry.type === 'file' && parts.length > 0 && parts.length <= LIST_DEPTH + 1) {
      found.push({ path: parts.join('/'), bytes: entry.bytes, modifiedAt: entry.modifiedAt })
    }
    bytes += entry.bytes
    return bytes <= most
  }
  await visitArchive(engine, container.id, path, signal, visit, timeFor(container))
  return { found, isCut: bytes > most }
}

const timeFor = ({ isRunning }: Container): number => (isRunning ? LOOK_MS : STOPPED_MS)

/** Null when the container has no such programs. */
async function listByProgram(
  engine: Engine,
  container: Container,
  path: string,
  signal: AbortSignal,
): Promise<readonly AgentFile[] | null> {
  const numbers = [String(LIST_DEPTH + 1), String(LISTING_BYTES)]
  const { exitCode, output } = await runInContainer(
    engine,
    container.id,
    ['/bin/sh', '-c', LIST_SCRIPT, 'icebox', path, ...numbers],
    { most: LISTING_BYTES, timeoutMs: LOOK_MS },
    signal,
  )
  if (exitCode === MISSING) return []
  const text = output.toString('utf8')
  // The last line may be cut.
  const found = parseListing(text.slice(0, text.lastIndexOf('\n') + 1))
  return found.length > 0 || text.endsWith('ended 0\n') ? found : null
}

/** Lines of seconds, bytes and path; what does not look like one is left out. Pure. */
export function parseListing(text: string): readonly AgentFile[] {
  return text
    .split('\n')
    .slice(0, LIST_ENTRIES)
    .flatMap((line) => {
      const [, seconds, bytes, path] = /^(\d+) (\d+) \.\/(.+)$/.exec(line) ?? []
      return path === undefined ? [] : [{ path, bytes: Number(bytes), modifiedAt: Number(seconds) * 1000 }]
    })
}

/** What hinders from reading a file; null when nothing does, or when it is not there. @throws BottleError */
export async function obstacleInside(
  engine: Engine,
  container: Container,
  file: AgentPath,
  signal: AbortSignal,
): Promise<FileObstacle | null> {
  const { folders, name } = fileParts(file)
  for (const [index] of folders.entries()) {
    const path = inside(container, file, folders.slice(0, index + 1))
    const found = await lookInContainer(engine, container.id, path, signal)
    if (!found) return null
    if (found.kind !== 'folder') return found.kind === 'link' ? 'link' : 'other'
  }
  const found = await lookInContainer(
    engine,
    container.id,
    inside(container, file, [...folders, name]),
    signal,
  )
  if (!found || found.kind === 'file') return null
  return found.kind === 'link' ? 'link' : 'other'
}

/** A whole file or its end; null when it is no plain file. @throws BottleError `unsupported` for a huge one */
export async function readInside(
  engine: Engine,
  container: Container,
  file: AgentPath,
  tailBytes: number | null,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  const { folders, name } = fileParts(file)
  const path = inside(container, file, [...folders, name])
  const found = await lookInContainer(engine, container.id, path, signal)
  if (found?.kind !== 'file') return null
  const wanted = tailBytes === null ? found.bytes : Math.min(found.bytes, Math.max(0, tailBytes))
  requireReadable(file, wanted)
  if (container.canRun && found.bytes - wanted > SMALL_BYTES) {
    const argv = ['/bin/sh', '-c', TAIL_SCRIPT, 'icebox', baseIn(container, file), String(wanted), path]
    // It may grow while its end is read.
    const bounds = { most: wanted + SMALL_BYTES, timeoutMs: LOOK_MS }
    const { exitCode, output } = await runInContainer(engine, container.id, argv, bounds, signal)
    if (exitCode === 0) return output.subarray(Math.max(0, output.length - wanted))
    if (exitCode === MISSING) return null
  }
  return readPacked(engine, container, file, path, tailBytes, signal)
}

async function readPacked(
  engine: Engine,
  container: Container,
  file: AgentPath,
  path: string,
  tailBytes: number | null,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  let content: Buffer | null = null
  const visit = async (entry: InsideEntry, chunks: AsyncIterable<Uint8Array>): Promise<boolean> => {
    if (entry.type !== 'file') return false
    // It may have grown since it was looked at.
    if (tailBytes === null) requireReadable(file, entry.bytes)
    requirePackable(container, file, entry.bytes)
    content = await lastBytes(chunks, tailBytes === null ? entry.bytes : Math.max(0, tailBytes))
    return false
  }
  await visitArchive(engine, container.id, path, signal, visit, timeFor(container))
  return content
}

function requirePackable({ isRunning }: Container, file: AgentPath, bytes: number): void {
  if (bytes <= (isRunning ? LOOK_BYTES : STOPPED_BYTES)) return
  throw bottleError('unsupported', `${file.path} of the agent is too large to be read where no program can.`)
}

/** Keeps no more than twice what is asked for. */
async function lastBytes(chunks: AsyncIterable<Uint8Array>, most: number): Promise<Buffer> {
  let kept: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    kept.push(chunk)
    bytes += chunk.length
    if (bytes > 2 * most + SMALL_BYTES) {
      const tail = Buffer.concat(kept).subarray(bytes - most)
      kept = [Buffer.from(tail)]
      bytes = most
    }
  }
  const all = Buffer.concat(kept)
  return all.subarray(Math.max(0, all.length - most))
}
