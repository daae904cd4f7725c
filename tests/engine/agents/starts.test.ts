import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlive as lives, type ProcessIdentity } from '../../../src-main/system/process-identity.ts'
import { scriptedAgent, visibleFolder } from '../../support/scripted-agent/scripted-agent.ts'
import { makeSupervisedWorld, type SupervisedWorld, until } from '../../support/supervised-world.ts'

const never = new AbortController().signal
const NEW_UUID = /--session-id [0-9a-f-]{36}/

let world: SupervisedWorld

beforeAll(async () => {
  world = await makeSupervisedWorld({ work: 0 })
  // The test's own process looks after them, so that no other has to.
  await world.supervise()
  await world.agent('kept', 'runtime: claude-code\nlabels:\n  role: tester\nmodel: opus[1m]')
})
afterAll(() => world.dispose())

const bottles = () => world.icebox.bottles
const isAlive = async (slug: string) => (await bottles().rows([slug], never)).get(slug)?.state === 'running'
const starts = async (slug: string) =>
  (await world.life(slug)).filter((line) => line.includes('start claude'))

/** Starts an agent for one headless turn and returns what it said. */
async function once(agent: string, prompt: string): Promise<string> {
  const request = { agent, mode: 'headless', prompt, cwd: join(world.home.dir, 'cwd') } as const
  const { slug, exitCode } = await bottles().start({ ...request, allowMissingSecrets: true }, world.context())
  const output = await world.output(slug)
  if (exitCode !== 0) throw new Error(output)
  return output
}

/** Every file that is kept of a bottle with its content; its own files and its output go on. */
async function stateOf(slug: string): Promise<Record<string, string>> {
  const dir = world.icebox.root.path('state', slug)
  const names = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile() && !entry.name.endsWith('.log'))
  const found = await Promise.all(
    files.map(async (entry) => {
      const path = join(entry.parentPath, entry.name)
      const text = await readFile(path)
      return [path.slice(dir.length), createHash('sha256').update(text).digest('hex')] as const
    }),
  )
  return Object.fromEntries(found.filter(([path]) => !/^\/live\/|sample\.json|supervision\.json/.test(path)))
}

describe('an agent that is kept running', () => {
  it('starts detached, under its own name, and needs no terminal', async () => {
    const launched: unknown[] = []
    const run = await bottles().start(
      {
        agent: 'kept',
        mode: 'interactive',
        cwd: join(world.home.dir, 'cwd'),
        allowMissingSecrets: true,
        requireSeat: () => expect.fail('nobody has to sit there'),
        onLaunched: (told) => launched.push(told),
      },
      world.context(),
    )
    expect(run).toMatchObject({ slug: 'kept', exitCode: null, isDetached: true })
    expect(launched).toMatchObject([{ slug: 'kept', way: 'detached' }])
    expect((await bottles().rows(['kept'], never)).get('kept')).toMatchObject({
      state: 'running',
      interactive: true,
    })
    await until('it started', async () => (await starts('kept')).length === 1)
    expect((await starts('kept'))[0]).toMatch(NEW_UUID)
  })

  it('wants somebody at its terminal with foreground, before anything happens', async () => {
    const request = { agent: 'kept', mode: 'interactive', label: 'seat', cwd: world.home.dir } as const
    const refusing = bottles().start(
      {
        ...request,
        allowMissingSecrets: true,
        foreground: true,
        requireSeat: () => {
          throw new Error('no terminal')
        },
      },
      world.context(),
    )
    await expect(refusing).rejects.toThrow('no terminal')
    expect((await bottles().rows(['seat'], never)).get('seat')).toBeNull()
  })

  it('weakness 16: a restart keeps what the start was asked for, and by rule it goes on', async () => {
    const slug = 'restarted'
    const request = { agent: 'kept', mode: 'interactive', label: slug, cwd: world.home.dir } as const
    await bottles().start({ ...request, allowMissingSecrets: true, session: 'new' }, world.context())
    const says = async (nth: number, text: string) => {
      const count = async (word: string) =>
        (await world.life(slug)).filter((line) => line.includes(word)).length
      await until('it is ready', async () => (await count('ready')) === nth)
      await world.say(slug, text)
      await until('it has begun a turn', async () => (await count(`turn ${text}`)) === 1)
      // Its words may reach the screen a moment before they reach its files.
      await until('it is written', async () => {
        const dir = world.icebox.root.path('state', slug, 'live/home/.claude/projects')
        const names = await readdir(dir, { recursive: true }).catch(() => [])
        const files = names.filter((name) => name.endsWith('.jsonl'))
        const texts = await Promise.all(files.map((name) => readFile(join(dir, name), 'utf8')))
        return texts.some((found) => found.includes(`Done: ${text}`))
      })
    }
    await says(1, 'remember the swift')
    await bottles().restart(slug, world.context())
    await until('it started again', async () => (await starts(slug)).length === 2)
    expect((await starts(slug))[1]).toMatch(NEW_UUID)
    expect((await world.newestRun(slug)).order).toMatchObject({ session: 'new', runtime: 'terminal' })
    await says(2, 'remember the swallow')
    await bottles().restart(slug, world.context(), { session: 'continue-or-new' })
    await until('it went on', async () => (await starts(slug)).length === 3)
    const [, second = '', third = ''] = await starts(slug)
    const id = /--session-id (\S+)/.exec(second)?.[1]
    expect(third).toContain(`--resume ${id}`)
    expect((await world.newestRun(slug)).order).toMatchObject({ session: 'new', sessionId: id })
    await bottles().stop(slug, {}, world.context())
  })
})

describe('the command line', () => {
  const icebox = (args: readonly string[]) =>
    world.home.icebox([...args, '--allow-missing-secrets'], { env: { PATH: world.env.PATH ?? '' } })

  it('returns with the slug of an agent that is kept running, and needs no terminal', async () => {
    const started = await icebox(['start', 'kept', '--label', 'by command', '--session', 'new'])
    expect(started).toMatchObject({ code: 0, json: { slug: 'by-command' } })
    expect(await isAlive('by-command')).toBe(true)
    const again = await icebox(['resume', 'by-command', '--force'])
    expect(again).toMatchObject({ code: 0, json: { slug: 'by-command', snapshot: expect.any(String) } })
    expect(await isAlive('by-command')).toBe(true)
    expect(await icebox(['resume', 'by-command'])).toMatchObject({ code: 1, errorCode: 'busy' })
    const foreground = await icebox(['start', 'kept', '--label', 'nobody', '--foreground'])
    expect(foreground).toMatchObject({ code: 2, errorCode: 'usage' })
    await bottles().destroy({ slug: 'by-command', purge: true }, world.context())
  })
})

describe('a forced start over a bottle of that name', () => {
  const request = () => ({
    agent: 'kept',
    mode: 'interactive' as const,
    label: 'stale',
    cwd: join(world.home.dir, 'cwd'),
    allowMissingSecrets: true,
    force: true,
  })

  it('weakness 08: planned as a dry run it touches nothing', async () => {
    await world.begin('kept', 'stale')
    await until('it started', async () => (await starts('stale')).length === 1)
    const run = await world.newestRun('stale')
    const before = await stateOf('stale')
    const plan = await bottles().plan(request(), never)
    expect(plan).toMatchObject({
      slug: 'stale',
      notices: expect.arrayContaining([expect.stringMatching(/would be stopped/)]),
    })
    expect(await isAlive('stale')).toBe(true)
    expect((await world.newestRun('stale')).id).toBe(run.id)
    expect(await stateOf('stale')).toEqual(before)
    expect(await bottles().trash()).toEqual([])
  })

  it('without force another name is taken, and the running one goes on', async () => {
    const other = bottles().start(
      { ...request(), force: false, mode: 'headless', prompt: 'x' },
      world.context(),
    )
    await expect(other).resolves.toMatchObject({ slug: 'stale-2' })
    expect(await isAlive('stale')).toBe(true)
  })

  it('stops it really, freezes its work and keeps it in the trash', async () => {
    const old = await world.newestRun('stale')
    await writeFile(world.icebox.root.path('state/stale/live/workspace/work.txt'), 'unsaved')
    const run = await bottles().start(request(), world.context())
    expect(run).toMatchObject({ slug: 'stale', isDetached: true })
    expect(run.runId).not.toBe(old.id)
    expect(await isAlive('stale')).toBe(true)
    expect(await lives(old.ref?.facts.identity as ProcessIdentity)).toBe(false)
    expect(await readdir(world.icebox.root.path('state/stale/live/workspace'))).not.toContain('work.txt')
    const [entry] = await bottles().trash()
    expect(entry).toMatchObject({ slug: 'stale', snapshots: 1 })
    const undone = await bottles().undo(entry?.id ?? '', world.context())
    expect(undone.slug).not.toBe('stale')
    const [snapshot] = await bottles().snapshots(undone.slug)
    expect(await readFile(join(snapshot?.reference ?? '', 'workspace/work.txt'), 'utf8')).toBe('unsaved')
  })

  it('what fails before leaves the running one alone', async () => {
    const run = await world.newestRun('stale')
    const failing = { ...request(), agent: 'absent' }
    await expect(bottles().start(failing, world.context())).rejects.toMatchObject({ code: 'not-found' })
    const wrong = { ...request(), session: 'resume' as const }
    await expect(bottles().start(wrong, world.context())).rejects.toMatchObject({ code: 'not-found' })
    expect(await isAlive('stale')).toBe(true)
    expect((await world.newestRun('stale')).id).toBe(run.id)
  })
})

describe('weakness 14: what is kept of a bottle', () => {
  it('is taken by one of two starts at once, under a safe name, without a launcher’s pid', async () => {
    const request = {
      agent: 'kept',
      mode: 'interactive',
      cwd: world.home.dir,
      allowMissingSecrets: true,
    } as const
    const both = await Promise.allSettled(
      [1, 2].map(() => bottles().start({ ...request, label: '../../race', force: true }, world.context())),
    )
    expect(both.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0)
    const rows = (await bottles().list(never)).filter(({ slug }) => slug.includes('race'))
    expect(rows.map(({ slug }) => slug)).toEqual(['race'])
    const text = await readFile(world.icebox.root.path('state/race/metadata.json'), 'utf8')
    expect(JSON.parse(text)).not.toHaveProperty('pid')
    expect((await world.newestRun('race')).ref?.id).not.toBe(String(process.pid))
    const names = await readdir(world.icebox.root.path('state'))
    expect(names.filter((name) => name.startsWith('.new-'))).toEqual([])
    await bottles().destroy({ slug: 'race', purge: true }, world.context())
  })
})

describe('what surrounds an agent', () => {
  it('tells it who it is; its own variables win', async () => {
    expect(await once('kept', '!env CLAUDE_AGENT_ID')).toContain('kept')
    expect(await once('kept', '!env CLAUDE_AGENT_ROLE')).toContain('tester')
    expect(await once('kept', '!env SCITEX_AGENT_CONTAINER_MODEL')).toContain('Claude Opus (1M)')
    expect(await once('kept', '!env CLAUDE_DISABLE_AUTO_UPDATE')).toContain('1')
  })

  it('gives it the values of env files, which stay out of every record', async () => {
    const file = join(world.home.dir, 'kept.env')
    await writeFile(file, "# comment\nexport FILED='canary-7f3a'\n")
    await world.agent('filed', `runtime: claude-code\nenv-file: ${file}`)
    expect(await once('filed', '!env FILED')).toContain('canary-7f3a')
    const slug = await world.begin('filed', 'filed-kept')
    const state = world.icebox.root.path('state', slug)
    const names = await readdir(state, { recursive: true, withFileTypes: true })
    for (const entry of names.filter((each) => each.isFile())) {
      const text = await readFile(join(entry.parentPath, entry.name), 'utf8').catch(() => '')
      expect(text.includes('canary-7f3a'), entry.name).toBe(false)
    }
    await bottles().stop(slug, {}, world.context())
  })

  it('activates the first virtual environment that is there, and refuses to start without one', async () => {
    const folder = await visibleFolder()
    try {
      await mkdir(join(folder.dir, 'venv/bin'), { recursive: true })
      await writeFile(join(folder.dir, 'venv/bin/activate'), '')
      await scriptedAgent(join(folder.dir, 'venv/bin'), { work: 0, reply: 'from the environment' })
      const none = join(folder.dir, 'none')
      await world.agent('snake', `runtime: claude-code\npython-venv: [${none}, ${join(folder.dir, 'venv')}]`)
      expect(await once('snake', '!env VIRTUAL_ENV')).toContain(join(folder.dir, 'venv'))
      expect(await once('snake', 'hello')).toContain('from the environment')
      await world.agent('snakeless', `runtime: claude-code\npython-venv: ${none}`)
      await expect(once('snakeless', 'x')).rejects.toMatchObject({ code: 'not-found' })
    } finally {
      await folder.remove()
    }
  })
})
