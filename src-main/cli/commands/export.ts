import { stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { Writable } from 'node:stream'
import type { CompressionName, ExportResult } from '../../../src-preload/contract/artifacts.ts'
import type { ExportTarget } from '../../bottles/artifact-services.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { scrubOptions } from '../ask-scrub.ts'
import type { Face } from '../face.ts'
import type { Output } from '../output.ts'
import { operate, slugOrPick, withIcebox } from '../session.ts'
import { parseTarget } from '../target.ts'
import { formatBytes } from '../units.ts'
import { nonEmpty, usageError } from '../usage.ts'

export interface ExportFlags {
  readonly output?: string
  readonly thin?: boolean
  /** The parser lets only these through. */
  readonly compress: CompressionName
  readonly scrub?: string
  readonly force?: boolean
}

/** `icebox export`: to a file, or as raw bytes to standard output. */
export async function exportCommand(
  face: Face,
  given: string | undefined,
  flags: ExportFlags,
): Promise<number> {
  const named = given === undefined ? undefined : parseTarget(given)
  const file = flags.output === undefined || flags.output === '-' ? null : nonEmpty('-o', flags.output)
  if (file === null) refuseStdout(face, named?.slug)
  else await checkFile(resolve(face.cwd, file), flags.force === true)
  return withIcebox(face, async (icebox) => {
    const slug = named?.slug ?? (await slugOrPick(face, icebox, undefined, (row) => row.snapshots > 0))
    const target: ExportTarget =
      file === null ? { stream: writableOf(face.stdout) } : { file: resolve(face.cwd, file) }
    const done = await operate(face, {}, (context, progress) =>
      icebox.artifacts.export(
        {
          slug,
          snapshot: named?.snapshot ?? undefined,
          compression: flags.compress,
          thin: flags.thin === true,
          ...scrubOptions(face, flags.scrub, progress),
        },
        target,
        context,
      ),
    )
    if (file === null) {
      await face.say(exportText(slug, done))
      return 0
    }
    await face.result({ json: done, text: exportText(slug, done), essential: done.file ?? '' })
    if (done.thin) await face.say('It is thin: importing it needs the base image.')
    return 0
  })
}

function exportText(slug: string, done: ExportResult): string {
  const where = done.file === null ? '' : ` to ${done.file}`
  const scrubbed = done.scrub?.findings.length
    ? ` Secrets ${done.scrub.choice === 'strip' ? 'stripped' : 'kept'}: ${done.scrub.findings.length}.`
    : ''
  return `Exported ${slug}@${done.snapshot}${where}, ${formatBytes(done.bytes)}.${scrubbed}`
}

function refuseStdout(face: Face, slug = 'SLUG'): void {
  if (face.json) throw usageError('--json prints its value on standard output: say -o FILE for the archive.')
  if (face.stdout.isTerminal) {
    throw usageError(`The archive would go to the terminal. Say -o ${slug}.bottle, or pipe it on.`)
  }
}

async function checkFile(path: string, mayReplace: boolean): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory()) throw usageError(`${path} is a folder. Say a file name with -o.`)
  if (found?.isFile() && !mayReplace) {
    throw bottleError('exists', `${path} is there already. --force replaces it, or say another name with -o.`)
  }
  const folder = dirname(path)
  const above = await stat(folder).catch(() => undefined)
  if (!above?.isDirectory()) {
    throw bottleError('not-found', `There is no folder ${folder} to write ${basename(path)} into.`)
  }
}

/** The output as a stream, so that back-pressure reaches the export. */
function writableOf(output: Output): Writable {
  return new Writable({
    highWaterMark: 1 << 20,
    write(chunk: Uint8Array, _encoding, done) {
      output.write(chunk).then(() => done(), done)
    },
  })
}
