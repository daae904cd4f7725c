import { mkdir, open, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

interface Entry {
  readonly files?: Readonly<Record<string, Entry>>
  readonly size?: number
  readonly offset?: string
  readonly unpacked?: boolean
  readonly link?: string
}

export interface AsarFile {
  /** From the archive's top, with forward slashes. */
  readonly path: string
  readonly isUnpacked: boolean
  readonly read: () => Promise<Buffer>
}

/** The files of an Electron archive: four numbers, a JSON table, then the content. */
export async function readAsar(archive: string): Promise<ReadonlyMap<string, AsarFile>> {
  const head = await readAt(archive, 0, 16)
  const table = await readAt(archive, 16, head.readUInt32LE(12))
  const start = 8 + head.readUInt32LE(4)
  const found = new Map<string, AsarFile>()
  const visit = (entry: Entry, path: string): void => {
    for (const [name, child] of Object.entries(entry.files ?? {})) {
      const at = path === '' ? name : `${path}/${name}`
      if (child.files) visit(child, at)
      else found.set(at, file(at, child))
    }
  }
  const file = (path: string, entry: Entry): AsarFile => ({
    path,
    isUnpacked: entry.unpacked === true,
    read: () =>
      entry.unpacked
        ? readAt(join(`${archive}.unpacked`, path), 0, entry.size ?? 0)
        : readAt(archive, start + Number(entry.offset), entry.size ?? 0),
  })
  visit(JSON.parse(table.toString('utf8')) as Entry, '')
  return found
}

/** Writes every file of the archive below a folder. */
export async function extractAsar(files: ReadonlyMap<string, AsarFile>, dir: string): Promise<void> {
  for (const { path, read } of files.values()) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), await read())
  }
}

async function readAt(path: string, position: number, length: number): Promise<Buffer> {
  const handle = await open(path)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position)
    if (bytesRead < length) throw new Error(`${path} is shorter than it says`)
    return buffer
  } finally {
    await handle.close()
  }
}
