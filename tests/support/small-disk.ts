import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must } from './busybox-image.ts'
import { removeTree } from './docker-daemon.ts'

/** A file system of its own that a test can fill to the last byte. */
export interface SmallDisk {
  readonly dir: string
  /** Takes all free space but this many bytes. */
  fill(leaveBytes: number): Promise<void>
  /** Gives back what `fill` took. */
  drain(): Promise<void>
  remove(): Promise<void>
}

/** Why a small disk can't be made here, or null. Mounting takes root on Linux. */
export function whyNoSmallDisk(): string | null {
  return process.platform === 'linux' && process.getuid?.() === 0
    ? null
    : 'mounting a small disk takes root on Linux'
}

/** In memory: for a state root. */
export async function makeMemoryDisk(megabytes: number): Promise<SmallDisk> {
  const dir = await mkdtemp(join(tmpdir(), 'disk-'))
  await must('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'icebox-test', dir])
  return asDisk(dir, () => removeTree(dir))
}

/** An ext4 image on a loop device: for an engine's data, which needs a real file system. */
export async function makeLoopDisk(megabytes: number): Promise<SmallDisk> {
  const base = await mkdtemp(join(tmpdir(), 'disk-'))
  const image = join(base, 'image')
  const dir = join(base, 'mounted')
  await mkdir(dir)
  await must('truncate', ['-s', `${megabytes}M`, image])
  await must('mkfs.ext4', ['-q', '-m', '0', '-F', image])
  await must('mount', ['-o', 'loop', image, dir])
  return asDisk(dir, () => removeTree(base))
}

function asDisk(dir: string, remove: () => Promise<void>): SmallDisk {
  const filler = join(dir, 'filler')
  return {
    dir,
    async fill(leaveBytes) {
      const { bavail, bsize } = await statfs(dir)
      const take = bavail * bsize - leaveBytes
      if (take > 0) await must('fallocate', ['-l', String(take), filler])
      else await writeFile(filler, '')
    },
    drain: () => rm(filler, { force: true }),
    remove,
  }
}
