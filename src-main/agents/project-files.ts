import { constants } from 'node:fs'
import { lstat, open, realpath, stat } from 'node:fs/promises'
import { basename, dirname, sep } from 'node:path'
import { type FileText, readHandle, readPlainText, refusal, refused } from './read-plain-text.ts'

const AGENTS = `${sep}.bot-bottle${sep}agents${sep}`

/** The folder of the project that a project's definition belongs to. Pure. */
export function projectOf(file: string): string {
  const at = file.lastIndexOf(AGENTS)
  return at > 0 ? file.slice(0, at) : dirname(file)
}

/** True for the path itself and for what lies below it. Pure. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/**
 * As `readPlainText`, for a file of a project: it may come with a cloned repository, whose links could lead anywhere,
 * and an agent may be able to exchange it meanwhile.
 */
export async function readProjectText(file: string, definition = file): Promise<FileText> {
  try {
    const [top, real] = await Promise.all([realpath(projectOf(definition)), realpath(file)])
    if (!isBelow(real, top)) return refused('It leads out of the project.')
    const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
    const handle = await open(real, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
    try {
      const [opened, after, known] = await Promise.all([handle.stat(), realpath(file), stat(real)])
      const isSame = after === real && known.ino === opened.ino && known.dev === opened.dev
      return isSame ? await readHandle(handle) : refused('It was exchanged while it was read.')
    } finally {
      await handle.close()
    }
  } catch (error) {
    return refusal(error)
  }
}

/**
 * Reads a file that lies beside a definition. Beside a project's it must be a plain file of that project: for anything
 * else there is a notice, and it counts as missing.
 */
export async function readSibling(
  file: string,
  definition: { readonly file: string; readonly source: string },
): Promise<{ readonly read: FileText; readonly notices: readonly string[] }> {
  if (definition.source !== 'project') return { read: await readPlainText(file), notices: [] }
  const facts = await lstat(file).catch(() => null)
  const isPlain = facts === null || facts.isFile()
  const read = isPlain ? await readProjectText(file, definition.file) : refused('It is not a plain file.')
  if (read.ok || read.isMissing) return { read, notices: [] }
  const notice = `${basename(file)} comes with the project and is left out: ${read.reason}`
  return { read: refused(read.reason, true), notices: [notice] }
}
