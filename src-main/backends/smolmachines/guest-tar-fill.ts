import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { Transform } from 'node:stream'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { bottleError, toBottleError } from '../../system/bottle-error.ts'
import { type Machines, WORKSPACE } from './capture-ports.ts'
import { COPY_MS } from './client.ts'
import { UNPACK_SCRIPT } from './guest-scripts.ts'
import { artifactPath } from './run-paths.ts'

/** Files that a snapshot keeps beside its own file, because no machine made of that has them. */
export interface GuestPart {
  /** On this machine: a tar whose one top folder is the destination's. */
  readonly path: string
  readonly destination: string
  readonly bytes: number
  /** Hex. */
  readonly sha256: string
}

/**
 * What has to be unpacked in a fresh machine of a snapshot before an agent begins: all files where the version's packs
 * lose some, what an image has in `/workspace`, which the machine's own disk hides, and its volumes. A resumed memory has everything already. Pure.
 */
export function guestPartsOf(home: string, snapshot: Snapshot): readonly GuestPart[] {
  const { path, name } = artifactPath(home, snapshot)
  if (name === 'bottle.smolcheckpoint') return []
  const dir = dirname(path)
  const { root, workspace } = snapshot.facts
  const isHidden = isPart(workspace) && !snapshot.volumes.some((part) => part.destination === WORKSPACE)
  return [
    ...(isPart(root) ? [{ ...root, destination: '/' }] : []),
    ...(isHidden ? [{ ...workspace, destination: WORKSPACE }] : []),
    ...snapshot.volumes,
  ].map(({ file, destination, bytes, sha256 }) => ({ path: join(dir, file), destination, bytes, sha256 }))
}

/** As it is kept in a record's facts. */
export interface KeptPart {
  readonly file: string
  readonly bytes: number
  readonly sha256: string
}

function isPart(value: unknown): value is KeptPart {
  const part = value as Partial<KeptPart> | null | undefined
  return (
    typeof part?.file === 'string' &&
    /^[\w.-]+$/.test(part.file) &&
    typeof part.bytes === 'number' &&
    typeof part.sha256 === 'string'
  )
}

/** Refuses before any side effect when not all of a snapshot is there. @throws BottleError `snapshot-missing` */
export async function requireGuestParts(home: string, snapshot: Snapshot): Promise<void> {
  for (const part of guestPartsOf(home, snapshot)) {
    const found = await stat(part.path).catch(() => null)
    if (found?.size === part.bytes) continue
    throw bottleError(
      'snapshot-missing',
      `${part.destination} of snapshot ${snapshot.id} ${found ? 'is not whole' : 'is missing'} (${part.path}).`,
      { slug: snapshot.slug },
    )
  }
}

/**
 * Unpacks the parts of a snapshot in a machine that runs; each digest is checked on the way. `only` takes one of them.
 * @throws BottleError
 */
export async function fillGuest(
  machines: Machines,
  machine: string,
  home: string,
  snapshot: Snapshot,
  signal: AbortSignal,
  only: string | null = null,
): Promise<void> {
  const parts = guestPartsOf(home, snapshot)
  for (const part of parts.filter(({ destination }) => only === null || destination === only))
    await unpackPart(machines, machine, part, signal)
}

/** As `fillGuest`, for a capture that has no record yet: what its pack lacks of its own files. @throws BottleError */
export async function fillRoot(
  machines: Machines,
  machine: string,
  partsDir: string,
  facts: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<void> {
  const { root } = facts
  if (!isPart(root)) return
  const { file, bytes, sha256 } = root
  await unpackPart(machines, machine, { path: join(partsDir, file), destination: '/', bytes, sha256 }, signal)
}

async function unpackPart(
  machines: Machines,
  machine: string,
  part: GuestPart,
  signal: AbortSignal,
): Promise<void> {
  const hash = createHash('sha256')
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  const file = createReadStream(part.path, { highWaterMark: 1 << 20 })
  file.on('error', (error) => meter.destroy(toBottleError(error)))
  meter.on('close', () => file.destroy())
  const folder = posix.dirname(part.destination)
  const argv = ['sh', '-c', UNPACK_SCRIPT, 'icebox', folder, ...(part.destination === '/' ? ['exact'] : [])]
  await machines.exec(machine, argv, { signal, timeout: COPY_MS, input: file.pipe(meter) })
  if (hash.digest('hex') === part.sha256) return
  throw bottleError('corrupt-state', `${part.destination}, kept in ${part.path}, is damaged.`)
}
