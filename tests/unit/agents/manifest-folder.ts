import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A temporary state root with the given files; removed when the test ends. */
export async function manifestFolder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'icebox-agents-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), text)
  }
  return dir
}

/** The error a promise ends in; fails the test when there is none. */
export async function failureOf(
  run: Promise<unknown>,
): Promise<{ code: string; message: string; detail?: string }> {
  try {
    await run
  } catch (error) {
    return error as { code: string; message: string; detail?: string }
  }
  throw new Error('expected an error, there was none')
}
