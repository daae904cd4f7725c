// `npm run soak`: one bottle, frozen and resumed over and over. What grows or slows down shows here.
import { parseArgs } from 'node:util'
import { median, millisecondsOf } from '../bench/measure.ts'
import { must } from '../support/busybox-image.ts'
import {
  makeWorld,
  makeWorldImage,
  removeWorldImage,
  type World,
  type WorldKind,
} from '../support/fault-world.ts'

const HELP = `npm run soak [-- --cycles N --backend docker|host]
  --cycles N   freeze–resume cycles of one bottle (default 150)
The build in out/ is tested. Ends with 1 when work is lost, or when the last cycles take twice the time of the first.`

interface Cycle {
  readonly freeze: number
  readonly resume: number
}

/** Each cycle adds a line, and every line ever written must still be there. */
async function cycle(world: World, slug: string, number: number): Promise<Cycle> {
  const freeze = await millisecondsOf(() => world.home.must(['freeze', slug]))
  const resume = await millisecondsOf(() =>
    world.home.must(['resume', slug, '--headless', '--prompt', `line-${number}`]),
  )
  const notes = await world.notes(slug)
  if (notes.length !== number + 1)
    throw new Error(`cycle ${number}: ${notes.length} lines, not ${number + 1}`)
  return { freeze, resume }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      cycles: { type: 'string', default: '150' },
      backend: { type: 'string', default: 'docker' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help || (values.backend !== 'docker' && values.backend !== 'host')) {
    console.log(HELP)
    return values.help ? 0 : 2
  }
  const kind: WorldKind = values.backend
  const image = kind === 'docker' ? await makeWorldImage() : ''
  const world = await makeWorld(kind, image)
  const cycles: Cycle[] = []
  try {
    const slug = await world.start('line-0')
    for (let number = 1; number <= Number(values.cycles); number++) {
      cycles.push(await cycle(world, slug, number))
      if (number % 10 === 0)
        console.log(
          `${number} cycles, freeze ${last(cycles, 'freeze')} ms, resume ${last(cycles, 'resume')} ms`,
        )
    }
    const problems = await world.problems()
    for (const problem of problems) console.log(`PROBLEM ${problem}`)
    if (kind === 'docker') console.log(`layers: ${await layers(world, slug)}`)
    return problems.length > 0 || slowsDown(cycles) ? 1 : 0
  } finally {
    await world.end()
    if (kind === 'docker') await removeWorldImage(image)
  }
}

function last(cycles: readonly Cycle[], part: keyof Cycle): string {
  return median(cycles.slice(-10).map((one) => one[part])).toFixed(0)
}

function slowsDown(cycles: readonly Cycle[]): boolean {
  const span = Math.max(5, Math.floor(cycles.length / 10))
  for (const part of ['freeze', 'resume'] as const) {
    const first = median(cycles.slice(0, span).map((one) => one[part]))
    const final = median(cycles.slice(-span).map((one) => one[part]))
    console.log(`${part}: first ${first.toFixed(0)} ms, last ${final.toFixed(0)} ms`)
    if (final > first * 2) return true
  }
  return false
}

async function layers(world: World, slug: string): Promise<number> {
  const newest = (await world.snapshots(slug)).at(-1)
  if (!newest) return 0
  const format = '{{len .RootFS.Layers}}'
  return Number(await must('docker', ['image', 'inspect', '--format', format, newest.reference]))
}

process.exitCode = await main()
