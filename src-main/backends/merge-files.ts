import { bottleError } from '../system/bottle-error.ts'
import type { AgentPath } from './agent-access.ts'

/** Files of an agent that are rewritten from what they hold, while nothing of it runs or just before it ends. */
export interface MergedFiles {
  readonly paths: readonly AgentPath[]
  /**
   * Texts in the order of `paths`, null for a missing file, to the texts that shall be there; null for none. Pure.
   * @throws BottleError when a person's text could only be overwritten; nothing is written then
   */
  readonly merge: (found: readonly (string | null)[]) => readonly (string | null)[]
}

/** How files are reached for a merge. */
export interface MergeAccess {
  read(file: AgentPath): Promise<Uint8Array | null>
  write(file: AgentPath, content: Uint8Array): Promise<void>
  remove(file: AgentPath): Promise<void>
}

/**
 * Reads, merges and writes what changed; a file that is right already is left alone. What is written goes in order and
 * before what is removed, the first one last, so that a record in it is never missing while it is needed. @throws BottleError
 */
export async function mergeFiles({ paths, merge }: MergedFiles, access: MergeAccess): Promise<void> {
  const found: (string | null)[] = []
  for (const path of paths) {
    const content = await access.read(path)
    found.push(content === null ? null : textOf(content, path))
  }
  const wanted = merge(found)
  const changed = paths.flatMap((path, index) => {
    const text = wanted[index] ?? null
    return text === found[index] ? [] : [{ path, text }]
  })
  for (const { path, text } of changed) if (text !== null) await access.write(path, Buffer.from(text))
  for (const { path, text } of changed.reverse()) if (text === null) await access.remove(path)
}

/** The text of a file, which is written back byte for byte. @throws BottleError `manifest-invalid` for what is no text */
function textOf(content: Uint8Array, { path }: AgentPath): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
  } catch (cause) {
    throw bottleError(
      'manifest-invalid',
      `${path} of the agent is not a text in UTF-8, so nothing can be added to it.`,
      {
        cause,
      },
    )
  }
}
