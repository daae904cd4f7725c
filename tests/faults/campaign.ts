// `npm run faults`: kill -9 at random times, far more often than `npm test` does.
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { must } from '../support/busybox-image.ts'
import { endProcess } from '../support/child.ts'
import {
  makeWorld,
  makeWorldImage,
  removeWorldImage,
  type World,
  type WorldKind,
} from '../support/fault-world.ts'
import { OUT } from '../support/icebox-home.ts'

const HELP = `npm run faults [-- --kills N --backend docker|host --load MB]
  --kills N    how many commands are killed at a random moment (default 50)
  --backend B  where the bottles run (default docker)
  --load MB    changes that the running bottle holds, so that freezes take their time (default 300)
The build in out/ is tested. Ends with 1 when anything was lost, stood still or was left behind.`

type Operation = 'freeze' | 'resume' | 'fork' | 'start' | 'destroy'
const OPERATIONS: readonly Operation[] = ['freeze', 'freeze', 'resume', 'fork', 'start', 'destroy']

/** Milliseconds within which a kill is likely to come while the command is at work. */
const LONGEST: Readonly<Record<WorldKind, { readonly freeze: number; readonly other: number }>> = {
  docker: { freeze: 4000, other: 1500 },
  host: { freeze: 500, other: 500 },
}

interface Tally {
  kills: number
  /** Commands that had ended by themselves before their time came. */
  tooLate: number
  readonly problems: string[]
}

/** Starts a command and kills it after so many milliseconds; true when it was still at work. */
async function killAfter(world: World, args: readonly string[], milliseconds: number): Promise<boolean> {
  const child = spawn(process.execPath, [join(OUT, 'main/cli.js'), ...args, '--json'], {
    cwd: join(world.home.dir, 'cwd'),
    env: { ...process.env, ICEBOX_HOME: world.home.dir },
    stdio: 'ignore',
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const timer = setTimeout(() => child.pid !== undefined && endProcess(child.pid), milliseconds)
  const code = await ended
  clearTimeout(timer)
  return code === null
}

function argsOf(operation: Operation, world: World, running: string, resting: string): readonly string[] {
  if (operation === 'freeze') return ['freeze', running]
  if (operation === 'resume') return ['resume', resting, '--headless', '--prompt', 'again']
  if (operation === 'fork') return ['fork', resting, '--headless', '--prompt', 'branch']
  if (operation === 'destroy') return ['destroy', resting, '--yes']
  return ['start', world.worker, '--headless', '--prompt', 'extra']
}

/** One kill at a random moment, and everything that must hold after the next command. */
async function round(world: World, running: string, resting: string, tally: Tally): Promise<void> {
  const operation = OPERATIONS[randomInt(OPERATIONS.length)] ?? 'freeze'
  const milliseconds = randomInt(20, LONGEST[world.kind][operation === 'freeze' ? 'freeze' : 'other'])
  if (operation === 'freeze' && world.kind === 'docker') {
    await must('docker', ['exec', `bot-bottle-${running}`, 'sh', '-c', 'echo . >> /workspace/changes'])
  }
  const wasAtWork = await killAfter(world, argsOf(operation, world, running, resting), milliseconds)
  tally.kills += 1
  if (!wasAtWork) tally.tooLate += 1
  const what = `${operation} killed after ${milliseconds} ms`
  for (const problem of await world.problems()) tally.problems.push(`${what}: ${problem}`)
  const bottles = await world.list()
  const alive = bottles.find((bottle) => bottle.slug === running)
  if (alive?.state !== 'running') tally.problems.push(`${what}: ${running} is ${alive?.state ?? 'gone'}`)
  if (!bottles.some((bottle) => bottle.slug === resting)) await world.home.must(['trash', 'undo', resting])
  await dropStrays(world, new Set([running, resting]))
}

/** What the killed starts and forks left as whole bottles is theirs to keep, but would fill the machine. */
async function dropStrays(world: World, kept: ReadonlySet<string>): Promise<void> {
  for (const { slug } of await world.list()) {
    if (!kept.has(slug)) await world.home.must(['destroy', slug, '--purge', '--yes'])
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '50' },
      backend: { type: 'string', default: 'docker' },
      load: { type: 'string', default: '300' },
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
  const tally: Tally = { kills: 0, tooLate: 0, problems: [] }
  const started = Date.now()
  try {
    const resting = await world.start('marker')
    await world.home.must(['freeze', resting])
    const running = await world.startRunning('alive')
    if (kind === 'docker') {
      const load = `dd if=/dev/urandom of=/workspace/load bs=1M count=${Number(values.load)}`
      await must('docker', ['exec', `bot-bottle-${running}`, 'sh', '-c', load])
    }
    for (let count = 0; count < Number(values.kills); count++) {
      await round(world, running, resting, tally)
      if ((count + 1) % 10 === 0) console.log(`${count + 1} kills, ${tally.problems.length} problems`)
    }
    for (const [id, markers] of await world.markersHeld(resting)) {
      if (!markers.includes('marker')) tally.problems.push(`${resting}@${id} lost its marker`)
    }
    await probeRunning(world, running, tally)
  } finally {
    await world.end()
    if (kind === 'docker') await removeWorldImage(image)
  }
  for (const problem of tally.problems) console.log(`PROBLEM ${problem}`)
  const seconds = Math.round((Date.now() - started) / 1000)
  console.log(
    `${tally.kills} kills on ${kind} (${tally.tooLate} came too late), ${tally.problems.length} problems, ${seconds} s`,
  )
  return tally.problems.length > 0 ? 1 : 0
}

/** Every snapshot of the bottle that ran all the while must boot and hold what it held. */
async function probeRunning(world: World, running: string, tally: Tally): Promise<void> {
  await world.home.must(['stop', running, '--force'])
  await world.replaceSitter()
  for (const [id, markers] of await world.markersHeld(running)) {
    if (!markers.includes('alive')) tally.problems.push(`${running}@${id} lost its marker`)
  }
}

process.exitCode = await main()
