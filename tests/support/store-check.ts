import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

interface Named {
  readonly digest?: string
  readonly annotations?: Readonly<Record<string, string>>
}
interface Manifest {
  readonly config?: Named
  readonly subject?: Named
  readonly layers?: readonly Named[]
  readonly manifests?: readonly Named[]
}

/** `sha256:…` of a file. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return `sha256:${hash.digest('hex')}`
}

/** As if nothing had ever been exported from this state root, or imported into it. */
export async function emptyStore(home: string): Promise<void> {
  await rm(join(home, 'artifacts'), { recursive: true, force: true })
  await rm(join(home, 'icebox/layers'), { recursive: true, force: true })
}

/** The files of a folder, or nothing where there is none. */
export async function namesIn(...path: readonly string[]): Promise<readonly string[]> {
  return readdir(join(...path)).catch(() => [])
}

/**
 * What is wrong with the artifact store of a state root: blobs that are not what they are called, images that lack
 * blobs or belong to no bottle, staged files of commands that have ended, a lock.
 */
export async function storeProblems(home: string): Promise<readonly string[]> {
  const layout = join(home, 'artifacts')
  const problems: string[] = []
  const blobs = await namesIn(layout, 'blobs/sha256')
  for (const name of blobs) {
    const found = await fileDigest(join(layout, 'blobs/sha256', name))
    if (found !== `sha256:${name}`) problems.push(`blob ${name} is ${found}`)
  }
  for (const name of await namesIn(layout, '.stage')) problems.push(`${name} stays staged`)
  if ((await namesIn(home, 'icebox')).includes('artifact-index.lock')) problems.push('the index stays locked')
  if (blobs.length === 0 || problems.length > 0) return problems
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as Manifest
  const slugs = await namesIn(home, 'state')
  const trash = await namesIn(home, 'trash')
  for (const { annotations } of index.manifests ?? []) {
    const slug = annotations?.['dev.icebox.slug'] ?? ''
    if (!slugs.includes(slug) && !trash.some((entry) => entry.startsWith(`${slug}-`)))
      problems.push(`the index names ${slug}, which is no bottle`)
  }
  const missing = await missingBlobs(layout, index, new Set(blobs))
  return [...problems, ...missing.map((digest) => `the index needs ${digest}, which is not there`)]
}

async function missingBlobs(
  layout: string,
  index: Manifest,
  blobs: ReadonlySet<string>,
): Promise<readonly string[]> {
  const missing: string[] = []
  const seen = new Set<string>()
  const manifests = [...manifestsOf(index)]
  for (let digest = manifests.pop(); digest !== undefined; digest = manifests.pop()) {
    if (seen.has(digest)) continue
    seen.add(digest)
    const hex = digest.slice('sha256:'.length)
    if (!blobs.has(hex)) {
      missing.push(digest)
      continue
    }
    const manifest = JSON.parse(await readFile(join(layout, 'blobs/sha256', hex), 'utf8')) as Manifest
    manifests.push(...manifestsOf(manifest))
    for (const child of [manifest.config, ...(manifest.layers ?? [])]) {
      if (child?.digest && !blobs.has(child.digest.slice('sha256:'.length))) missing.push(child.digest)
    }
  }
  return missing
}

function manifestsOf({ manifests = [], subject }: Manifest): readonly string[] {
  const named = manifests.flatMap(({ digest, annotations }) => [digest, annotations?.['dev.icebox.parts']])
  return [...named, subject?.digest].filter((digest) => digest !== undefined)
}
