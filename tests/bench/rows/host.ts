import { randomBytes } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { must } from '../../support/busybox-image.ts'
import { type Row, writeScriptAgent } from '../bench.ts'
import { interleave, median, millisecondsOf } from '../measure.ts'

const FILES = 512
const FILE_BYTES = 2 * 1024 * 1024

/** Row 15: a freeze of a 1 GB workspace on the host, against `cp -a --reflink=auto` of the same folder. */
export const hostFreezeRow: Row = async (bench) => {
  const agent = await writeScriptAgent(bench, 'bulky', 'here', ':')
  const home = bench.home.dir
  const slug = await bench.api.startHeadless(agent, { prompt: 'x', home })
  const workspace = join(home, 'state', slug, 'live/workspace')
  for (let at = 0; at < FILES; at++) {
    const folder = join(workspace, `part-${at % 16}`)
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, `file-${at}`), randomBytes(FILE_BYTES))
  }
  await must('sync', [])
  const copy = join(home, 'copy')
  let changes = 0
  const found = await interleave(
    async () => {
      await writeFile(join(workspace, 'changes'), String(++changes))
      const took = await millisecondsOf(() => bench.api.freeze(slug, { home }))
      await must('sync', [])
      return took
    },
    async () => {
      const took = await millisecondsOf(() => must('cp', ['-a', '--reflink=auto', workspace, copy]))
      // Written out before it goes, as a snapshot is: the kernel slows down whoever comes after such a write.
      await must('sync', [])
      await rm(copy, { recursive: true })
      await must('sync', [])
      return took
    },
    bench.rounds,
  )
  await bench.home.must(['destroy', slug, '--purge', '--yes'])
  const [ours, theirs] = [median(found.ours), median(found.theirs)]
  return [
    {
      row: 15,
      measure: 'host freeze, 1 GB',
      unit: 'ms',
      ours,
      theirs,
      target: '≤ 1.10×',
      isMet: ours <= theirs * 1.1,
    },
  ]
}
