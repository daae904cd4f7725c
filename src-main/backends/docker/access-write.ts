import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'
import type { AgentPath } from '../agent-access.ts'
import type { PackEntry } from '../guest/pack-entry.ts'
import { type Owner, packEntries } from '../guest/tar-pack.ts'
import { fileParts, notThrough } from '../local/agent-paths.ts'
import { baseIn, type Container, inside } from './access-place.ts'
import { IS_LINK, IS_OTHER, MISSING, REMOVE_SCRIPT, WRITE_SCRIPT } from './access-scripts.ts'
import { putFiles } from './container-files.ts'
import type { Engine } from './engine.ts'
import { lookInContainer, visitArchive } from './look-in-container.ts'
import { runInContainer } from './run-in-container.ts'

/** Enough for whatever a script has to say. */
const WORDS = 64 * 1024

/**
 * Replaces a file as a whole. In a running container the agent's own user does it, so a link that appears at that
 * moment leads nowhere that it could not write by itself; else the engine, while nothing moves. @throws BottleError
 */
export async function writeInside(
  engine: Engine,
  container: Container,
  file: AgentPath,
  content: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const { folders, name } = fileParts(file)
  if (!container.canRun) {
    await putInside(engine, container, file, content, signal)
    return
  }
  const temp = `.icebox-${randomBytes(6).toString('hex')}`
  const argv = [baseIn(container, file), String(content.length), temp, name, ...folders]
  const { exitCode } = await runInContainer(
    engine,
    container.id,
    ['/bin/sh', '-c', WRITE_SCRIPT, 'icebox', ...argv],
    { input: content, most: WORDS },
    signal,
  )
  requireDone(exitCode, file)
}

function requireDone(exitCode: number, file: AgentPath): void {
  if (exitCode === 0) return
  if (exitCode === IS_LINK) throw notThrough(file.path, 'link')
  if (exitCode === IS_OTHER) throw notThrough(file.path, 'other')
  if (exitCode === MISSING) throw bottleError('not-found', `The agent has no ${file.base}.`)
  throw bottleError('permission', `${file.path} of the agent's ${file.base} could not be changed.`, {
    detail: `the script in the container ended with ${exitCode}`,
  })
}

async function putInside(
  engine: Engine,
  container: Container,
  file: AgentPath,
  content: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const { folders, name } = fileParts(file)
  const entries: PackEntry[] = []
  for (const [index] of folders.entries()) {
    const parts = folders.slice(0, index + 1)
    const found = await lookInContainer(engine, container.id, inside(container, file, parts), signal)
    if (!found) entries.push({ type: 'directory', name: parts.join('/'), mode: 0o700 })
    else if (found.kind !== 'folder')
      throw notThrough(parts.join('/'), found.kind === 'link' ? 'link' : 'other')
  }
  const path = inside(container, file, [...folders, name])
  const old = await lookInContainer(engine, container.id, path, signal)
  if (old?.kind === 'folder') throw notThrough(file.path, 'other')
  const owner = old?.kind === 'file' ? await ownerOf(engine, container, path, signal) : null
  const mode = old?.kind === 'file' ? old.mode : 0o600
  entries.push({ type: 'file', name: posix.join(...folders, name), mode, content })
  const base = baseIn(container, file)
  const isThere = await lookInContainer(engine, container.id, base, signal)
  const placed = isThere ? entries : below(base, entries)
  const archive = await packEntries(placed, owner ?? container.user.owner)
  await putFiles(engine, container.id, isThere ? base : '/', archive, signal)
}

/** Entries as they are named from the root, with the folder itself, which is still to be made. Pure. */
function below(base: string, entries: readonly PackEntry[]): readonly PackEntry[] {
  const top = base.replace(/^\/+/, '')
  const self: PackEntry = { type: 'directory', name: top, mode: 0o755 }
  return [self, ...entries.map((entry): PackEntry => ({ ...entry, name: `${top}/${entry.name}` }))]
}

async function ownerOf(
  engine: Engine,
  container: Container,
  path: string,
  signal: AbortSignal,
): Promise<Owner | null> {
  let owner: Owner | null = null
  await visitArchive(engine, container.id, path, signal, async (entry) => {
    owner = entry.owner
    return false
  })
  return owner
}

/** A missing file is already done. @throws BottleError `unsupported` where no program can run */
export async function removeInside(
  engine: Engine,
  container: Container,
  file: AgentPath,
  signal: AbortSignal,
): Promise<void> {
  const { folders, name } = fileParts(file)
  const path = inside(container, file, [...folders, name])
  if (!(await lookInContainer(engine, container.id, path, signal))) return
  if (!container.canRun) {
    throw bottleError(
      'unsupported',
      `${file.path} can't be removed while the container does not run: Docker only adds files to it.`,
    )
  }
  const { exitCode } = await runInContainer(
    engine,
    container.id,
    ['/bin/sh', '-c', REMOVE_SCRIPT, 'icebox', baseIn(container, file), name, ...folders],
    { most: WORDS },
    signal,
  )
  if (exitCode !== MISSING) requireDone(exitCode, file)
}
