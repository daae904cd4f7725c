import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scriptedImage } from '../../support/scripted-agent/scripted-agent.ts'
import { makeSupervisedWorld, type SupervisedWorld, until } from '../../support/supervised-world.ts'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

const never = new AbortController().signal
const TURNS = 'runtime: turns\nstartup: { commands: [the mission, "!say two words"] }'

/** Starts an agent that takes turns and gives what it said so far. */
async function begin(
  { icebox, home, context }: TestBottles,
  agent: string,
  prompt?: string,
): Promise<string> {
  const cwd = join(home.dir, 'cwd')
  const request = { agent, mode: 'headless', label: agent, cwd, allowMissingSecrets: true, prompt } as const
  return (await icebox.bottles.start(request, context())).slug
}

const says = (bottles: TestBottles, slug: string, text: string) =>
  until(`${slug} says ${text}`, async () => (await bottles.output(slug)).includes(`"result":"${text}"`))

describe('an agent of this machine that takes turns', () => {
  let world: SupervisedWorld
  beforeAll(async () => {
    world = await makeSupervisedWorld()
    await world.supervise()
    await world.agent('turner', TURNS)
    await world.agent(
      'driver',
      'runtime: turns\nautonomous: { enabled: true, drive_until: two words, max_turns: 3 }\nstartup: { commands: ["!say two words"] }',
    )
  })
  afterAll(() => world.dispose())

  it('is told its mission and what comes later, in one conversation, and ends well when stopped', async () => {
    const slug = await begin(world, 'turner', 'a word of the call')
    await says(world, slug, 'two words')
    await world.icebox.bottles.send(slug, '!recall', {}, never)
    await says(world, slug, 'You said: !say two words')
    const life = await world.life(slug)
    expect(life.filter((line) => line.startsWith('turn '))).toEqual([
      'turn a word of the call',
      'turn the mission',
      'turn !say two words',
      'turn !recall',
    ])
    const home = world.icebox.root.path('state', slug, 'live/home/.icebox')
    expect(JSON.parse(await readFile(join(home, 'heartbeat.json'), 'utf8'))).toHaveProperty('state')
    await world.icebox.bottles.stop(slug, {}, world.context())
    expect((await world.newestRun(slug)).exit?.code).toBe(0)
    expect(JSON.parse(await readFile(join(home, 'heartbeat.json'), 'utf8'))).toMatchObject({
      state: 'stopping',
    })
  })

  it('drives itself until it says so', async () => {
    const slug = await begin(world, 'driver')
    await until('it has ended', async () => (await world.newestRun(slug)).exit !== null)
    expect((await world.newestRun(slug)).exit?.code).toBe(0)
    expect((await world.life(slug)).filter((line) => line.startsWith('turn '))).toHaveLength(1)
  })
})

describe('an agent in a container that takes turns', () => {
  let bottles: TestBottles
  let ended: Promise<number>
  const ending = new AbortController()
  beforeAll(async () => {
    const image = await scriptedImage()
    bottles = await makeTestBottles(`image: ${image}\nbackend: docker`)
    // The test's own process looks after them, so that no other has to.
    ended = bottles.icebox.supervise({ kind: 'serve', warn: () => undefined, signal: ending.signal })
    await bottles.home.writeAgent('turner', `provider: claude\nbottle: box\n${TURNS}`)
  })
  afterAll(async () => {
    ending.abort()
    await ended
    await bottles.dispose()
  })

  it('goes on with its conversation, and with messages that lay in its inbox, after a freeze and a resume', async () => {
    const { icebox, context } = bottles
    const slug = await begin(bottles, 'turner')
    await says(bottles, slug, 'two words')
    await icebox.bottles.send(slug, 'a "last" word\nof two lines', {}, never)
    await says(bottles, slug, 'Done: a \\"last\\" word\\nof two lines')
    // The second message still lies there when the runner ends, after the first one's turn.
    await icebox.bottles.send(slug, '!work 3', {}, never)
    await until('it works', async () => (await bottles.output(slug)).split('"subtype":"init"').length === 5)
    await icebox.bottles.send(slug, '!count', {}, never)
    await icebox.bottles.stop(slug, {}, context())
    await icebox.bottles.freeze({ slug }, context())
    await icebox.bottles.resume({ slug, mode: 'headless', allowMissingSecrets: true }, context())
    // Three messages and one of work before, the start's two again, and this one.
    await says(bottles, slug, '7 messages')
  })
})
