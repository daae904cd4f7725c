import { isBottleError } from '../../../system/bottle-error.ts'
import { faultPoint } from '../../../system/fault.ts'
import { bootCommand } from '../../images/boot-command.ts'
import type { BootRequest, BootResult } from '../../portable.ts'
import { requireArtifact } from '../capture-files.ts'
import { markerProblem } from '../capture-marker.ts'
import type { FreezerTools } from '../capture-scene.ts'
import { sourceOf } from '../capture-source.ts'
import { execArgs } from '../grammar.ts'
import { requireGuestParts } from '../guest-tar-fill.ts'
import { checkPack, digestOfFile } from '../pack-file.ts'
import { withScratch } from './scratch.ts'
import { withSnapshotMachine } from './snapshot-machine.ts'

const TAIL_BYTES = 4096
/** As `timeout` and shells say it, and smolvm too. */
const TIMED_OUT = 124
const NOT_STARTED = 126
const START_MS = 60_000

/**
 * Proves that a snapshot can be resumed: its file is byte by byte what was frozen, a machine of it boots without
 * network, and a check passes there. Everything is removed again. @throws BottleError
 */
export async function bootSnapshot(
  tools: FreezerTools,
  request: BootRequest,
  signal: AbortSignal,
): Promise<BootResult> {
  const { snapshot } = request
  const file = await requireArtifact(tools.home, snapshot)
  await requireGuestParts(tools.home, snapshot)
  const isImage = sourceOf(file).kind === 'archive'
  const { digest } = isImage ? await digestOfFile(file, signal) : await checkPack(file, signal)
  if (snapshot.digest && digest !== snapshot.digest) {
    return refused(`The file is not the one that was frozen (${file}).`)
  }
  const config = snapshot.facts.config as Parameters<typeof bootCommand>[1]
  const { argv, shown } = bootCommand(request.check, config, snapshot.facts.hasShell !== false)
  return withSnapshotMachine(tools, snapshot, { isFilled: true }, signal, async (machine) => {
    faultPoint('verify:after-create')
    const problem = await markerOf(tools, machine, snapshot.facts, signal)
    if (problem !== null) return refused(problem)
    if (argv === null) return { check: null, exitCode: null, output: '' }
    const timeoutSeconds = Math.max(1, Math.ceil(request.timeoutSeconds))
    try {
      const ended = await tools.client.run('run the check', execArgs(machine, argv, { timeoutSeconds }), {
        signal,
        timeout: timeoutSeconds * 1000 + START_MS,
        okCodes: 'any',
      })
      const output = [ended.stdout, ended.stderr].filter(Boolean).join('\n')
      return { check: shown, exitCode: ended.exitCode, output: tailOf(output) }
    } catch (thrown) {
      if (!isBottleError(thrown) || thrown.code !== 'timeout') throw thrown
      const note = `It did not end within ${request.timeoutSeconds} s and was stopped.`
      return { check: shown, exitCode: TIMED_OUT, output: note }
    }
  })
}

async function markerOf(
  tools: FreezerTools,
  machine: string,
  facts: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<string | null> {
  const { marker } = facts
  if (typeof marker !== 'string') return null
  return withScratch(tools.home, (folder) => markerProblem(tools, machine, marker, folder, signal))
}

const refused = (output: string): BootResult => ({ check: null, exitCode: NOT_STARTED, output })

/** At most so many bytes, cut between letters. */
function tailOf(text: string): string {
  const bytes = Buffer.from(text.trimEnd())
  if (bytes.length <= TAIL_BYTES) return bytes.toString('utf8')
  let from = bytes.length - TAIL_BYTES
  while (((bytes[from] ?? 0) & 0xc0) === 0x80) from++
  return bytes.subarray(from).toString('utf8')
}
