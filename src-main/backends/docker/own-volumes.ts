import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import type { Snapshot, VolumePart } from '../../../src-preload/contract/index.ts'
import { bottleError, toBottleError } from '../../system/bottle-error.ts'
import type { MountPlan } from '../backend.ts'
import { putFiles, statInContainer } from './container-files.ts'
import type { Engine } from './engine.ts'
import { ownVolumeName, RUN_DIR } from './labels.ts'

/** A volume that Icebox makes for one run, so that nothing unnamed is left after a crash. */
export interface OwnVolume {
  readonly name: string
  readonly destination: string
  /** The manifest's name; empty for one that the image declares. */
  readonly declared: string
  readonly readOnly: boolean
  /** What it is filled with before start; null leaves it to the image's content. */
  readonly part: VolumePart | null
}

export interface VolumePlan {
  readonly own: readonly OwnVolume[]
  /** Mounts that are used as they are: binds, tmpfs, external volumes. */
  readonly others: readonly MountPlan[]
  readonly notices: readonly string[]
}

/** Pure: which volumes a run gets: the image's, the plan's and those that the snapshot brings. */
export function planVolumes(
  runId: string,
  imageVolumes: readonly string[],
  mounts: readonly MountPlan[],
  parts: readonly VolumePart[],
  firstIndex = 0,
): VolumePlan {
  const others = mounts.filter((mount) => mount.type !== 'volume' || mount.external)
  const taken = new Set(others.map((mount) => clean(mount.target)))
  const wanted = new Map<string, { declared: string; readOnly: boolean }>()
  const want = (target: string, declared: string, readOnly: boolean) => {
    const destination = clean(target)
    if (!taken.has(destination) && !wanted.has(destination)) wanted.set(destination, { declared, readOnly })
  }
  for (const mount of mounts)
    if (mount.type === 'volume' && !mount.external) want(mount.target, mount.source, mount.readOnly)
  for (const target of imageVolumes) want(target, '', false)
  for (const part of parts) want(part.destination, part.kind === 'named' ? part.name : '', false)
  const own = [...wanted]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([destination, { declared, readOnly }], at) => {
      const part = parts.find((one) => clean(one.destination) === destination) ?? null
      return {
        name: ownVolumeName(runId, firstIndex + at),
        destination,
        declared,
        readOnly: readOnly && !part,
        part,
      }
    })
  const notices = parts
    .filter((part) => taken.has(clean(part.destination)))
    .map(
      (part) => `The snapshot's volume at ${part.destination} is not used: something else is mounted there.`,
    )
  return { own, others, notices }
}

const clean = (target: string) => posix.normalize(target).replace(/(.)\/+$/, '$1')

/** Mount targets at or around the run folder would hide it. */
export function coversRunDir(target: string): boolean {
  const path = clean(target)
  return path === RUN_DIR || path.startsWith(`${RUN_DIR}/`)
}

/** The folder that holds a snapshot's volumes. */
export function partsDirOf(home: string, snapshot: Pick<Snapshot, 'slug' | 'id'>): string {
  return join(home, 'state', snapshot.slug, 'snapshots', `${snapshot.id}.d`)
}

/** Refuses before any side effect when a snapshot's volumes are not all there. */
export async function requireParts(home: string, snapshot: Snapshot): Promise<void> {
  for (const part of snapshot.volumes) {
    const file = join(partsDirOf(home, snapshot), part.file)
    const found = await stat(file).catch(() => null)
    if (found?.size === part.bytes) continue
    const what = found ? 'is not whole' : 'is missing'
    throw bottleError(
      'snapshot-missing',
      `The volume ${part.destination} of snapshot ${snapshot.id} ${what} (${file}).`,
    )
  }
}

/** Fills a fresh volume of a container that was not started yet; the content's digest is checked on the way. */
export async function fillVolume(
  engine: Engine,
  containerId: string,
  part: VolumePart,
  dir: string,
  signal: AbortSignal,
): Promise<void> {
  const path = join(dir, part.file)
  const place = await statInContainer(engine, containerId, part.destination, signal)
  const target = posix.dirname(place?.path ?? part.destination)
  const file = hashedFile(path)
  try {
    await putFiles(engine, containerId, target, file.stream, signal)
  } catch (thrown) {
    // A damaged archive may be refused before its end: then only a second look can tell why.
    if (signal.aborted || (await isWhole(path, part))) throw thrown
    throw damaged(part, path, thrown)
  }
  if (file.digest() !== part.sha256) throw damaged(part, path)
}

function damaged(part: VolumePart, path: string, cause?: unknown) {
  return bottleError('corrupt-state', `The volume ${part.destination} kept in ${path} is damaged.`, { cause })
}

async function isWhole(path: string, part: VolumePart): Promise<boolean> {
  const file = hashedFile(path)
  for await (const _chunk of file.stream) {
    // Only the digest is wanted.
  }
  return file.digest() === part.sha256
}

function hashedFile(path: string): { readonly stream: Readable; digest(): string } {
  const hash = createHash('sha256')
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  const file = createReadStream(path, { highWaterMark: 1 << 20 })
  file.on('error', (error) => meter.destroy(toBottleError(error)))
  meter.on('close', () => file.destroy())
  return { stream: file.pipe(meter), digest: () => hash.digest('hex') }
}
