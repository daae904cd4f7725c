import { randomBytes } from 'node:crypto'
import { lstat, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'

/**
 * Writes the plan's files into the bottle's home. Nothing of the bottle runs meanwhile.
 * @throws BottleError `permission` where a folder on the way is a link or a file, `manifest-invalid` for a path
 *   that leads out
 */
export async function writeHomeFiles(home: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const parts = segments(path)
    const name = parts.pop()
    if (name === undefined)
      throw bottleError('manifest-invalid', `${JSON.stringify(path)} is not a file's name.`)
    const folder = await realFolder(home, parts)
    const temp = join(folder, `.icebox-${randomBytes(6).toString('hex')}`)
    await writeFile(temp, content, { flag: 'wx', mode: 0o600 })
    // A rename replaces a link of that name, it never follows one.
    await rename(temp, join(folder, name))
  }
}

function segments(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (path.startsWith('/') || path.includes('\0') || parts.includes('..')) {
    throw bottleError('manifest-invalid', `${JSON.stringify(path)} leads out of the bottle's home.`)
  }
  return parts
}

async function realFolder(base: string, parts: readonly string[]): Promise<string> {
  let folder = base
  for (const part of parts) {
    folder = join(folder, part)
    const found = await lstat(folder).catch(() => null)
    if (!found) await mkdir(folder, { mode: 0o700 })
    else if (!found.isDirectory()) {
      throw bottleError(
        'permission',
        `${folder} is ${found.isSymbolicLink() ? 'a symbolic link' : 'not a folder'}, and Icebox does not write through it. Remove it in the bottle and try again.`,
      )
    }
  }
  return folder
}

/**
 * The folder in which the agent starts: the workspace, or a folder in it, made when missing.
 * @throws BottleError `manifest-invalid` when it leads out of the workspace, `permission` when a link is on the way
 */
export async function agentFolder(workspace: string, workdir: string | null): Promise<string> {
  const inside = insideWorkspace(workdir)
  return inside === '' ? workspace : realFolder(workspace, segments(inside))
}

/** A definition's working folder as a path below the workspace; a container's folder means the workspace itself. Pure. */
export function insideWorkspace(workdir: string | null): string {
  return workdir === null || workdir.startsWith('/') ? '' : workdir
}
