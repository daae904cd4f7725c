import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  lstatSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { newId } from '../lib/digest.ts'
import { initOf, mustRun, whileFrozen } from '../lib/guest.ts'
import { resolveInRoot } from '../lib/in-root.ts'
import { DiskFullError, readKnobs } from '../lib/knobs.ts'
import { pause } from '../lib/process-id.ts'
import { copyRoot, planPack } from '../lib/root-file-system.ts'
import { optionOf, type Parsed } from './arguments.ts'
import { endOf } from './attach.ts'
import type { Engine } from './engine.ts'
import { ContainerError } from './errors.ts'
import { moveFile } from './image-archive.ts'
import { containerPath, findContainer, getContainer, guestOf, stateOf } from './record.ts'

/**
 * The root file system as a tar: no config, no sockets, FIFOs and devices, nothing that is mounted.
 * Goes through a temp file in `$TMPDIR`, as the tool's does.
 */
export async function exportContainer(engine: Engine, parsed: Parsed): Promise<void> {
  engine.needService()
  const id = parsed.positional[0] ?? ''
  const failed = (inner: ContainerError) =>
    new ContainerError('internalError', 'failed to export container', inner)
  const record = findContainer(engine, id)
  if (!record) throw failed(new ContainerError('notFound', `container with ID ${id} not found`))
  const state = stateOf(engine, id)
  if (!engine.gates.exportsLive && state !== 'stopped')
    throw failed(new ContainerError('invalidState', 'container is not stopped'))
  if (state === 'stopping')
    throw failed(new ContainerError('invalidState', 'container must be running or stopped'))
  const output = optionOf(parsed, 'output')
  const temp = join(tmpdir(), `${newId().toUpperCase()}.tar`)
  const guest = guestOf(engine, id)
  const snapshot = containerPath(engine, id, 'rootfs.snapshot')
  try {
    if (state === 'running') {
      rmSync(snapshot, { recursive: true, force: true })
      whileFrozen(guest, () => {
        pause(Number(readKnobs(engine.dir).extra?.copyTakesMs ?? 0))
        copyRoot(guest.root, snapshot)
      })
    }
    await pack(engine, state === 'running' ? snapshot : guest.root, temp)
    if (output === undefined) engine.write(readFileSync(temp))
    else {
      const target = resolve(output)
      if (existsSync(target) && !engine.gates.exportsLive)
        throw new ContainerError(
          'exists',
          `“${basename(temp)}” couldn’t be moved because an item with the same name already exists.`,
        )
      moveFile(temp, target)
    }
  } catch (error) {
    if (error instanceof DiskFullError)
      throw failed(new ContainerError('internalError', `failed to write archive: ${error.message}`))
    throw error
  } finally {
    rmSync(temp, { force: true })
    rmSync(snapshot, { recursive: true, force: true })
  }
}

async function pack(engine: Engine, root: string, target: string): Promise<void> {
  const { args, list } = planPack(root, { absolute: true })
  const file = openSync(target, 'wx', 0o600)
  const child = spawn('tar', args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const said: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
  child.stdin.end(list)
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; ) {
        const room = engine.strikes.beforeBytes(chunk.length - at)
        at += writeSync(file, chunk, at, room)
      }
    }
    const code = await endOf(child)
    if (code !== 0) throw new ContainerError('internalError', Buffer.concat(said).toString().trim())
  } finally {
    child.kill('SIGKILL')
    closeSync(file)
  }
}

interface Place {
  readonly id: string | null
  readonly path: string
}

function placeOf(text: string): Place {
  const colon = text.indexOf(':')
  return colon < 0 ? { id: null, path: text } : { id: text.slice(0, colon), path: text.slice(colon + 1) }
}

/** `container cp`: one side is in a container, and that one has to run. */
export function copy(engine: Engine, parsed: Parsed): void {
  const [source, destination] = parsed.positional.map(placeOf)
  if (!source || !destination)
    throw new ContainerError('invalidArgument', 'source and destination are needed')
  if ((source.id === null) === (destination.id === null))
    throw new ContainerError(
      'invalidArgument',
      'exactly one of source and destination must be a container path',
    )
  const id = source.id ?? destination.id ?? ''
  engine.needService()
  getContainer(engine, id)
  if (stateOf(engine, id) !== 'running')
    throw new ContainerError('invalidState', `container ${id} is not running`)
  const guest = guestOf(engine, id)
  const inGuest = (path: string) => {
    if (!path.startsWith('/')) throw new ContainerError('invalidArgument', `path ${path} must be absolute`)
    return resolveInRoot(guest.root, path)
  }
  const from = source.id === null ? resolve(source.path) : inGuest(source.path)
  const to = destination.id === null ? resolve(destination.path) : inGuest(destination.path)
  if (!lstatSync(from, { throwIfNoEntry: false }))
    throw new ContainerError('notFound', `no such file or directory: ${source.path}`)
  const isFolder = statSync(to, { throwIfNoEntry: false })?.isDirectory() === true
  for (let room = lstatSync(from).size; room > 0; ) room -= engine.strikes.beforeBytes(room)
  const target = isFolder ? join(to, basename(source.path)) : to
  // The guest's mounts are only seen from inside its mount namespace.
  const enter = ['-t', String(initOf(guest)?.pid), '--mount', '--']
  mustRun('nsenter', [...enter, 'cp', '-dR', '--preserve=mode,timestamps', '-T', from, target])
  engine.print(parsed.positional[1] ?? '')
}
