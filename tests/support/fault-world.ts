import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bottle, Snapshot } from '../../src-preload/contract/entities.ts'
import { makeBusyboxImage, must } from './busybox-image.ts'
import { type IceboxHome, makeIceboxHome } from './icebox-home.ts'
import { problemsOf, sweepEngine } from './ledger.ts'

export type WorldKind = 'docker' | 'host'

/** A state root with two agents, whose names are its own, since names on an engine are shared by all. */
export interface World {
  readonly kind: WorldKind
  /** Adds its prompt to notes.txt, prints it all and ends. */
  readonly worker: string
  /** Does so and stays. */
  readonly sitter: string
  readonly home: IceboxHome
  /** The same state root; each command is a process of its own, for where several meet. */
  readonly crowd: IceboxHome
  /** Starts a worker, waits for its end and returns the slug. */
  start(marker: string): Promise<string>
  /** Starts a sitter and returns once it runs and has written its marker. */
  startRunning(marker: string): Promise<string>
  list(): Promise<readonly Bottle[]>
  snapshots(slug: string): Promise<readonly Snapshot[]>
  /** The notes that the last run printed. */
  notes(slug: string): Promise<readonly string[]>
  /** Waits until no agent works any more: one that a killed command had begun is not over with it. */
  quiet(): Promise<void>
  /** Everything that recovery owes, asked of the next command until it holds or ten seconds are over. */
  problems(): Promise<readonly string[]>
  /** Resumes one snapshot and returns what it holds. */
  markersIn(slug: string, snapshotId: string): Promise<readonly string[]>
  /** Resumes every snapshot there is and returns what each holds. */
  markersHeld(slug: string): Promise<ReadonlyMap<string, readonly string[]>>
  /** From now on a sitter ends by itself, so that its snapshots can be probed headless. */
  replaceSitter(): Promise<void>
  /** Folders of starts that never came to be. */
  halfMade(): Promise<readonly string[]>
  end(): Promise<void>
}

const NOTE = 'echo "$1" >> notes.txt; cat notes.txt'
const agentFront = (script: string) => `bottle: box
provider: custom
command:
  headless: [sh, -c, '${script}', agent, '{prompt}']
  resume: [sh, -c, '${script}', agent, '{prompt}']`

/** Makes the image that Docker worlds run; the caller removes it with `removeWorldImage`. */
export async function makeWorldImage(): Promise<string> {
  const tag = `icebox-test-${randomBytes(4).toString('hex')}:1`
  await makeBusyboxImage(tag)
  return tag
}

export async function removeWorldImage(tag: string): Promise<void> {
  await must('docker', ['rmi', '-f', tag])
}

export interface WorldOptions {
  /** Puts the state root into an existing folder. */
  readonly at?: string
  /** Only commands that are to die or stay in the background are processes of their own; not where several meet. */
  readonly inProcess?: boolean
}

/** Builds a world. `image` matters for Docker only. */
export async function makeWorld(
  kind: WorldKind,
  image: string,
  { at, inProcess = false }: WorldOptions = {},
): Promise<World> {
  const home = await makeIceboxHome(at, { inProcess })
  const crowd = inProcess ? await makeIceboxHome(home.dir) : home
  await home.writeBottle('box', kind === 'docker' ? `backend: docker\nimage: ${image}` : 'backend: host')
  const mark = randomBytes(3).toString('hex')
  const worker = `worker-${mark}`
  const sitter = `sitter-${mark}`
  await home.writeAgent(worker, agentFront(NOTE))
  await home.writeAgent(sitter, agentFront(`${NOTE}; while :; do sleep 1; done`))
  const background: { readonly stop: AbortController; readonly done: Promise<unknown> }[] = []

  const list = async () => (await home.must(['list'])).json as readonly Bottle[]
  const snapshots = async (slug: string) => (await home.must(['snapshots', slug])).json as readonly Snapshot[]
  const notes = async (slug: string) => {
    const { text } = (await home.must(['logs', slug])).json as { readonly text: string }
    return text.split('\n').filter((line) => line !== '')
  }
  const markersIn = async (slug: string, snapshotId: string) => {
    await home.must(['resume', `${slug}@${snapshotId}`, '--headless', '--prompt', 'probe'])
    return notes(slug)
  }
  const problems = async () => {
    const deadline = Date.now() + 10_000
    for (;;) {
      await list()
      const found = await problemsOf(home, kind === 'docker')
      if (found.length === 0 || Date.now() > deadline) return found
      await sleep(250)
    }
  }

  return {
    kind,
    worker,
    sitter,
    home,
    crowd,
    list,
    snapshots,
    notes,
    problems,
    async quiet() {
      await until('no agent works', async () =>
        (await list()).some(({ state }) => state === 'running') ? undefined : true,
      )
    },
    async start(marker) {
      const { json } = await home.must(['start', worker, '--headless', '--prompt', marker])
      return (json as { slug: string }).slug
    },
    async startRunning(marker) {
      const before = new Set((await list()).map((bottle) => bottle.slug))
      const stop = new AbortController()
      const started = home.icebox(['start', sitter, '--headless', '--prompt', marker], {
        signal: stop.signal,
        timeout: 600_000,
      })
      const done = started.catch(() => undefined)
      background.push({ stop, done })
      return await until(`a sitter with ${marker} runs`, async () => {
        const found = (await list()).find((bottle) => !before.has(bottle.slug) && bottle.state === 'running')
        if (!found) return undefined
        return (await notes(found.slug)).includes(marker) ? found.slug : undefined
      })
    },
    markersIn,
    async markersHeld(slug) {
      const held = new Map<string, readonly string[]>()
      for (const { id } of await snapshots(slug)) held.set(id, await markersIn(slug, id))
      return held
    },
    replaceSitter: () => home.writeAgent(sitter, agentFront(NOTE)),
    halfMade: async () => (await readdir(join(home.dir, 'state'))).filter((name) => name.startsWith('.')),
    async end() {
      for (const { stop } of background) stop.abort()
      await Promise.all(background.map(({ done }) => done))
      const rootId = await home.rootId()
      if (kind === 'docker' && rootId !== undefined) await sweepEngine(rootId)
      // Host agents are processes of this machine; destroying is what ends them.
      if (kind === 'host') {
        for (const { slug, state } of await list())
          if (state === 'running') await home.must(['destroy', slug, '--purge', '--yes'])
      }
      await home.remove()
    },
  }
}

/** Asks again until there is an answer. @throws Error after a minute, naming what was waited for */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  timeout = 60_000,
): Promise<T> {
  const deadline = Date.now() + timeout
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await sleep(100)
  }
}

/** Runs a command with a deadly fault point and tells whether it came there. */
export async function diesAt(world: World, fault: string, args: readonly string[]): Promise<boolean> {
  const { code, stderr } = await world.home.icebox(args, { fault: `${fault}:kill` })
  if (code !== null && code !== 0) throw new Error(`icebox ${args.join(' ')} ended with ${code}\n${stderr}`)
  return code === null
}

/** As `diesAt`, and a point that is not reached is an error: the test would prove nothing. */
export async function dieAt(world: World, fault: string, args: readonly string[]): Promise<void> {
  if (!(await diesAt(world, fault, args))) throw new Error(`icebox ${args.join(' ')} never passed ${fault}`)
}
