import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { latestRun, requireMetadata } from '../../../src-main/state/metadata.ts'
import { ensureBusyboxImage } from '../../support/images.ts'
import { until } from '../../support/supervised-world.ts'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

const LIFE = 'echo begun >> /begun; test $(wc -l < /begun) -gt 1 && exec sleep 600; sleep 2; exit 3'

let bottles: TestBottles
const ending = new AbortController()
const warnings: unknown[] = []
let supervising: Promise<number> | undefined
beforeAll(async () => {
  bottles = await makeTestBottles(`image: ${await ensureBusyboxImage()}\nbackend: docker`)
  await new Promise<void>((resolve, reject) => {
    supervising = bottles.icebox.supervise({
      kind: 'serve',
      signal: ending.signal,
      warn: (error) => warnings.push(error),
      onChange: (generation) => generation !== null && resolve(),
    })
    supervising.catch(reject)
  })
})
afterAll(async () => {
  ending.abort()
  await supervising
  await bottles.dispose()
})

test('an agent in a container that crashes is frozen and started again in it, and frozen when it is stopped', async () => {
  const { home, icebox } = bottles
  await home.writeAgent(
    'phoenix',
    `provider: custom
bottle: box
runtime: terminal
command:
  interactive: [sh, -c, '${LIFE}']
  resume: [sh, -c, '${LIFE}']
restart: { policy: on-failure, max_retries: 3, backoff: { initial: 0.2, max: 1, jitter: 0 } }
auto_freeze: { on_exit: true }`,
  )
  const { slug } = await icebox.bottles.start(
    { agent: 'phoenix', mode: 'headless', label: 'phoenix', cwd: join(home.dir, 'cwd') },
    bottles.context(),
  )
  const newest = async () => latestRun(await requireMetadata(icebox.root, slug))
  const notes = async () => (await icebox.bottles.snapshots(slug)).map(({ reason, note }) => [reason, note])
  const first = await newest()
  const second = await until('it runs again', async () => {
    const run = await newest()
    return run && run.startedAt !== first?.startedAt && run.exit === null && run
  })
  expect(second).toMatchObject({ id: first?.id, ref: { id: first?.ref?.id } })
  expect(await notes()).toEqual([['rule', 'Frozen when the agent exited with code 3.']])
  await icebox.bottles.stop(slug, { graceSeconds: 0 }, bottles.context())
  await until('its end is frozen', async () => (await notes()).length === 2)
  expect((await notes())[1]).toEqual(['rule', 'Frozen when the agent was stopped.'])
  expect((await newest())?.startedAt).toBe(second.startedAt)
  expect(warnings).toEqual([])
})
