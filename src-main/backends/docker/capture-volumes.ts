import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, open, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ContainerInspectInfo } from 'dockerode'
import type { VolumePart } from '../../../src-preload/contract/index.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { ReportProgress } from '../backend.ts'
import { statInContainer } from './container-files.ts'
import { type Engine, LONG_MS } from './engine.ts'
import { LABEL, labelOf, ownVolumePrefix, RUN_DIR } from './labels.ts'

type Mount = ContainerInspectInfo['Mounts'][number]

/** What of a container's mounts a freeze keeps, and what it names as left out. */
export interface MountSplit {
  readonly volumes: readonly Mount[]
  readonly leftOut: readonly string[]
}

/** Pure: splits the mounts. External volumes are shared with others and stay where they are, like binds. */
export function splitMounts(found: ContainerInspectInfo): MountSplit {
  const isOurs = labelOf(found.Config.Labels, LABEL.root) !== null
  const volumes: Mount[] = []
  const leftOut: string[] = []
  // The engine lists mounts in any order.
  const mounts = [...found.Mounts].sort((left, right) => (left.Destination < right.Destination ? -1 : 1))
  for (const mount of mounts) {
    if (isOurs && mount.Destination === RUN_DIR) continue
    const isOwn = !isOurs || (mount.Name ?? '').startsWith(ownVolumePrefix)
    if (mount.Type !== 'volume') {
      const type = String(mount.Type)
      leftOut.push(
        type === 'bind' ? `bind ${mount.Source} → ${mount.Destination}` : `${type} ${mount.Destination}`,
      )
    } else if (!isOwn) leftOut.push(`volume ${mount.Name} → ${mount.Destination}`)
    // The agent can't have changed what it could only read; it comes again from the image.
    else if (mount.RW || !isOurs) volumes.push(mount)
  }
  for (const target of Object.keys(found.HostConfig.Tmpfs ?? {})) leftOut.push(`tmpfs ${target}`)
  return { volumes, leftOut }
}

/** A copied volume whose file has still its temporary name. */
export interface CopiedVolume {
  readonly part: VolumePart
  readonly temporary: string
}

/** Where each volume really lies, asked before the pause: a mount point may be a link in the image. */
export async function resolveMounts(
  engine: Engine,
  id: string,
  volumes: readonly Mount[],
  signal: AbortSignal,
): Promise<readonly { readonly mount: Mount; readonly path: string }[]> {
  return Promise.all(
    volumes.map(async (mount) => {
      const place = await statInContainer(engine, id, mount.Destination, signal)
      if (place) return { mount, path: place.path }
      throw bottleError('engine-failed', `The volume at ${mount.Destination} can't be read.`)
    }),
  )
}

/** Streams each volume into a temporary file beside the snapshot, hashing on the way. @throws BottleError */
export async function copyVolumes(
  engine: Engine,
  id: string,
  places: readonly { readonly mount: Mount; readonly path: string }[],
  names: ReadonlyMap<string, string>,
  partsDir: string,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<CopiedVolume[]> {
  await mkdir(partsDir, { recursive: true, mode: 0o700 })
  const copied: CopiedVolume[] = []
  for (const [at, { mount, path }] of places.entries()) {
    const file = `${at}.tar`
    const temporary = join(partsDir, `${file}.tmp`)
    const { bytes, sha256 } = await copyOut(engine, id, path, temporary, signal, (current) => {
      progress({ phase: `copying volume ${mount.Destination}`, current, total: null })
    })
    const declared = names.get(mount.Name ?? '') ?? ''
    const kind = declared ? 'named' : 'anonymous'
    const part = { destination: mount.Destination, kind, name: declared, file, bytes, sha256 } as const
    copied.push({ part, temporary })
  }
  return copied
}

async function copyOut(
  engine: Engine,
  id: string,
  path: string,
  target: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  let told = 0
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      bytes += chunk.length
      if (bytes - told > 8 << 20) {
        told = bytes
        onBytes(bytes)
      }
      done(null, chunk)
    },
  })
  await engine.call(
    `copy ${path}`,
    signal,
    async (docker, abortSignal) => {
      const stream = await docker.getContainer(id).getArchive({ path, abortSignal })
      await pipeline(stream, meter, createWriteStream(target, { mode: 0o600 }), { signal: abortSignal })
    },
    LONG_MS,
  )
  return { bytes, sha256: hash.digest('hex') }
}

/** Flushes the copies and gives them their names. After the pause: the agent need not wait for the disk. */
export async function settleVolumes(copied: readonly CopiedVolume[], partsDir: string): Promise<void> {
  for (const { part, temporary } of copied) {
    await flush(temporary)
    await rename(temporary, join(partsDir, part.file))
  }
  if (copied.length > 0) await flush(partsDir)
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** True when every part is there under its final name and in full. */
export async function hasParts(partsDir: string, parts: readonly VolumePart[]): Promise<boolean> {
  for (const part of parts) {
    const found = await stat(join(partsDir, part.file)).catch(() => null)
    if (found?.size !== part.bytes) return false
  }
  return true
}

/** The manifest's names of a container's own volumes, from their labels; other volumes keep their names. */
export async function declaredNames(
  engine: Engine,
  volumes: readonly Mount[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const pairs = await Promise.all(
    volumes.map(async ({ Name: name = '' }): Promise<[string, string]> => {
      if (!name.startsWith(ownVolumePrefix)) return [name, /^[0-9a-f]{64}$/.test(name) ? '' : name]
      const found = await engine.call(`look at volume ${name}`, signal, (docker, abortSignal) =>
        docker.getVolume(name).inspect({ abortSignal }),
      )
      return [name, labelOf(found.Labels, LABEL.volume) ?? '']
    }),
  )
  return new Map(pairs)
}
