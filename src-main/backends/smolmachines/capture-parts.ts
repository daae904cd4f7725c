import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { VolumePart } from '../../../src-preload/contract/index.ts'
import { publish } from './capture-files.ts'
import { MARKER_PATH, type Machines, WORKSPACE } from './capture-ports.ts'
import { guestTar } from './guest-tar.ts'
import type { KeptPart } from './guest-tar-fill.ts'
import { GUEST_TAR_SCRIPT, type TarTrailer } from './guest-tar-script.ts'

/** What is never part of a guest's own files: the engine's, the run's, and what we left there. */
const NEVER = ['/proc', '/sys', '/dev', '/run', '/tmp']

export interface GuestFiles {
  readonly content: AsyncIterable<Uint8Array>
  /** After the end of the content. */
  readonly trailer: () => TarTrailer | null
}

/**
 * The files of a machine that runs, without what is mounted in it. `keepsMarker`: for a snapshot that will be checked.
 * `withWorkspace`: where `/workspace` is no volume of its own.
 */
export function readGuest(
  machines: Machines,
  machine: string,
  options: {
    readonly keepsMarker: boolean
    readonly withWorkspace: boolean
    /** The run's files in the guest: its agent stands still while its files are read. */
    readonly guestDir?: string | null
  },
  signal: AbortSignal,
): GuestFiles {
  const out = [
    ...NEVER,
    ...(options.keepsMarker ? [] : [MARKER_PATH]),
    ...(options.withWorkspace ? [] : [WORKSPACE]),
  ]
  const place = {
    start: '.',
    also: options.withWorkspace ? WORKSPACE : '',
    guestDir: options.guestDir ?? null,
  }
  return filesIn(machines, machine, place, out, signal)
}

export interface PartPlace {
  readonly partsDir: string
  readonly partial: string
  readonly file: string
}

/** Writes one folder that has a disk of its own beside the snapshot, as the part of a volume. */
export async function saveFolder(
  machines: Machines,
  machine: string,
  destination: string,
  place: PartPlace,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<VolumePart> {
  const { content } = filesIn(
    machines,
    machine,
    { start: `.${destination}`, also: '', guestDir: null },
    [],
    signal,
  )
  return { destination, kind: 'anonymous', name: '', ...(await savePart(content, place, onBytes)) }
}

/** Writes all files of a machine's own disk beside the snapshot. */
export async function saveRoot(
  machines: Machines,
  machine: string,
  place: PartPlace,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<KeptPart> {
  const options = { keepsMarker: true, withWorkspace: false }
  return savePart(readGuest(machines, machine, options, signal).content, place, onBytes)
}

/** Writes one tar beside the snapshot, whole or not at all. */
export async function savePart(
  content: AsyncIterable<Uint8Array>,
  { partsDir, partial, file }: PartPlace,
  onBytes: (bytes: number) => void,
): Promise<KeptPart> {
  const path = join(partial, file)
  const handle = await open(path, 'wx', 0o600)
  const hash = createHash('sha256')
  let bytes = 0
  try {
    for await (const chunk of content) {
      hash.update(chunk)
      bytes += chunk.length
      await handle.writeFile(chunk)
      onBytes(bytes)
    }
  } finally {
    await handle.close()
  }
  await publish(partsDir, path, file)
  return { file, bytes, sha256: hash.digest('hex') }
}

function filesIn(
  machines: Machines,
  machine: string,
  {
    start,
    also,
    guestDir,
  }: { readonly start: string; readonly also: string; readonly guestDir: string | null },
  out: readonly string[],
  signal: AbortSignal,
): GuestFiles {
  let trailer: TarTrailer | null = null
  const standStill = guestDir === null ? '' : `${guestDir}/signal`
  const argv = ['sh', '-c', GUEST_TAR_SCRIPT, 'icebox-tar', '/', start, also, standStill, ...out]
  const content = guestTar(machines.stream(machine, argv, signal), (told) => {
    trailer = told
  })
  return { content, trailer: () => trailer }
}
