import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Snapshot } from '../../src-preload/contract/entities.ts'
import { makeBusyboxImage, must } from '../support/busybox-image.ts'
import { type IceboxHome, makeIceboxHome, OUT } from '../support/icebox-home.ts'
import { sweepEngine } from '../support/ledger.ts'
import { type RawEngine, rawEngine } from '../support/raw-engine.ts'
import type { Finding } from './measure.ts'

/** The built API, as a program that imports Icebox has it. */
interface Api {
  startHeadless(
    agent: string,
    options: { prompt: string; label?: string; home: string; signal?: AbortSignal },
  ): Promise<string>
  resumeHeadless(slug: string, options: { prompt: string; home: string }): Promise<void>
  freeze(slug: string, options: { home: string }): Promise<Snapshot>
  destroy(slug: string, options: { home: string }): Promise<void>
}

/** What a row gets: a state root of the bench's own, the built API and command, and the engine without a library. */
export interface Bench {
  readonly home: IceboxHome
  readonly api: Api
  readonly engine: RawEngine
  /** A busybox image of this run. */
  readonly image: string
  readonly rounds: number
  /** Ending of every name of this run, since names on an engine are shared by all. */
  readonly mark: string
  log(text: string): void
}

export type Row = (bench: Bench) => Promise<readonly Finding[]>

/** Runs some rows with a fresh state root and leaves nothing behind. */
export async function withBench<T>(rounds: number, use: (bench: Bench) => Promise<T>): Promise<T> {
  const mark = randomBytes(3).toString('hex')
  const image = `icebox-bench-${mark}:1`
  await makeBusyboxImage(image)
  const home = await makeIceboxHome()
  try {
    await home.writeBottle('box', `backend: docker\nimage: ${image}`)
    await home.writeBottle('here', 'backend: host')
    const api = (await import(pathToFileURL(join(OUT, 'main/api.js')).href)) as Api
    return await use({
      home,
      api,
      engine: rawEngine(),
      image,
      rounds,
      mark,
      log: (text) => process.stderr.write(`${text}\n`),
    })
  } finally {
    for (const { slug, state } of await listed(home))
      if (state === 'running') await home.icebox(['stop', slug, '--force'])
    const rootId = await home.rootId()
    if (rootId !== undefined) await sweepEngine(rootId)
    await must('docker', ['rmi', '-f', image])
    await home.remove()
  }
}

async function listed(
  home: IceboxHome,
): Promise<readonly { readonly slug: string; readonly state: string }[]> {
  const { json } = await home.icebox(['list'])
  return Array.isArray(json) ? json : []
}

/** An agent that runs a shell script; `{prompt}` is its `$1`. */
export async function writeScriptAgent(
  bench: Bench,
  name: string,
  bottle: string,
  script: string,
): Promise<string> {
  const full = `${name}-${bench.mark}`
  const command = `[sh, -c, '${script}', agent, '{prompt}']`
  await bench.home.writeAgent(
    full,
    `bottle: ${bottle}\nprovider: custom\ncommand:\n  headless: ${command}\n  resume: ${command}`,
  )
  return full
}

export interface RunningBottle {
  readonly slug: string
  /** Name of its container. */
  readonly container: string
  /** Runs a command in it; for changes that a freeze has to take up. */
  exec(script: string): Promise<string>
  end(): Promise<void>
}

/** Starts a bottle on Docker whose agent goes on until `end`. */
export async function startSitter(
  bench: Bench,
  options: { readonly bottle?: string; readonly script?: string } = {},
): Promise<RunningBottle> {
  const agent = await writeScriptAgent(
    bench,
    `sit${randomBytes(2).toString('hex')}`,
    options.bottle ?? 'box',
    options.script ?? 'while :; do sleep 1; done',
  )
  const stop = new AbortController()
  const running = bench.home.icebox(['start', agent, '--headless', '--prompt', 'x'], {
    signal: stop.signal,
    timeout: 3_600_000,
  })
  running.catch(() => undefined)
  const container = `bot-bottle-${agent}`
  await waitUntil(`${agent} runs`, async () => {
    const found = await bench.engine.call<{ State?: { Running?: boolean } }>(
      'GET',
      `/containers/${container}/json`,
      undefined,
      [404],
    )
    return found.State?.Running === true
  })
  await waitUntil(`${agent} is recorded`, async () =>
    (await listed(bench.home)).some((bottle) => bottle.slug === agent && bottle.state === 'running'),
  )
  return {
    slug: agent,
    container,
    exec: (script) => must('docker', ['exec', container, 'sh', '-c', script]),
    async end() {
      await bench.home.must(['destroy', agent, '--purge', '--yes'])
      stop.abort()
      await running.catch(() => undefined)
    },
  }
}

/** Asks again after every 2 ms. @throws Error after two minutes */
export async function waitUntil(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
