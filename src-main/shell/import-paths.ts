import { stat } from 'node:fs/promises'
import { basename, isAbsolute, normalize } from 'node:path'
import { bottleError } from '../system/bottle-error.ts'

/** More than anybody drops at once. */
const MOST = 100
const LONGEST = 4096

/**
 * Paths as a page or another program sent them.
 * @throws BottleError `usage` for anything that is no list of absolute paths
 */
export function requirePaths(paths: unknown): readonly string[] {
  if (!Array.isArray(paths) || !paths.every(isPath))
    throw bottleError('usage', 'Only files of this machine can be imported.')
  if (paths.length > MOST) throw bottleError('usage', `At most ${MOST} files can be imported at once.`)
  return paths.map((path) => normalize(path))
}

/** A file that is in no file system, as one dragged out of a browser, has an empty path. Pure. */
function isPath(path: unknown): path is string {
  return (
    typeof path === 'string' &&
    path.length <= LONGEST &&
    isAbsolute(path) &&
    !path.includes('\0') &&
    !path.startsWith('//') &&
    !path.startsWith('\\\\')
  )
}

/**
 * The path, once it is known to lead to a plain file with something in it. What the file holds is the import's to judge.
 * @throws BottleError `usage`, `not-found`, `permission`, `artifact-invalid`
 */
export async function checkImportFile(path: string): Promise<string> {
  const [file] = requirePaths([path])
  const name = basename(path)
  if (file === undefined) throw bottleError('usage')
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    const isHidden = error.code === 'EACCES' || error.code === 'EPERM'
    throw isHidden
      ? bottleError('permission', `${name} may not be read. Nothing was imported.`, { cause: error })
      : bottleError('not-found', `${name} is not there any more. Nothing was imported.`, { cause: error })
  })
  if (found.isDirectory())
    throw bottleError('usage', `${name} is a folder. Drop the file that holds the bottle.`)
  if (!found.isFile()) throw bottleError('usage', `${name} is no plain file. Nothing was imported.`)
  if (found.size === 0) throw bottleError('artifact-invalid', `${name} is empty. Nothing was imported.`)
  return file
}
