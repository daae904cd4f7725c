import { type FileHandle, open } from 'node:fs/promises'

/** Bytes; a manifest is a page of text. */
const FILE_MAX = 1_048_576

export type FileText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: string; readonly isMissing: boolean }

/** The text of a plain file of bearable size that is UTF-8, else why not. Never hangs on a pipe or device. */
export async function readPlainText(file: string): Promise<FileText> {
  const { O_NONBLOCK, O_RDONLY } = (await import('node:fs')).constants
  try {
    const handle = await open(file, O_RDONLY | O_NONBLOCK)
    try {
      return await readHandle(handle)
    } finally {
      await handle.close()
    }
  } catch (error) {
    return refusal(error)
  }
}

/** As `readPlainText`, of a file that is open. @throws as its parts, for `refusal` */
export async function readHandle(handle: FileHandle): Promise<FileText> {
  const facts = await handle.stat()
  if (!facts.isFile()) return refused('This is not a plain file.')
  if (facts.size > FILE_MAX) return refused('The file is larger than 1 MiB.')
  const bytes = await handle.readFile()
  return { ok: true, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
}

/** Why a file could not be read. Pure. */
export function refusal(error: unknown): FileText {
  if (error instanceof TypeError) return refused('The file is not UTF-8 text.')
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') return refused('The file is gone.', true)
  return refused(`The file can't be read (${code ?? 'unknown error'}).`)
}

export function refused(reason: string, isMissing = false): FileText {
  return { ok: false, reason, isMissing }
}
