import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ImageConfig, ImageIndex, ImageManifest } from '../../../src-main/artifacts/oci.ts'
import type { ExportResult } from '../../../src-preload/contract/index.ts'
import { exportTo } from '../../support/artifact-trip.ts'
import { must } from '../../support/busybox-image.ts'
import { makeImage } from '../../support/images.ts'
import { sumTree } from '../../support/odd-trees.ts'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

export const MARKER = 'made by the agent'

/** What the agent leaves: names, links, modes, holes, owners, and a file of the base image that is gone. */
const ODD_FILES = [
  `echo "${MARKER}" > marker`,
  'mkdir -p odd/deep odd/empty; B=busybox; $B ln marker odd/hard; $B ln -s ../marker odd/soft; $B ln -s /nowhere odd/lost',
  'echo x > "odd/$(printf "a\\nb\\\\ \\377")"; echo y > odd/-rf; echo z > odd/grün',
  'long=$(printf "%0200d" 7); mkdir -p odd/$long/$long; echo deep > odd/$long/$long/file',
  '$B truncate -s 2000000 odd/holes; echo end >> odd/holes',
  '$B chmod 4755 odd/-rf; $B chmod 1777 odd/empty; $B chown 1000:70000 odd/grün; touch -d 1999-12-31 odd/grün',
  'rm /etc/passwd; mkdir /opt; echo new > /opt/file',
].join('; ')

/** A frozen Docker bottle as files that other tools are to read. The bottle and its image are gone already. */
export interface InteropScene {
  readonly dir: string
  readonly tests: TestBottles
  readonly gzip: ExportResult & { readonly file: string }
  readonly zstd: ExportResult & { readonly file: string }
  readonly layout: Layout
  /** Every entry of /work, as the engine gave it out before the freeze. */
  readonly sum: readonly string[]
  dispose(): Promise<void>
}

/** An unpacked archive and what its JSON says. */
export interface Layout {
  readonly dir: string
  readonly index: ImageIndex
  readonly manifest: ImageManifest
  readonly config: ImageConfig
  readonly configDigest: string
  /** The name of the image inside. */
  readonly name: string
  blob(digest: string): Promise<Buffer>
}

export async function makeInteropScene(): Promise<InteropScene> {
  const dir = await mkdtemp(join(tmpdir(), 'icebox-interop-'))
  const image = await makeImage('interop', ['CMD ["cat", "/work/marker"]'])
  const tests = await makeTestBottles(`backend: docker\nimage: ${image}\nworkdir: /work`)
  const { slug, exitCode } = await tests.run(ODD_FILES, 'interop')
  if (exitCode !== 0) throw new Error(await tests.output(slug))
  await must('sh', ['-c', 'docker cp "$0:/work" - > "$1"', `bot-bottle-${slug}`, join(dir, 'work.tar')])
  const sum = await sumOfTar(join(dir, 'work.tar'), join(dir, 'expected'))
  await tests.icebox.bottles.freeze({ slug }, tests.context())
  const files = { gzip: join(dir, 'gzip.bottle'), zstd: join(dir, 'zstd.bottle') }
  const gzip = { ...(await exportTo(tests, slug, files.gzip, 'gzip')), file: files.gzip }
  const zstd = { ...(await exportTo(tests, slug, files.zstd, 'zstd')), file: files.zstd }
  await tests.icebox.bottles.destroy({ slug, purge: true }, tests.context())
  const layout = await openLayout(files.gzip, join(dir, 'layout'))
  return {
    dir,
    tests,
    gzip,
    zstd,
    layout,
    sum,
    async dispose() {
      await tests.dispose()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Unpacks a tar with one folder `work` into a new folder and sums that up. */
export async function sumOfTar(tar: string, folder: string): Promise<readonly string[]> {
  mkdirSync(folder)
  const how = ['--numeric-owner', '--same-owner', '-p', '--delay-directory-restore', '--warning=no-timestamp']
  await must('tar', ['-C', folder, ...how, '-xf', tar])
  return sumOfWork(folder)
}

/** Sums up the folder `work` below another one. */
export function sumOfWork(folder: string): readonly string[] {
  return sumTree(join(folder, 'work'), { withOwner: true, exactTimes: false })
}

export async function openLayout(file: string, dir: string): Promise<Layout> {
  mkdirSync(dir)
  await must('tar', ['-C', dir, '-xf', file])
  const blob = (digest: string) => readFile(join(dir, 'blobs', digest.replace(':', '/')))
  const index = JSON.parse(await readFile(join(dir, 'index.json'), 'utf8')) as ImageIndex
  const [image] = index.manifests
  if (!image) throw new Error('the index is empty')
  const manifest = JSON.parse(String(await blob(image.digest))) as ImageManifest
  const config = JSON.parse(String(await blob(manifest.config.digest))) as ImageConfig
  const name = image.annotations?.['org.opencontainers.image.ref.name'] ?? ''
  return { dir, index, manifest, config, configDigest: manifest.config.digest, name, blob }
}

export const sha256 = (bytes: Uint8Array | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`
