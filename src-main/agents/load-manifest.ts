import { open } from 'node:fs/promises'
import type { AgentDefinition, BottleLayer } from './definitions.ts'
import type { ManifestFile, ManifestIndex } from './manifest-scan.ts'
import { parseAgent, parseBottle } from './parse-manifest.ts'
import type { Parsed } from './problems.ts'

/** Bytes; a manifest is a page of text. */
const FILE_MAX = 1_048_576

type FileText = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string }

/** Reads and parses an agent file; what can't be read is a problem of that file. */
export async function loadAgent(found: ManifestFile): Promise<Parsed<AgentDefinition>> {
  const read = await readManifestText(found.file)
  return read.ok ? parseAgent(read.text, found) : unreadable(found.file, read.reason)
}

/** Reads and parses one bottle file, without its parents. */
export async function loadBottleLayer(
  index: ManifestIndex,
  found: ManifestFile,
): Promise<Parsed<BottleLayer>> {
  const read = await readManifestText(found.file)
  if (!read.ok) return unreadable(found.file, read.reason)
  return parseBottle(read.text, { name: found.name, file: found.file, homeDir: index.homeDir })
}

function unreadable<T>(file: string, reason: string): Parsed<T> {
  return { ok: false, problems: [{ file, line: 1, message: reason, hint: null }] }
}

/** The text of a plain file of bearable size that is UTF-8, else why not. Never hangs on a pipe or device. */
export async function readManifestText(file: string): Promise<FileText> {
  const { O_NONBLOCK, O_RDONLY } = (await import('node:fs')).constants
  try {
    const handle = await open(file, O_RDONLY | O_NONBLOCK)
    try {
      const facts = await handle.stat()
      if (!facts.isFile()) return { ok: false, reason: 'This is not a plain file.' }
      if (facts.size > FILE_MAX) return { ok: false, reason: 'The file is larger than 1 MiB.' }
      const bytes = await handle.readFile()
      return { ok: true, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof TypeError) return { ok: false, reason: 'The file is not UTF-8 text.' }
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return { ok: false, reason: 'The file is gone.' }
    return { ok: false, reason: `The file can't be read (${code ?? 'unknown error'}).` }
  }
}
