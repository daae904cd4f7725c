import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { must } from '../../support/busybox-image.ts'
import { type Row, writeScriptAgent } from '../bench.ts'
import { makeBigImage } from '../big-image.ts'
import { interleave, median, millisecondsOf } from '../measure.ts'

const IMAGE_BYTES = 1e9

/** Row 7: import of a 1 GB gzip artifact against `docker load` of the same file, into an engine that has none of it. */
export const importRow: Row = async (bench) => {
  const { home } = bench
  const file = join(home.dir, 'big.bottle')
  await makeArtifact(bench, file)
  const tag = await savedTag(file)
  const found = await interleave(
    async () => {
      let slug = ''
      const took = await millisecondsOf(async () => {
        const { json } = await home.must(['import', file], { timeout: 1_800_000 })
        slug = (json as { slug: string }).slug
      })
      await home.must(['destroy', slug, '--purge', '--yes'], { timeout: 600_000 })
      // What a store keeps would make the next import a smaller piece of work than a load.
      await rm(join(home.dir, 'artifacts'), { recursive: true, force: true })
      await must('sync', [])
      bench.log(`  import ${Math.round(took)} ms`)
      return took
    },
    async () => {
      const took = await millisecondsOf(() => must('docker', ['load', '-q', '-i', file]))
      await must('docker', ['rmi', '-f', tag])
      await must('sync', [])
      bench.log(`  docker load ${Math.round(took)} ms`)
      return took
    },
    bench.rounds,
  )
  const [ours, theirs] = [median(found.ours), median(found.theirs)]
  return [
    {
      row: 7,
      measure: 'import of a 1 GB artifact, gzip',
      unit: 'ms',
      ours,
      theirs,
      target: '≤ 1.10×',
      isMet: ours <= theirs * 1.1,
    },
  ]
}

/** Freezes a bottle on a big image, exports it, and takes image and bottle away from the engine again. */
async function makeArtifact(bench: Parameters<Row>[0], file: string): Promise<void> {
  const { home } = bench
  const big = `icebox-bench-${bench.mark}:import`
  await makeBigImage(big, bench.image, IMAGE_BYTES)
  try {
    await home.writeBottle('big', `backend: docker\nimage: ${big}`)
    const agent = await writeScriptAgent(bench, 'carried', 'big', 'echo work > /work.txt')
    const slug = await bench.api.startHeadless(agent, { prompt: 'x', home: home.dir })
    await bench.api.freeze(slug, { home: home.dir })
    await home.must(['export', slug, '-o', file], { timeout: 1_800_000 })
    await home.must(['destroy', slug, '--purge', '--yes'], { timeout: 600_000 })
    await rm(join(home.dir, 'artifacts'), { recursive: true, force: true })
  } finally {
    await must('docker', ['rmi', '-f', big])
  }
}

/** The name under which `docker load` keeps the image, as the archive's own list says. */
async function savedTag(file: string): Promise<string> {
  const list = await must('tar', ['-xOf', file, 'manifest.json'])
  const [image] = JSON.parse(list) as { readonly RepoTags?: readonly string[] }[]
  const tag = image?.RepoTags?.[0]
  if (tag === undefined) throw new Error(`${file} names no image`)
  return tag
}
