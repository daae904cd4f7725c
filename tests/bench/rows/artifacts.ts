import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Snapshot } from '../../../src-preload/contract/entities.ts'
import { must } from '../../support/busybox-image.ts'
import { type Bench, type Row, writeScriptAgent } from '../bench.ts'
import { makeBigImage } from '../big-image.ts'
import { type Finding, interleave, median, millisecondsOf } from '../measure.ts'

const GIGABYTE = 1e9
/** The agent's own work: what is new above the base. */
const NEW_WORK = 'head -c 5000000 /dev/urandom > /workspace/new'

interface Frozen {
  readonly slug: string
  readonly snapshot: Snapshot
}

/**
 * Row 5: a full export of an image of 1 GB into a file that is on the disk at the end, the store empty before each
 * round, against what a person would type. Both sides end with the file flushed.
 */
export const exportRow: Row = async (bench) =>
  withBigBottles(bench, 1, async ([frozen]) => [
    ...(await fullExport(bench, frozen, 'zstd', 'zstd -3 -T0 -q', 1)),
    ...(await fullExport(bench, frozen, 'gzip', 'gzip -6', 0.6)),
  ])

async function fullExport(
  bench: Bench,
  frozen: Frozen,
  codec: 'zstd' | 'gzip',
  packer: string,
  limit: number,
): Promise<readonly Finding[]> {
  const [mine, theirs] = [join(bench.home.dir, 'ours'), join(bench.home.dir, 'theirs')]
  const found = await interleave(
    async () => {
      await rm(mine, { force: true })
      await emptyStore(bench)
      return millisecondsOf(() => exportTo(bench, frozen, mine, codec))
    },
    () => millisecondsOf(() => pipeTo(frozen, theirs, packer)),
    bench.rounds,
  )
  const time = [median(found.ours), median(found.theirs)] as const
  const bytes = [(await stat(mine)).size / 1e6, (await stat(theirs)).size / 1e6] as const
  await Promise.all([rm(mine), rm(theirs)])
  const what = `full export, 1 GB, ${codec}`
  const size: Finding = {
    row: 5,
    measure: `${what}: file`,
    unit: 'MB',
    ours: bytes[0],
    theirs: bytes[1],
    target: '≤ 1.02×',
    isMet: bytes[0] <= bytes[1] * 1.02,
  }
  const speed: Finding = {
    row: 5,
    measure: what,
    unit: 'ms',
    ours: time[0],
    theirs: time[1],
    target: `≤ ${limit.toFixed(2)}×`,
    isMet: time[0] <= time[1] * limit,
  }
  return codec === 'zstd' ? [speed, size] : [speed]
}

/**
 * Row 6: an export of a snapshot whose base and whose sibling the store holds, and whose own layer it does not. That
 * layer is had by letting the engine push to a port of ours until it has sent what is missing (docs/decisions/0012):
 * nobody reads or writes the gigabyte below it in the engine.
 */
export const siblingRow: Row = async (bench) =>
  withBigBottles(bench, 2, async ([first, second]) => {
    const file = (name: string) => join(bench.home.dir, name)
    await emptyStore(bench)
    await exportTo(bench, first, file('first'), 'zstd')
    await rm(file('first'))
    await keepStore(bench)
    const timeOf =
      (name: string, ...flags: string[]) =>
      async (): Promise<number> => {
        await rm(file(name), { force: true })
        await restoreStore(bench)
        return millisecondsOf(() => exportTo(bench, second, file(name), 'zstd', ...flags))
      }
    const pipe = () => millisecondsOf(() => pipeTo(second, file('theirs'), 'zstd -3 -T0 -q'))
    const full = await interleave(timeOf('full'), pipe, bench.rounds)
    const thin = await interleave(timeOf('thin', '--thin'), async () => 0, bench.rounds)
    const theirs = median(full.theirs)
    const megabytes = async (name: string) => (await stat(file(name))).size / 1e6
    const [thinBytes, allBytes] = [await megabytes('thin'), await megabytes('theirs')]
    const speed = (measure: string, ours: number): Finding => ({
      row: 6,
      measure,
      unit: 'ms',
      ours,
      theirs,
      target: '≤ 0.10×',
      isMet: ours <= theirs / 10,
    })
    return [
      speed('sibling, full', median(full.ours)),
      speed('sibling, thin', median(thin.ours)),
      {
        row: 6,
        measure: 'sibling, thin: file',
        unit: 'MB',
        ours: thinBytes,
        theirs: allBytes,
        target: '≤ 0.02×',
        isMet: thinBytes <= allBytes * 0.02,
      },
    ]
  })

/** Frozen bottles on one image of a gigabyte, each with 5 MB of its own. */
async function withBigBottles<T>(
  bench: Bench,
  count: 1 | 2,
  use: (frozen: [Frozen, Frozen]) => Promise<T>,
): Promise<T> {
  const image = `icebox-bench-${bench.mark}-big:1`
  bench.log('  making an image of 1 GB')
  await makeBigImage(image, bench.image, GIGABYTE)
  try {
    await bench.home.writeBottle('big', `backend: docker\nimage: ${image}`)
    const agent = await writeScriptAgent(bench, 'maker', 'big', NEW_WORK)
    const { home } = bench
    const frozen: Frozen[] = []
    for (let at = 0; at < count; at++) {
      const label = `big-${at}-${bench.mark}`
      const slug = await bench.api.startHeadless(agent, { prompt: 'x', label, home: home.dir })
      frozen.push({ slug, snapshot: await bench.api.freeze(slug, { home: home.dir }) })
    }
    const [first, second = first] = frozen
    if (!first || !second) throw new Error('nothing was frozen')
    try {
      return await use([first, second])
    } finally {
      for (const { slug } of frozen) await home.must(['destroy', slug, '--purge', '--yes'])
    }
  } finally {
    await must('docker', ['rmi', '-f', image])
  }
}

async function exportTo(
  bench: Bench,
  { slug }: Frozen,
  file: string,
  codec: 'zstd' | 'gzip',
  ...flags: readonly string[]
): Promise<void> {
  await bench.home.must(['export', slug, '--compress', codec, '--scrub', 'keep', '-o', file, ...flags], {
    timeout: 600_000,
  })
  await must('sync', [file])
}

async function pipeTo({ snapshot }: Frozen, file: string, packer: string): Promise<void> {
  // Names are our own; there is no other way to a shell's pipe than its text.
  await must('sh', ['-c', `docker save "$0" | ${packer} > "$1" && sync "$1"`, snapshot.reference, file])
}

const STORE = ['artifacts', 'icebox/layers', 'icebox/cache'] as const

async function emptyStore(bench: Bench): Promise<void> {
  for (const folder of STORE) await rm(join(bench.home.dir, folder), { recursive: true, force: true })
}

/** A copy on the same disk by hard links: blobs never change. */
async function keepStore(bench: Bench): Promise<void> {
  for (const folder of STORE) await linkTree(bench, folder, `kept/${folder}`)
}

async function restoreStore(bench: Bench): Promise<void> {
  await emptyStore(bench)
  for (const folder of STORE) await linkTree(bench, `kept/${folder}`, folder)
}

async function linkTree(bench: Bench, from: string, to: string): Promise<void> {
  const [source, target] = [join(bench.home.dir, from), join(bench.home.dir, to)]
  if (!(await stat(source).catch(() => null))) return
  await must('mkdir', ['-p', join(target, '..')])
  await must('cp', ['-al', source, target])
}
