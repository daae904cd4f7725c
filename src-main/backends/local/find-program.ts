import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'

/** The search path for programs; a bare system one when the environment names none. */
export function searchPath(env: Readonly<Record<string, string | undefined>>): string {
  return env.PATH || '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    // Absent and not executable are the same answer here.
    return false
  }
}

/** The absolute path of a program, looked up as a shell would; undefined when there is none. */
export async function findProgram(name: string, path: string): Promise<string | undefined> {
  if (isAbsolute(name)) return (await isProgram(name)) ? name : undefined
  for (const folder of path.split(delimiter)) {
    // An empty or relative entry would mean the caller's folder, which is nobody's choice here.
    if (!isAbsolute(folder)) continue
    const candidate = join(folder, name)
    if (await isProgram(candidate)) return candidate
  }
  return undefined
}
