import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../../state/durable-file.ts'

/** As `writeDurable` calls its files until they are whole. */
const TEMP = /^\..+\.[0-9a-f]{12}\.tmp$/
/** Such a file lives for milliseconds; who made it is not in its name. */
const OLD_MS = 3_600_000

/** Removes what processes that died in the middle of a small write left in these folders. */
export async function sweepTempFiles(folders: readonly string[], now: number): Promise<void> {
  for (const folder of folders) {
    const names = await readdir(folder).catch((error: unknown) => {
      if (isMissing(error)) return [] as string[]
      throw error
    })
    for (const name of names.filter((each) => TEMP.test(each))) {
      const path = join(folder, name)
      const found = await stat(path).catch(() => null)
      if (found && now - found.mtimeMs > OLD_MS) await rm(path, { force: true })
    }
  }
}
