import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

/** True when nothing lies at a path: no entry, or a plain file where a folder on the way should be. */
export function isMissing(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** The text of a file, or undefined when there is none. Any other failure throws. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Makes a folder's entries durable: a rename alone may be lost with the power. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function writeTemp(path: string, content: string | Uint8Array, mode: number): Promise<string> {
  const temp = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const handle = await open(temp, 'wx', mode)
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    await rm(temp, { force: true })
    throw error
  }
  return temp
}

/** Replaces a file so that a crash leaves either the old or the new text: temp, fsync, rename, fsync of the folder. */
export async function writeDurable(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const temp = await writeTemp(path, content, mode)
  try {
    await rename(temp, path)
  } catch (error) {
    await rm(temp, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}

/** Creates a file with its whole text at once; false when it exists already, which is left as it is. */
export async function createDurable(path: string, content: string, mode = 0o600): Promise<boolean> {
  const temp = await writeTemp(path, content, mode)
  try {
    await link(temp, path)
    await syncFolder(dirname(path))
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    await rm(temp, { force: true })
  }
}

/** Removes a file for good; a missing one is already gone. */
export async function removeDurable(path: string): Promise<void> {
  await rm(path, { force: true })
  await syncFolder(dirname(path)).catch((error: unknown) => {
    if (!isMissing(error)) throw error
  })
}

export type JsonRead =
  | { readonly kind: 'absent' }
  | { readonly kind: 'corrupt'; readonly file: string; readonly reason: string }
  | { readonly kind: 'ok'; readonly value: Readonly<Record<string, unknown>> }

/** Something is there, but its bytes can't be had; one such file must not hide all others. */
const UNREADABLE: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EISDIR', 'ELOOP', 'EIO'])

/** Reads a JSON object and never takes a damaged or unreadable file for a missing one. */
export async function readJsonObject(path: string): Promise<JsonRead> {
  let text: string | undefined
  try {
    text = await readText(path)
  } catch (error) {
    if (!UNREADABLE.has(codeOf(error))) throw error
    return { kind: 'corrupt', file: path, reason: error instanceof Error ? error.message : String(error) }
  }
  if (text === undefined) return { kind: 'absent' }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { kind: 'ok', value: value as Readonly<Record<string, unknown>> }
    }
    return { kind: 'corrupt', file: path, reason: 'it holds no JSON object' }
  } catch (error) {
    return { kind: 'corrupt', file: path, reason: error instanceof Error ? error.message : String(error) }
  }
}

/** Keeps a copy of a damaged file under `icebox/quarantine`, once per content, before anything overwrites it. */
export async function quarantine(rootDir: string, file: string): Promise<string> {
  const { createHash } = await import('node:crypto')
  const bytes = await readFile(file)
  const folder = join(rootDir, 'icebox', 'quarantine')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
  const kept = join(folder, `${basename(dirname(file))}-${basename(file)}-${digest}`)
  const known = await stat(kept).catch(() => null)
  // Lists read the same damaged file again and again.
  if (known?.size !== bytes.length) await writeDurable(kept, bytes)
  return kept
}
