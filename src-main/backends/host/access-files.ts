import { bottleError } from '../../system/bottle-error.ts'
import type { AgentFile, AgentPath, FileObstacle } from '../agent-access.ts'
import { fileParts, LIST_DEPTH, LIST_ENTRIES, pathParts, requireReadable } from '../local/agent-paths.ts'
import { makeDown, openBase, type SafeFolder, walkDown } from './safe-folder.ts'

/** Plain files below a folder, newest first. Links are not followed. */
export async function listFiles(
  base: string,
  folder: AgentPath,
  limit: number,
  signal: AbortSignal,
): Promise<readonly AgentFile[]> {
  const top = await walkDown(base, pathParts(folder))
  if (!top) return []
  const found: AgentFile[] = []
  const budget = { left: LIST_ENTRIES }
  try {
    await collect(top, '', LIST_DEPTH, budget, found, signal)
  } finally {
    await top.close()
  }
  return found.sort((a, b) => b.modifiedAt - a.modifiedAt || (a.path < b.path ? -1 : 1)).slice(0, limit)
}

async function collect(
  folder: SafeFolder,
  under: string,
  depth: number,
  budget: { left: number },
  found: AgentFile[],
  signal: AbortSignal,
): Promise<void> {
  for await (const entry of folder.entries()) {
    signal.throwIfAborted()
    if (budget.left-- <= 0) return
    const path = under + entry.name
    if (entry.isFile()) {
      const stats = await folder.look(entry.name)
      if (stats?.isFile()) found.push({ path, bytes: stats.size, modifiedAt: Math.floor(stats.mtimeMs) })
    } else if (entry.isDirectory() && depth > 0) {
      const inner = await folder.openFolder(entry.name)
      if (!inner) continue
      try {
        await collect(inner, `${path}/`, depth - 1, budget, found, signal)
      } finally {
        await inner.close()
      }
    }
  }
}

/** What hinders from reading a file; null when nothing does, or when it is not there. */
export async function obstacleTo(base: string, place: AgentPath): Promise<FileObstacle | null> {
  const { folders, name } = fileParts(place)
  let at = await openBase(base)
  try {
    for (const folder of folders) {
      if (!at) return null
      const kind = await at.kind(folder)
      if (kind !== 'folder') return kind === 'file' ? 'other' : kind
      const next: SafeFolder | null = await at.openFolder(folder)
      if (!next) return 'unreadable'
      await at.close()
      at = next
    }
    const kind = at ? await at.kind(name) : null
    if (kind !== 'file') return kind === 'folder' ? 'other' : kind
    const opened = await at?.openFile(name)
    if (!opened) return 'unreadable'
    await opened.file.close()
    return null
  } finally {
    await at?.close()
  }
}

/** A whole file or its end; null when it is no plain file. @throws BottleError `unsupported` for a huge one */
export async function readFile(
  base: string,
  place: AgentPath,
  tailBytes: number | null,
): Promise<Uint8Array | null> {
  const { folders, name } = fileParts(place)
  const folder = await walkDown(base, folders)
  if (!folder) return null
  try {
    const opened = await folder.openFile(name)
    if (!opened) return null
    const { file, stats } = opened
    try {
      const wanted = tailBytes === null ? stats.size : Math.min(stats.size, Math.max(0, tailBytes))
      requireReadable(place, wanted)
      const buffer = Buffer.allocUnsafe(wanted)
      let at = 0
      while (at < wanted) {
        const { bytesRead } = await file.read(buffer, at, wanted - at, stats.size - wanted + at)
        // It became shorter meanwhile.
        if (bytesRead === 0) break
        at += bytesRead
      }
      return buffer.subarray(0, at)
    } finally {
      await file.close()
    }
  } finally {
    await folder.close()
  }
}

/** Replaces a file as a whole, with the mode of the one that is there. @throws BottleError `permission`, `not-found` */
export async function writeFile(base: string, place: AgentPath, content: Uint8Array): Promise<void> {
  const { folders, name } = fileParts(place)
  const folder = await makeDown(base, folders)
  if (!folder) throw bottleError('not-found', `The agent has no ${place.base} any more.`)
  try {
    const old = await folder.look(name)
    if (old?.isDirectory()) {
      throw bottleError('permission', `${place.path} is a folder in the bottle, so no file can be put there.`)
    }
    await folder.replace(name, content, old?.isFile() ? old.mode & 0o777 : 0o600)
  } finally {
    await folder.close()
  }
}

/** A missing file is already done; a link of that name goes, and not what it leads to. */
export async function removeFile(base: string, place: AgentPath): Promise<void> {
  const { folders, name } = fileParts(place)
  const folder = await walkDown(base, folders)
  if (!folder) return
  try {
    const found = await folder.look(name)
    if (found && !found.isDirectory()) await folder.remove(name)
  } finally {
    await folder.close()
  }
}
