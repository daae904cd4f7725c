import { createHash, randomBytes } from 'node:crypto'
import { lstat, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must } from '../support/busybox-image.ts'

/** Shares of the whole: one large layer at the bottom, as base images are, and smaller ones above. */
const LAYERS = [0.6, 0.25, 0.1, 0.05]

/**
 * Builds an image of about so many bytes in several layers on top of another one. Its content are this machine's own
 * programs, libraries and texts, picked evenly over /usr, so that they compress as real images do; where that is not
 * enough, generated text fills up.
 */
export async function makeBigImage(tag: string, from: string, bytes: number): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'big-image-'))
  try {
    const files = await pickFiles('/usr', bytes)
    const steps: string[] = []
    let next = 0
    for (const [at, share] of LAYERS.entries()) {
      const names: string[] = []
      let left = bytes * share
      for (; left > 0 && next < files.length; next++) {
        const file = files[next]
        if (!file) break
        names.push(file.path)
        left -= file.bytes
      }
      await writeFile(join(dir, 'names'), names.map((name) => `${name.slice(1)}\0`).join(''))
      await must('tar', ['-C', '/', '--null', '-T', join(dir, 'names'), '-cf', join(dir, `${at}.tar`)])
      steps.push(`ADD ${at}.tar /layer-${at}/`)
      if (left < 1e6) continue
      await mkdir(join(dir, `fill-${at}`))
      await writeFile(join(dir, `fill-${at}`, 'text'), texts(left))
      steps.push(`COPY fill-${at} /fill-${at}/`)
    }
    await rm(join(dir, 'names'))
    await writeFile(join(dir, 'Dockerfile'), [`FROM ${from}`, ...steps, ''].join('\n'))
    await must('docker', ['build', '-q', '-t', tag, dir])
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

interface FoundFile {
  readonly path: string
  readonly bytes: number
}

async function pickFiles(root: string, bytes: number): Promise<readonly FoundFile[]> {
  const all: FoundFile[] = []
  const folders = [root]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) folders.push(path)
      else if (entry.isFile()) all.push({ path, bytes: (await lstat(path)).size })
    }
  }
  const total = all.reduce((sum, file) => sum + file.bytes, 0)
  const limit = Math.min(1, bytes / total) * 0xffffffff
  const rank = (path: string) => createHash('sha256').update(path).digest().readUInt32BE()
  // A few huge files would decide alone how well the whole compresses.
  return all.filter((file) => file.bytes < bytes / 8 && rank(file.path) <= limit * 1.1)
}

/** Text that compresses about three times, as programs do. */
function* texts(bytes: number): Iterable<string> {
  for (let left = bytes; left > 0; left -= 96)
    yield `${randomBytes(24).toString('hex')} and so on, and so on, over and over\n`
}
