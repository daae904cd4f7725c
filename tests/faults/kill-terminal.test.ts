import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runChild } from '../support/child.ts'
import { problemsOf } from '../support/ledger.ts'
import { makeSupervisedWorld, type SupervisedWorld, until } from '../support/supervised-world.ts'

const never = new AbortController().signal

/** The points that a start passes, on this machine. */
const POINTS = [
  'start:before-reserve',
  'start:after-reserve',
  'start:after-create',
  'start:after-start',
  'start:after-launch',
  'start:after-record',
]

let world: SupervisedWorld

beforeAll(async () => {
  world = await makeSupervisedWorld({ work: 0 })
  await world.supervise()
  await world.agent('kept', 'runtime: claude-code')
})
afterAll(() => world.dispose())

/** Agents and terminals of this root that live. */
async function processes(): Promise<readonly string[]> {
  const { stdout } = await runChild('ps', ['-eo', 'pid=,args='], { timeout: 10_000 })
  return stdout.split('\n').filter((line) => line.includes(`${world.home.dir}/state/`))
}

describe('weakness 18: a crash in the middle of a start leaves no orphan', () => {
  test.each(POINTS)('kill -9 at %s', async (point) => {
    const label = point.replace(':', '-')
    const killed = await world.home.icebox(['start', 'kept', '--label', label, '--allow-missing-secrets'], {
      fault: `${point}:kill`,
      env: { PATH: world.env.PATH ?? '' },
    })
    expect(killed.code, killed.stderr).toBeNull()
    await world.icebox.bottles.recover(world.context())
    const look = async () => (await world.icebox.bottles.rows([label], never)).get(label)
    // The supervisor may be at work on it as well.
    await until('it is settled', async () => (await look())?.state !== 'starting')
    const row = await look()
    if (row) {
      // It came so far that it runs: then it is recorded, once, and can be ended as any other.
      expect(row.state).toBe('running')
      expect((await world.newestRun(label)).order).toMatchObject({ runtime: 'terminal' })
      expect((await world.newestRun(label)).order?.sessionId).toMatch(/^[0-9a-f-]{36}$/)
      await until('it started', async () => (await world.life(label)).some((line) => line.includes('ready')))
      expect((await world.life(label)).filter((line) => line.startsWith('start '))).toHaveLength(1)
      await world.icebox.bottles.destroy({ slug: label, purge: true }, world.context())
    }
    expect(await problemsOf(world.home, false)).toEqual([])
    await until('nothing of it lives', async () => (await processes()).length === 0)
    expect(await readdir(world.icebox.root.path('state'))).toEqual([])
    // And the name is free for the next one.
    expect(await world.begin('kept', label)).toBe(label)
    await world.icebox.bottles.destroy({ slug: label, purge: true }, world.context())
  })
})
