import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  deliveryScript,
  EXIT_QUESTION,
  GUEST_DIRS,
  parseDelivery,
} from '../../../../src-main/backends/smolmachines/guest-delivery.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'icebox-guest-'))
})
afterAll(() => rm(dir, { recursive: true }))

const [RUN, SHARED] = GUEST_DIRS

/** The delivery as a guest would take it, in a folder of the test's own that claims to be memory. */
async function deliver(place: string, script: string, memory = `m ${place}/run tmpfs rw`) {
  const mounts = join(place, 'mounts')
  await writeFile(mounts, `overlay / overlay rw\n${memory}\n`)
  const here = script
    .replaceAll(RUN, `${place}/run/icebox`)
    .replaceAll(SHARED, `${place}/shm/icebox`)
    .replaceAll('try /run ', `try ${place}/run `)
    .replaceAll('try /dev/shm ', `try ${place}/shm `)
    .replace('/proc/mounts', mounts)
  return spawnSync('/bin/sh', ['-s'], { input: here, cwd: '/', encoding: 'utf8' })
}

const text = fc
  .string({ unit: 'binary', maxLength: 60 })
  .filter((value) => !value.includes('\0') && value.isWellFormed())

describe('what a guest is given', () => {
  it('reaches the agent exactly, and is empty once it was read', { timeout: 60_000 }, async () => {
    const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{3,9}$/)
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { maxLength: 4 }),
        fc.dictionary(name, text, { maxKeys: 3, noNullPrototype: true }),
        async (words, secrets) => {
          const place = await mkdtemp(join(dir, 'run-'))
          const show = 'process.stdout.write(JSON.stringify([process.argv.slice(1),process.env]))'
          const argv = [process.execPath, '-e', show, '--', ...words]
          const made = await deliver(place, deliveryScript({ argv, env: {}, secrets }, join(place, 'work')))
          const told = parseDelivery(made.stdout)
          expect(told).toEqual({ dir: `${place}/run/icebox`, cwd: '/' })
          expect(existsSync(join(place, 'work'))).toBe(true)
          const run = spawnSync('/bin/sh', [`${told?.dir}/start`], {
            encoding: 'utf8',
            env: { PATH: '/usr/bin:/bin' },
          })
          const [given, env] = JSON.parse(run.stdout) as [string[], Record<string, string>]
          expect(given).toEqual(words)
          expect(env).toMatchObject(secrets)
          for (const file of ['env', 'argv']) expect(readFileSync(`${told?.dir}/${file}`, 'utf8')).toBe('')
        },
      ),
      { numRuns: 12 },
    )
  })

  it('lies in memory only: the second place where the first is a disk, else nowhere', async () => {
    const place = await mkdtemp(join(dir, 'run-'))
    const script = deliveryScript({ argv: ['true'], env: {}, secrets: { A: 'canary' } }, null)
    const second = await deliver(place, script, `m ${place}/shm tmpfs rw`)
    expect(parseDelivery(second.stdout)?.dir).toBe(`${place}/shm/icebox`)
    const nowhere = await deliver(place, script, `/dev/vda ${place}/run ext4 rw`)
    expect(nowhere.status).toBe(3)
    expect(parseDelivery(nowhere.stdout)).toBeNull()
    expect(existsSync(join(place, 'run'))).toBe(false)
  })

  it('puts files into the agent’s home before it begins', async () => {
    const place = await mkdtemp(join(dir, 'run-'))
    const recipe = {
      ...{ argv: ['cat', join(place, 'home/deep/note')], secrets: {} },
      ...{ env: { HOME: join(place, 'home') }, homeFiles: { 'deep/note': 'it’s here\n' } },
    }
    const told = parseDelivery((await deliver(place, deliveryScript(recipe, null))).stdout)
    const run = spawnSync('/bin/sh', [`${told?.dir}/start`], { encoding: 'utf8' })
    expect(run).toMatchObject({ status: 0, stdout: 'it’s here\n' })
  })

  it('leaves the agent’s exit code behind', async () => {
    const place = await mkdtemp(join(dir, 'run-'))
    const recipe = { argv: ['sh', '-c', 'exit 7'], env: {}, secrets: {} }
    const told = parseDelivery((await deliver(place, deliveryScript(recipe, null))).stdout)
    const ask = () =>
      spawnSync('/bin/sh', ['-c', EXIT_QUESTION, 'sh', told?.dir ?? ''], { encoding: 'utf8' }).stdout
    expect(ask()).toBe('')
    expect(spawnSync('/bin/sh', [`${told?.dir}/start`]).status).toBe(7)
    expect(ask()).toBe('7\n')
  })
})

describe('a signal', () => {
  it('reaches everything below the agent, and its end is told all the same', async () => {
    const place = await mkdtemp(join(dir, 'run-'))
    const script = 'sleep 300 & echo ready; wait; sleep 300'
    const recipe = { argv: ['sh', '-c', script], env: {}, secrets: {} }
    const told = parseDelivery((await deliver(place, deliveryScript(recipe, null))).stdout)
    const agent = spawn('/bin/sh', [`${told?.dir}/start`], { stdio: ['ignore', 'pipe', 'ignore'] })
    const ended = new Promise<number | null>((resolve) => agent.once('close', resolve))
    await new Promise((resolve) => agent.stdout.once('data', resolve))
    spawnSync('/bin/sh', [`${told?.dir}/signal`, 'TERM'])
    expect(await ended).toBe(143)
    expect(readFileSync(`${told?.dir}/exit`, 'utf8')).toBe('143\n')
  })

  it('with all takes the start script along', async () => {
    const place = await mkdtemp(join(dir, 'run-'))
    const recipe = { argv: ['sh', '-c', 'echo ready; sleep 300'], env: {}, secrets: {} }
    const told = parseDelivery((await deliver(place, deliveryScript(recipe, null))).stdout)
    const agent = spawn('/bin/sh', [`${told?.dir}/start`], { stdio: ['ignore', 'pipe', 'ignore'] })
    const ended = new Promise<string | null>((resolve) =>
      agent.once('close', (_code, signal) => resolve(signal)),
    )
    await new Promise((resolve) => agent.stdout.once('data', resolve))
    spawnSync('/bin/sh', [`${told?.dir}/signal`, 'KILL', 'all'])
    expect(await ended).toBe('SIGKILL')
    expect(existsSync(`${told?.dir}/exit`)).toBe(false)
  })

  describe('to an agent that begins processes all the time', () => {
    /** Its output closes when the last of them is gone. */
    const busyAgent = async () => {
      const place = await mkdtemp(join(dir, 'run-'))
      const script = 'echo ready; i=0; while [ $i -lt 150 ]; do sleep 30 & echo $((i += 1)); done; wait'
      const recipe = { argv: ['sh', '-c', script], env: {}, secrets: {} }
      const told = parseDelivery((await deliver(place, deliveryScript(recipe, null))).stdout)
      const agent = spawn('/bin/sh', [`${told?.dir}/start`], { stdio: ['ignore', 'pipe', 'ignore'] })
      let said = ''
      agent.stdout.on('data', (chunk: Buffer) => {
        said += chunk
      })
      const ended = once(agent, 'close')
      await once(agent.stdout, 'data')
      const send = (...words: string[]) => spawnSync('/bin/sh', [`${told?.dir}/signal`, ...words])
      return { agent, ended, said: () => said, send }
    }

    it('misses none', async () => {
      const { ended, send } = await busyAgent()
      send('KILL', 'all')
      await ended
    })

    it('makes all of them stand still until they may go on', async () => {
      const { agent, ended, said, send } = await busyAgent()
      send('STOP')
      const family = familyOf(agent.pid ?? 0)
      expect(family.length).toBeGreaterThan(1)
      expect(family.filter(({ state }) => state !== 'T')).toEqual([])
      const before = said()
      send('CONT')
      await expect.poll(() => said().length).toBeGreaterThan(before.length)
      send('KILL', 'all')
      await ended
    })
  })
})

/** Everything below a process, as the system has it now. */
function familyOf(top: number): readonly { readonly pid: number; readonly state: string }[] {
  const rows = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const [state = '', parent = ''] =
          /\) (\S) (\d+) [^)]*$/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.slice(1) ?? []
        return [{ pid: Number(name), parent: Number(parent), state }]
      } catch {
        // It ended while it was being looked at.
        return []
      }
    })
  const below = (parent: number): typeof rows =>
    rows.filter((row) => row.parent === parent).flatMap((row) => [row, ...below(row.pid)])
  return below(top)
}
