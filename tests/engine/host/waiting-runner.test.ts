import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { findProgram } from '../../../src-main/backends/local/find-program.ts'
import type { Multiplexer } from '../../../src-main/backends/local/multiplexer.ts'
import { screenMultiplexer } from '../../../src-main/backends/local/screen.ts'
import { makeRunFolder } from '../../../src-main/backends/local/start-runner.ts'
import { tmuxMultiplexer } from '../../../src-main/backends/local/tmux.ts'
import { isAlive } from '../../../src-main/system/process-identity.ts'
import { never, until } from './host-fixture.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

async function program(name: string): Promise<string> {
  const found = await findProgram(name, process.env.PATH ?? '')
  if (!found) throw new Error(`${name} is missing`)
  return found
}

const KEEPERS: Readonly<Record<string, () => Promise<Multiplexer>>> = {
  tmux: async () => tmuxMultiplexer(await program('tmux')),
  screen: async () => screenMultiplexer(await program('screen')),
}

for (const [name, open] of Object.entries(KEEPERS)) {
  const begin = async () => {
    const multiplexer = await open()
    const dir = await mkdtemp(join(tmpdir(), 'icebox-word-'))
    folders.push(dir)
    const run = {
      dir: join(dir, 'run'),
      exit: join(dir, 'run/exit.json'),
      runner: join(dir, 'run/runner.sh'),
      launch: join(dir, 'run/launch.sh'),
      log: join(dir, 'log'),
    }
    await makeRunFolder(run)
    const begun = join(dir, 'begun')
    const plan = {
      argv: ['/bin/sh', '-c', `: > ${begun}`],
      env: { PATH: '/usr/bin:/bin' },
      cwd: dir,
      indexFile: join(dir, 'index'),
    }
    const waiting = await multiplexer.start(run, plan, join(dir, 'address'), never())
    return { multiplexer, waiting, begun, started: join(run.dir, 'started'), address: join(dir, 'address') }
  }

  it(`begins the agent at its word (${name})`, async () => {
    const { multiplexer, waiting, begun, address } = await begin()
    await waiting.go()
    await until('the agent begins', () => exists(begun))
    await until('the runner ends', async () => !(await isAlive(waiting.identity)))
    await multiplexer.end(address)
  })

  it(`never begins the agent when its terminal ends before the word (${name})`, async () => {
    const { multiplexer, waiting, begun, started, address } = await begin()
    await multiplexer.end(address)
    await until('the runner ends', async () => !(await isAlive(waiting.identity)))
    expect([await exists(started), await exists(begun)]).toEqual([false, false])
  })
}
