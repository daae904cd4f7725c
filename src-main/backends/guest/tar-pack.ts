import { lstat, open, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Pack } from 'tar-stream'
import { bottleError, toBottleError } from '../../system/bottle-error.ts'
import type { PackEntry } from './pack-entry.ts'

export interface Owner {
  readonly uid: number
  readonly gid: number
}

// On first use: many commands load this file and pack nothing.
const newPack = async () => (await import('tar-stream')).pack()

const ROOT: Owner = { uid: 0, gid: 0 }

/** A small archive, whole in memory. */
export async function packEntries(entries: readonly PackEntry[], owner: Owner = ROOT): Promise<Buffer> {
  const archive = await newPack()
  for (const entry of entries) {
    const header = { name: entry.name, mode: entry.mode, uid: owner.uid, gid: owner.gid, mtime: new Date() }
    if (entry.type === 'directory') archive.entry({ ...header, type: 'directory' })
    else archive.entry(header, Buffer.from(entry.content))
  }
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

export interface TreeOptions {
  readonly owner: Owner
  /** What to do with a path relative to the folder: `enter` looks into a folder without packing it itself. */
  readonly choose?: (path: string, isFolder: boolean) => 'pack' | 'skip' | 'enter'
  /** Folder inside the archive that holds everything and gets the owner too; empty puts the content at the top. */
  readonly under: string
  readonly signal: AbortSignal
}

/** A folder of this machine as an archive, streamed: files, folders and links; sockets and devices are left out. */
export async function packTree(dir: string, options: TreeOptions): Promise<Readable> {
  const archive = await newPack()
  const run = async () => {
    if (options.under)
      archive.entry({ name: options.under, type: 'directory', mode: 0o755, ...options.owner })
    await packFolder(archive, dir, '', options)
    archive.finalize()
  }
  // As our own error: a raw ENOENT or EACCES would read as the engine's socket.
  run().catch((thrown: unknown) => archive.destroy(toBottleError(thrown)))
  return archive as unknown as Readable
}

async function packFolder(archive: Pack, root: string, inside: string, options: TreeOptions): Promise<void> {
  const names = (await readdir(join(root, inside))).sort()
  for (const name of names) {
    options.signal.throwIfAborted()
    const path = inside ? `${inside}/${name}` : name
    const full = join(root, path)
    const found = await lstat(full).catch(() => null)
    // Gone since it was listed: other programs may work in the folder.
    const choice = found ? (options.choose?.(path, found.isDirectory()) ?? 'pack') : 'skip'
    if (!found || choice === 'skip') continue
    const header = {
      name: options.under ? `${options.under}/${path}` : path,
      mode: found.mode & 0o7777,
      mtime: found.mtime,
      ...options.owner,
    }
    if (found.isDirectory()) {
      if (choice === 'pack') archive.entry({ ...header, type: 'directory' })
      await packFolder(archive, root, path, options)
    } else if (found.isSymbolicLink()) {
      archive.entry({ ...header, type: 'symlink', linkname: await readlink(full) })
    } else if (found.isFile()) {
      await packFile(archive, full, header)
    }
  }
}

/** The header promises a size, so a file that grows is cut there and one that shrinks is an error. */
async function packFile(
  archive: Pack,
  full: string,
  header: { name: string; mode: number; mtime: Date } & Owner,
) {
  const file = await open(full, 'r')
  try {
    const { size } = await file.stat()
    const entry = archive.entry({ ...header, size })
    let left = size
    while (left > 0) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(left, 1 << 20)))
      if (bytesRead === 0)
        throw bottleError('engine-failed', `${full} became shorter while it was copied. Try again.`)
      left -= bytesRead
      const isTaken = entry.write(buffer.subarray(0, bytesRead))
      // `close` too: a reader that went away never drains.
      if (!isTaken)
        await new Promise<void>(
          (resolve) => void entry.once('drain', () => resolve()).once('close', () => resolve()),
        )
      if (entry.destroyed) throw bottleError('engine-failed', `Copying ${full} was cut off.`)
    }
    entry.end(undefined)
  } finally {
    await file.close()
  }
}
