import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { must } from '../../support/busybox-image.ts'
import { runChild } from '../../support/child.ts'
import { type Bench, type Row, writeScriptAgent } from '../bench.ts'
import { interleave, median, millisecondsOf } from '../measure.ts'

const FOLDERS = 1_000
const FILES_EACH = 100

/** About 1 kB per file, written by the shell itself: a program per file would take minutes. */
const MAKE = `text=$(seq 1 260 | tr "\\n" " "); d=0
while [ $d -lt ${FOLDERS} ]; do
  at=/workspace/tree/$((d % 20))/$d; mkdir -p $at; f=0
  while [ $f -lt ${FILES_EACH} ]; do echo "$d $f $text" > $at/$f; f=$((f + 1)); done
  d=$((d + 1))
done`

/** In each folder one file changed, one removed, one added: 3 000 in all. */
const CHANGE = `d=0
while [ $d -lt ${FOLDERS} ]; do
  at=/workspace/tree/$((d % 20))/$d; echo changed > $at/1; rm $at/2; echo added > $at/new
  d=$((d + 1))
done`

/**
 * Row 12: what two snapshots of 100 000 files differ in, by `icebox diff` with the start of its process, against
 * `diff -rq` of both trees, which were unpacked before. Warm is the listing of the layers that both snapshots have in
 * common, as any earlier look at one of them leaves it, and for both sides the page cache. Cold, in each round, is the
 * layer in which they differ: it is had from the engine and listed anew.
 */
export const diffRow: Row = async (bench) => {
  const home = bench.home.dir
  const agent = await writeScriptAgent(bench, 'differ', 'box', 'eval "$1"')
  const slug = await bench.api.startHeadless(agent, { prompt: MAKE, home })
  const trees = join(home, 'trees')
  try {
    const first = await bench.api.freeze(slug, { home })
    await bench.api.resumeHeadless(slug, { prompt: CHANGE, home })
    const second = await bench.api.freeze(slug, { home })
    const [from, to] = [`${slug}@${first.id}`, `${slug}@${second.id}`]
    await unpack(first.reference, join(trees, 'a'))
    await unpack(second.reference, join(trees, 'b'))
    await bench.home.must(['diff', from, from])
    const shared = await listings(bench)
    const compare = async () => {
      for (const file of await listings(bench)) if (!shared.has(file)) await rm(file)
      return millisecondsOf(async () => requireAll(await bench.home.must(['diff', from, to])))
    }
    const found = await interleave(compare, () => millisecondsOf(() => diffTrees(trees)), bench.rounds)
    const [ours, theirs] = [median(found.ours), median(found.theirs)]
    const isMet = ours <= theirs * 0.5
    return [
      {
        row: 12,
        measure: 'snapshot diff, 100 000 files',
        unit: 'ms',
        ours,
        theirs,
        target: '≤ 0.50×',
        isMet,
      },
    ]
  } finally {
    await rm(trees, { recursive: true, force: true })
    await bench.home.must(['destroy', slug, '--purge', '--yes'])
  }
}

async function listings(bench: Bench): Promise<ReadonlySet<string>> {
  const folder = join(bench.home.dir, 'icebox/cache/listings')
  return new Set((await readdir(folder)).map((name) => join(folder, name)))
}

/** A quick answer that is wrong is no answer. */
function requireAll({ json }: { readonly json: unknown }): void {
  const { totals } = json as { totals: { added: number; changed: number; removed: number } }
  const isRight = totals.added === FOLDERS && totals.changed === FOLDERS && totals.removed === FOLDERS
  if (!isRight) throw new Error(`the diff tells ${JSON.stringify(totals)}`)
}

async function unpack(reference: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const id = (await must('docker', ['create', reference, 'x'])).trim()
  try {
    await must('docker', ['export', '-o', `${folder}.tar`, id])
    await must('tar', ['-xf', `${folder}.tar`, '-C', folder, 'workspace'])
  } finally {
    await must('docker', ['rm', '-f', id])
    await rm(`${folder}.tar`, { force: true })
  }
}

async function diffTrees(trees: string): Promise<void> {
  const { exitCode, stdout } = await runChild('diff', ['-rq', 'a', 'b'], { cwd: trees, timeout: 600_000 })
  const lines = stdout.split('\n').length - 1
  if (exitCode !== 1 || lines !== 3 * FOLDERS)
    throw new Error(`diff -rq ended with ${exitCode} and ${lines} lines`)
}
