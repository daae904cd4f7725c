import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { must } from '../../support/busybox-image.ts'
import {
  type Scenario,
  scenarioText,
  scriptedImage,
  visibleFolder,
} from '../../support/scripted-agent/scripted-agent.ts'
import { makeSupervisedWorld, type SupervisedWorld, until } from '../../support/supervised-world.ts'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

const never = new AbortController().signal
let world: SupervisedWorld
let files: Awaited<ReturnType<typeof visibleFolder>>

beforeAll(async () => {
  files = await visibleFolder()
  world = await makeSupervisedWorld({ settle: 0.1 })
})
afterAll(async () => {
  await world.dispose()
  await files.remove()
})

/** An agent with a scenario of its own. */
async function agent(name: string, scenario: Scenario, front: string): Promise<void> {
  const file = join(files.dir, `${name}.scenario`)
  await writeFile(file, scenarioText(scenario))
  await world.home.writeBottle(name, `backend: host\nenv: { SCRIPTED_AGENT_SCENARIO: ${file} }`)
  await world.home.writeAgent(name, `provider: claude\nbottle: ${name}\nruntime: terminal\n${front}`)
}

/** A supervisor that ends with the test, so that a failing one holds nobody up. */
async function supervise() {
  const supervisor = await world.supervise()
  onTestFinished(async () => void (await supervisor.stop()))
  return supervisor
}

const live = (slug: string, path: string) => world.icebox.root.path('state', slug, 'live', path)
/** A line break that a lost Enter left behind is no part of what was said. */
const turns = async (slug: string) =>
  (await world.life(slug)).filter((line) => line.startsWith('turn ')).map((line) => line.trimEnd())
const answers = async (slug: string) => (await world.life(slug)).filter((line) => line.startsWith('prompt '))
const hasTurns = (slug: string, count: number) =>
  until(`${slug} took ${count} turns`, async () => (await turns(slug)).length >= count)
const waits = (slug: string) =>
  until(`${slug} waits`, async () => (await world.sample(slug))?.state === 'waiting')
const send = (slug: string, text: string, now = false) =>
  world.icebox.bottles.send(slug, text, { now }, never)

const COMMANDS =
  'startup: { ready_poll_interval_seconds: 0.1, commands: [first of all, { delay: 0.2, command: then this }] }'

/** False while the agent can't take it: it notes a turn before it has drawn its screen anew. */
async function isTaken(slug: string, text: string): Promise<boolean> {
  const refused = await send(slug, text).catch((error: unknown) => error)
  if (refused !== undefined) expect(refused).toMatchObject({ code: 'busy' })
  return refused === undefined
}

describe('the startup of a terminal agent', () => {
  it('weakness 17: a start does not wait for questions and commands; each is done once, over two supervisors', async () => {
    await agent('asker', { boot: 1, ask: ['bypass', 'effort', 'trust', 'yn'], paints: 5 }, COMMANDS)
    const first = await supervise()
    const slug = await world.begin('asker')
    expect(await answers(slug)).toEqual([])
    await until('one question is answered', async () => (await answers(slug)).length > 0)
    await first.stop()
    const second = await supervise()
    await hasTurns(slug, 2)
    expect(await answers(slug)).toEqual([
      'prompt bypass answered 2',
      'prompt effort answered 1',
      'prompt trust answered 1',
      'prompt yn answered y',
    ])
    expect(await turns(slug)).toEqual(['turn first of all', 'turn then this'])
    await waits(slug)
    await second.stop()
    await supervise()
    await until('it takes a last one', () => isTaken(slug, 'a last one'))
    await hasTurns(slug, 3)
    expect(await turns(slug)).toEqual(['turn first of all', 'turn then this', 'turn a last one'])
  })

  it('a question that no rule answers waits for a person, visibly, and nothing is typed onto it', async () => {
    await supervise()
    await agent('puzzled', { ask: ['strange'] }, COMMANDS.replace('{', '{ ready_timeout_seconds: 1,'))
    const slug = await world.begin('puzzled')
    const sample = await until('it is seen to wait', async () => {
      const seen = await world.sample(slug)
      return seen?.state === 'waiting' && seen
    })
    expect(sample.reason).toContain('The moon is in the wrong phase')
    const logs = () => readdir(world.icebox.root.path('state', slug, 'logs'))
    await until('its screen is kept', async () =>
      (await logs()).some((name) => name.startsWith('boot-capture-')),
    )
    await expect(send(slug, 'hello')).rejects.toMatchObject({ code: 'busy' })
    expect(await turns(slug)).toEqual([])
    await send(slug, '1', true)
    await hasTurns(slug, 2)
    expect(await world.life(slug)).toContain('prompt strange answered 1')
    expect(await turns(slug)).toEqual(['turn first of all', 'turn then this'])
  })
})

describe('a text that is sent', () => {
  it('is typed while the agent waits, not while it works, and read by it in one piece', async () => {
    await supervise()
    await agent('worker', {}, 'description: works')
    const slug = await world.begin('worker')
    await waits(slug)
    await send(slug, 'two lines\nof "text" $HOME')
    await hasTurns(slug, 1)
    await send(slug, '!work 3')
    await until('it works', async () => (await turns(slug)).length === 2)
    await expect(send(slug, 'too early')).rejects.toMatchObject({ code: 'busy' })
    await until('it takes another', () => isTaken(slug, '!recall'))
    await hasTurns(slug, 3)
    expect((await turns(slug)).join('\n')).not.toContain('too early')
    await expect(send('nobody-abcde', 'x')).rejects.toMatchObject({ code: 'not-found' })
    await expect(send(slug, ' \n')).rejects.toMatchObject({ code: 'usage' })
    await world.icebox.bottles.stop(slug, {}, world.context())
    await expect(send(slug, 'x')).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('the files of the working folder', () => {
  it('are there while it runs, tell of it, and are gone after a stop; a person’s text stays', async () => {
    await supervise()
    const folder = join(world.home.dir, 'agents/tidy')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'src_CLAUDE.md'), 'Be kind.\n')
    const spec = {
      runtime: 'claude-code',
      mcp_servers: { helper: { command: 'helper', args: [`\${metadata.name}`] } },
    }
    const definition = {
      apiVersion: 'scitex-agent-container/v2',
      kind: 'Agent',
      metadata: { name: 'tidy' },
      spec,
    }
    await writeFile(join(folder, 'tidy.yaml'), JSON.stringify(definition))
    const slug = await world.begin(join(folder, 'tidy.yaml'), 'tidy')
    await waits(slug)
    expect(await readFile(live(slug, 'workspace/CLAUDE.md'), 'utf8')).toContain('Be kind.')
    expect(JSON.parse(await readFile(live(slug, 'workspace/.mcp.json'), 'utf8'))).toEqual({
      mcpServers: { helper: { command: 'helper', args: ['tidy'] } },
    })
    await writeFile(
      live(slug, 'workspace/CLAUDE.md'),
      `${await readFile(live(slug, 'workspace/CLAUDE.md'), 'utf8')}Mine.\n`,
    )
    await send(slug, '!tool Bash {"command":"ls"}')
    const events = await until('its hooks told', async () => {
      const text = await readFile(live(slug, 'home/.icebox/events.jsonl'), 'utf8').catch(() => '')
      return text.includes('"Stop"') && text
    })
    const kinds = events
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { payload: { hook_event_name: string } }).payload.hook_event_name)
    expect(kinds).toEqual(['UserPromptSubmit', 'PreToolUse', 'PostToolUse', 'Stop'])
    const status = JSON.parse(await readFile(live(slug, 'home/.icebox/status.json'), 'utf8')) as object
    expect(status).toHaveProperty('context_window.context_window_size', 200_000)
    await world.icebox.bottles.stop(slug, {}, world.context())
    expect(await readFile(live(slug, 'workspace/CLAUDE.md'), 'utf8')).toBe('Mine.\n')
    expect(await readdir(live(slug, 'workspace'))).not.toContain('.mcp.json')
    expect(await readdir(live(slug, 'workspace/.claude')).catch(() => [])).toEqual([])
  })
})

/** A supervisor over the bottles of a test, until the answer is called. */
function superviseBottles({ icebox }: TestBottles): () => Promise<unknown> {
  const ending = new AbortController()
  const ended = icebox.supervise({ kind: 'serve', warn: () => undefined, signal: ending.signal })
  return () => {
    ending.abort()
    return ended
  }
}

/** Runs a command in the container of a bottle. */
async function inContainer(slug: string, command: string): Promise<string> {
  const [row] = (await must('docker', ['ps', '-aq', '--filter', `name=bot-bottle-${slug}`])).split('\n')
  return (await must('docker', ['exec', row ?? '', 'sh', '-c', command])).trim()
}

describe('a terminal agent in a container', () => {
  let bottles: TestBottles
  let end: () => Promise<unknown>
  beforeAll(async () => {
    const image = await scriptedImage({ ask: ['bypass', 'trust'], settle: 0.1, tool: true })
    bottles = await makeTestBottles(`image: ${image}\nbackend: docker`)
    end = superviseBottles(bottles)
    const servers = 'mcp_servers: { helper: { command: helper } }'
    await bottles.home.writeAgent(
      'boxed',
      `provider: claude\nbottle: box\nruntime: terminal\n${servers}\n${COMMANDS}`,
    )
  })
  afterAll(async () => {
    await end()
    await bottles.dispose()
  })

  it('is answered, told and watched; a stop leaves only what a person wrote', async () => {
    const { icebox, home, context } = bottles
    const request = { agent: 'boxed', mode: 'headless', label: 'boxed', allowMissingSecrets: true } as const
    const { slug } = await icebox.bottles.start({ ...request, cwd: join(home.dir, 'cwd') }, context())
    const inside = (command: string) => inContainer(slug, command)
    await until('it is told', async () =>
      (await inside('cat /root/.scripted-agent/log')).includes('turn then this'),
    )
    const life = (await inside('cat /root/.scripted-agent/log')).split('\n')
    expect(life.filter((line) => /^(prompt|turn) /.test(line)).map((line) => line.trimEnd())).toEqual([
      // Its settings say already that permissions are skipped.
      'prompt trust answered 1',
      'turn first of all',
      'turn then this',
    ])
    await icebox.bottles.send(slug, '!write mine.txt hello', {}, never)
    await until('it is told that too', async () => (await inside('ls')).includes('mine.txt'))
    expect(await inside('cat .mcp.json')).toContain('helper')
    const seen = await until('its context is seen', async () => {
      const status = await icebox.bottles.status(slug, never)
      return typeof status.context_percent === 'number' && status
    })
    expect(seen).toMatchObject({ agent_state: expect.any(String) })
    await icebox.bottles.stop(slug, {}, context())
    const { snapshot } = await icebox.bottles.freeze({ slug }, context())
    const list = [
      'run',
      '--rm',
      '--entrypoint',
      'sh',
      snapshot.reference,
      '-c',
      'ls -A /workspace /workspace/.claude',
    ]
    const left = (await must('docker', list)).split(/\s+/)
    expect(left).toContain('mine.txt')
    expect(left).not.toContain('.mcp.json')
    expect(left).not.toContain('settings.local.json')
  })
})

describe('a terminal agent in a container that painted before anybody looked', () => {
  it('is ready by its last line, which has no line end', async () => {
    const image = await scriptedImage()
    const bottles = await makeTestBottles(`image: ${image}\nbackend: docker`)
    onTestFinished(() => bottles.dispose())
    const { icebox, home, context } = bottles
    const startup =
      'startup: { ready_patterns: ["bypass permissions"], ready_timeout_seconds: 120, commands: [go on] }'
    await home.writeAgent('early', `provider: claude\nbottle: box\nruntime: terminal\n${startup}`)
    const request = { agent: 'early', mode: 'headless', label: 'early', allowMissingSecrets: true } as const
    const { slug } = await icebox.bottles.start({ ...request, cwd: join(home.dir, 'cwd') }, context())
    const life = () => inContainer(slug, 'cat /root/.scripted-agent/log 2>/dev/null || true')
    await until('it has painted', async () => (await life()).includes('ready'))
    await delay(500)
    const end = superviseBottles(bottles)
    onTestFinished(async () => void (await end()))
    // Far below the time after which a startup goes on by itself.
    await until('it is told', async () => (await life()).includes('turn go on'), 30_000)
  })
})
