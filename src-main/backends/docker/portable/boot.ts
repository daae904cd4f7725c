import { randomBytes } from 'node:crypto'
import { bottleError, isBottleError } from '../../../system/bottle-error.ts'
import { faultPoint } from '../../../system/fault.ts'
import { type BootCommand, bootCommand } from '../../images/boot-command.ts'
import type { BootRequest, BootResult } from '../../portable.ts'
import { statInContainer } from '../container-files.ts'
import type { Engine } from '../engine.ts'
import { statusOf } from '../engine-errors.ts'
import { imageFacts } from '../image-source.ts'
import { demux } from '../logs.ts'
import { fillVolume, partsDirOf, requireParts } from '../own-volumes.ts'
import { inspectContainer, removeContainer, removeVolume } from '../remove-objects.ts'
import { createUndo } from '../undo.ts'
import { startContainer } from '../unit.ts'
import { bootBody, bootVolumes } from './boot-plan.ts'
import { bootLabels, sweepBoots } from './boot-scratch.ts'
import { requireImage } from './image-index.ts'

const TAIL_BYTES = 4096
/** As `timeout` and shells say it. */
const TIMED_OUT = 124
const NOT_STARTED = 126
/** How long an image's own command is looked at, when its start is all that there is to prove. */
const SETTLE_MS = 1000

/**
 * Boots a snapshot in a container of its own, without network and with fresh copies of its volumes, runs the check
 * there, and removes all of it again, whatever happens. A check that fails, does not start or does not end is a result;
 * only what keeps it from being run is an error. @throws BottleError
 */
export async function bootSnapshot(
  engine: Engine,
  home: string,
  request: BootRequest,
  signal: AbortSignal,
): Promise<BootResult> {
  const { snapshot, rootId } = request
  await requireParts(home, snapshot)
  await sweepBoots(engine, rootId, signal).catch(() => {})
  const found = await requireImage(engine, snapshot, signal)
  const id = randomBytes(5).toString('hex')
  const volumes = bootVolumes(id, imageFacts(snapshot.reference, found).volumes, snapshot.volumes)
  const labels = await bootLabels(rootId)
  const name = `icebox-boot-${id}`
  const undo = createUndo()
  for (const volume of volumes)
    undo.add(`volume ${volume.name}`, (late) => removeVolume(engine, volume.name, late))
  undo.add(`container ${name}`, (late) => removeContainer(engine, name, late))
  try {
    const create = async (argv: readonly string[] | null) => {
      const body = bootBody(found.Id, argv, volumes, labels)
      const made = await engine.call(`create ${name}`, signal, (docker, abortSignal) =>
        docker.createContainer({ _query: { name }, _body: body, abortSignal } as object),
      )
      return made.id
    }
    const told = snapshot.facts.hasShell
    let command = bootCommand(request.check, found.Config, told !== false)
    let container = await create(command.argv)
    if (!command.shown && command.argv && told !== true) {
      if (!(await statInContainer(engine, container, command.argv[0] ?? '', signal))) {
        await removeContainer(engine, container, signal)
        command = bootCommand(request.check, found.Config, false)
        container = await create(command.argv)
      }
    }
    for (const { part } of volumes)
      if (part) await fillVolume(engine, container, part, partsDirOf(home, snapshot), signal)
    faultPoint('verify:after-create')
    return await run(engine, container, name, command, request.timeoutSeconds, signal)
  } finally {
    // The user is told by the next check or cleanup, which sweep what a dead engine kept.
    await undo.run()
  }
}

async function run(
  engine: Engine,
  id: string,
  name: string,
  command: BootCommand,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<BootResult> {
  try {
    await startContainer(engine, id, name, signal)
  } catch (thrown) {
    const isRefused =
      isBottleError(thrown) && thrown.code === 'engine-failed' && statusOf(thrown) !== undefined
    const isNotFound = isBottleError(thrown) && thrown.code === 'not-found'
    if (!isRefused && !isNotFound) throw thrown
    return { check: command.shown, exitCode: NOT_STARTED, output: tailOf(thrown.detail ?? thrown.message) }
  }
  const limit = command.argv ? timeoutSeconds * 1000 : Math.min(SETTLE_MS, timeoutSeconds * 1000)
  const hasEnded = await ends(engine, id, name, limit, signal)
  const output = await readTail(engine, id, name, signal)
  if (!command.argv) return { check: null, exitCode: null, output }
  if (!hasEnded) {
    const note = `It did not end within ${timeoutSeconds} s and was stopped.`
    return { check: command.shown, exitCode: TIMED_OUT, output: tailOf(output ? `${output}\n${note}` : note) }
  }
  const state = (await inspectContainer(engine, id, signal))?.State
  if (!state) throw bottleError('engine-failed', `The container ${name} is gone before its check was read.`)
  return { check: command.shown, exitCode: state.ExitCode, output }
}

/** True when the container ends by itself in that time. */
async function ends(
  engine: Engine,
  id: string,
  name: string,
  ms: number,
  signal: AbortSignal,
): Promise<boolean> {
  const limit = AbortSignal.timeout(ms)
  try {
    await engine.call(
      `wait for ${name}`,
      AbortSignal.any([signal, limit]),
      (docker, abortSignal) => docker.getContainer(id).wait({ abortSignal }),
      ms + 60_000,
    )
    return true
  } catch (thrown) {
    if (limit.aborted && !signal.aborted) return false
    throw thrown
  }
}

/** The last of what it said. A check may say much: only the end is ever held. */
async function readTail(engine: Engine, id: string, name: string, signal: AbortSignal): Promise<string> {
  const path = `/containers/${id}/logs?stdout=1&stderr=1&tail=200`
  const stream = await engine.stream(`read the output of ${name}`, path, signal)
  let tail = Buffer.alloc(0)
  for await (const chunk of demux(stream)) tail = Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES)
  return tailOf(tail.toString('utf8'))
}

/** At most so many bytes, cut between letters. */
function tailOf(text: string): string {
  const bytes = Buffer.from(text.trimEnd())
  if (bytes.length <= TAIL_BYTES) return bytes.toString('utf8')
  let from = bytes.length - TAIL_BYTES
  while (((bytes[from] ?? 0) & 0xc0) === 0x80) from++
  return bytes.subarray(from).toString('utf8')
}
