import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { ImportResult } from '../../../src-preload/contract/artifacts.ts'
import type { ImportSource } from '../../bottles/artifact-services.ts'
import type { Icebox } from '../../icebox.ts'
import { bottleError, toFailure } from '../../system/bottle-error.ts'
import type { Face } from '../face.ts'
import { operate, withIcebox } from '../session.ts'
import { nonEmpty, usageError } from '../usage.ts'

interface ImportFlags {
  readonly label?: string
}

/** `icebox import`: each file becomes a frozen bottle. Of several, each is tried and tells how it went. */
export async function importCommand(
  face: Face,
  files: readonly string[],
  flags: ImportFlags,
): Promise<number> {
  const label = flags.label === undefined ? undefined : nonEmpty('--label', flags.label)
  if (files.length > 1 && label !== undefined)
    throw usageError('--label names one bottle. Import one file at a time with it.')
  if (files.filter((file) => file === '-').length > 1) throw usageError('- can be given once.')
  const [only = '', ...more] = files
  return withIcebox(face, async (icebox) => {
    if (more.length > 0) return importAll(face, icebox, files)
    const done = await importOne(face, icebox, only, label)
    await face.result({ json: done, text: importText(done), essential: done.slug })
    await face.say(`Resume:   icebox resume ${done.slug}`)
    return 0
  })
}

async function importAll(face: Face, icebox: Icebox, files: readonly string[]): Promise<number> {
  const rows: ({ readonly file: string } & (ImportResult | { readonly error: unknown }))[] = []
  for (const file of files) {
    try {
      const done = await importOne(face, icebox, file, undefined)
      rows.push({ file, ...done })
      if (!face.json) await face.result({ json: null, text: importText(done), essential: done.slug })
    } catch (thrown) {
      face.signal.throwIfAborted()
      const error = toFailure(thrown)
      rows.push({ file, error })
      await face.warn(`${file}: ${error.message}`)
    }
  }
  if (face.json) await face.result({ json: rows, text: '' })
  return rows.every((row) => 'slug' in row) ? 0 : 1
}

async function importOne(
  face: Face,
  icebox: Icebox,
  file: string,
  label: string | undefined,
): Promise<ImportResult> {
  const source = await sourceOf(face, file)
  return operate(face, {}, (context) => icebox.artifacts.import(source, { label }, context))
}

async function sourceOf(face: Face, file: string): Promise<ImportSource> {
  if (file === '-') {
    if (process.stdin.isTTY) throw usageError('Standard input is a terminal. Pipe an archive into it.')
    return { stream: process.stdin, bytes: null }
  }
  const path = resolve(face.cwd, nonEmpty('A file name', file))
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
      throw bottleError('not-found', `There is no file ${path}.`)
    throw error
  })
  if (found.isDirectory()) {
    throw bottleError('artifact-invalid', `${path} is a folder. An artifact is one file.`)
  }
  // A pipe has no end to look at first: it is read as it comes.
  return found.isFile() ? { file: path } : { stream: createReadStream(path), bytes: null }
}

function importText(done: ImportResult): string {
  return `Imported: ${done.slug}@${done.snapshot} on ${done.backend}.`
}
