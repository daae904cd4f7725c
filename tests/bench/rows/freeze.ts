import { type Bench, type Row, type RunningBottle, startSitter, writeScriptAgent } from '../bench.ts'
import { type Finding, interleave, median, millisecondsOf } from '../measure.ts'

/** Row 1: a freeze through the API against the engine's own commit of the same container. */
export const freezeRow: Row = async (bench) => [
  await freezeAgainstCommit(bench, 'freeze, small diff', 'echo small > /workspace/small'),
  await freezeAgainstCommit(
    bench,
    'freeze, 256 MB diff',
    'dd if=/dev/urandom of=/workspace/big bs=1M count=256',
  ),
]

async function freezeAgainstCommit(bench: Bench, measure: string, prepare: string): Promise<Finding> {
  const bottle = await startSitter(bench)
  try {
    await bottle.exec(prepare)
    const commit = rawCommit(bench, bottle)
    const found = await interleave(
      async () => {
        await touch(bottle)
        return millisecondsOf(() => bench.api.freeze(bottle.slug, { home: bench.home.dir }))
      },
      async () => {
        await touch(bottle)
        return millisecondsOf(commit.run)
      },
      bench.rounds,
    )
    await commit.clean()
    const [ours, theirs] = [median(found.ours), median(found.theirs)]
    const isMet = ours <= theirs * 1.1 + 15
    return { row: 1, measure, unit: 'ms', ours, theirs, target: '≤ 1.10× + 15 ms', isMet }
  } finally {
    await bottle.end()
  }
}

/** An unchanged bottle needs no new snapshot, so each round changes one byte. */
async function touch(bottle: RunningBottle): Promise<void> {
  await bottle.exec('echo . >> /workspace/changes')
}

function rawCommit(bench: Bench, bottle: RunningBottle) {
  let count = 0
  const repo = `icebox-bench-${bench.mark}-raw`
  return {
    run: () =>
      bench.engine.call(
        'POST',
        `/commit?container=${bottle.container}&repo=${repo}&tag=${++count}&pause=1`,
        {},
      ),
    async clean() {
      for (; count > 0; count--) await bench.engine.call('DELETE', `/images/${repo}:${count}?force=1`)
    },
  }
}

/** Prints a line for each tick that came late: when the gap began and how long it was, in milliseconds of one clock. */
const TICKER = `let last = process.hrtime.bigint()
setInterval(() => {
  const now = process.hrtime.bigint()
  if (now - last > 3000000n) console.log(Number(last) / 1e6 + " " + Number(now - last) / 1e6)
  last = now
}, 1)
`

/** Row 2: the longest time that a process inside stands still while it is frozen, against the raw commit's pause. */
export const standStillRow: Row = async (bench) => {
  const { makeNodeImage } = await import('../node-image.ts')
  const image = await makeNodeImage(bench, TICKER)
  try {
    await bench.home.writeBottle('ticking', `backend: docker\nimage: ${image}`)
    const bottle = await startSitter(bench, { bottle: 'ticking', script: 'exec /node /ticker.cjs' })
    try {
      await bottle.exec('dd if=/dev/urandom of=/workspace/big bs=1M count=64')
      const commit = rawCommit(bench, bottle)
      const longestGap = async (work: () => Promise<unknown>): Promise<number> => {
        await touch(bottle)
        const from = Number(process.hrtime.bigint()) / 1e6
        await work()
        const to = Number(process.hrtime.bigint()) / 1e6
        const lines = (
          await bench.engine.call<string>('GET', `/containers/${bottle.container}/logs?stdout=1&tail=200`)
        ).split('\n')
        // The engine frames each line with eight bytes.
        const gaps = lines
          .map((line) => /(\d+\.?\d*) (\d+\.?\d*)$/.exec(line))
          .flatMap((match) => {
            const at = Number(match?.[1])
            const gap = Number(match?.[2])
            return at + gap > from && at < to ? [gap] : []
          })
        return Math.max(1, ...gaps)
      }
      const found = await interleave(
        () => longestGap(() => bench.api.freeze(bottle.slug, { home: bench.home.dir })),
        () => longestGap(commit.run),
        bench.rounds,
      )
      await commit.clean()
      const [ours, theirs] = [median(found.ours), median(found.theirs)]
      const target = '≤ 1.00× (5 % for noise)'
      return [
        {
          row: 2,
          measure: 'agent stands still',
          unit: 'ms',
          ours,
          theirs,
          target,
          isMet: ours <= theirs * 1.05,
        },
      ]
    } finally {
      await bottle.end()
    }
  } finally {
    await bench.engine.call('DELETE', `/images/${image}?force=1`)
  }
}

interface Inspected {
  readonly Id: string
  readonly Image: string
  readonly State: { readonly StartedAt: string }
}

/**
 * Row 3: from the call to the agent's process running, against create and start of the same image. Once with nothing
 * to freeze first, and once with work that is newer than the snapshot, against the raw commit of it as well.
 */
export const resumeRow: Row = async (bench) => [
  await resumeAgainstCreate(bench, 'resume, call to running', false),
  await resumeAgainstCreate(bench, 'the same, newer work frozen first', true),
]

async function resumeAgainstCreate(bench: Bench, measure: string, isNewer: boolean): Promise<Finding> {
  const { home } = bench
  const agent = await writeScriptAgent(bench, 'brief', 'box', ':')
  const slug = await bench.api.startHeadless(agent, { prompt: 'x', home: home.dir })
  const snapshot = await bench.api.freeze(slug, { home: home.dir })
  const wall = () => performance.timeOrigin + performance.now()
  const startedAt = async (container: string) => {
    const { State } = await bench.engine.call<Inspected>('GET', `/containers/${container}/json`)
    return Date.parse(State.StartedAt)
  }
  const raw = `icebox-bench-${bench.mark}-raw`
  let commits = 0
  const found = await interleave(
    async () => {
      if (!isNewer) await bench.api.freeze(slug, { home: home.dir })
      const from = wall()
      await bench.api.resumeHeadless(slug, { prompt: 'x', home: home.dir })
      return (await startedAt(`bot-bottle-${slug}`)) - from
    },
    async () => {
      const from = wall()
      if (isNewer) {
        const query = `container=bot-bottle-${slug}&repo=${raw}&tag=${++commits}`
        await bench.engine.call('POST', `/commit?${query}`, {})
      }
      const body = { Image: snapshot.reference, Cmd: ['sh', '-c', ':'] }
      await bench.engine.call('POST', `/containers/create?name=${raw}`, body)
      await bench.engine.call('POST', `/containers/${raw}/start`)
      const took = (await startedAt(raw)) - from
      await bench.engine.call('DELETE', `/containers/${raw}?force=1`)
      return took
    },
    bench.rounds,
  )
  for (; commits > 0; commits--) await bench.engine.call('DELETE', `/images/${raw}:${commits}?force=1`)
  await bench.api.destroy(slug, { home: home.dir })
  const [ours, theirs] = [median(found.ours), median(found.theirs)]
  return { row: 3, measure, unit: 'ms', ours, theirs, target: '≤ 1.15×', isMet: ours <= theirs * 1.15 }
}
