import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { latestRun, requireMetadata } from '../../../src-main/state/metadata.ts'
import { readSession } from '../../../src-main/state/session-file.ts'
import { must } from '../../support/busybox-image.ts'
import { scriptedAgent, scriptedImage, visibleFolder } from '../../support/scripted-agent/scripted-agent.ts'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

let programs: Awaited<ReturnType<typeof visibleFolder>>
let image: string

beforeAll(async () => {
  programs = await visibleFolder()
  await scriptedAgent(programs.dir, { work: 0 })
  await scriptedAgent(programs.dir, { work: 0 }, 'codex')
  await scriptedAgent(programs.dir, { work: 0 }, 'pi')
  image = await scriptedImage({ work: 0 })
})
afterAll(() => programs.remove())

interface Scene extends TestBottles {
  /** Runs one headless turn of a new bottle and returns its slug. */
  begin(
    prompt: string,
    options?: Partial<Parameters<TestBottles['icebox']['bottles']['start']>[0]>,
  ): Promise<string>
  goOn(
    target: string,
    prompt: string,
    options?: Partial<Parameters<TestBottles['icebox']['bottles']['resume']>[0]>,
  ): Promise<string>
  freeze(slug: string): Promise<string>
  order(slug: string): Promise<{ sessionId: string | null; argv: string }>
}

async function makeScene(bottle: string, provider = 'claude'): Promise<Scene> {
  const env = { ...process.env, PATH: `${programs.dir}:${process.env.PATH}` }
  const tests = await makeTestBottles(bottle, undefined, env)
  await tests.home.writeAgent('talker', `provider: ${provider}\nbottle: box`)
  const { icebox, home } = tests
  const common = { mode: 'headless', allowMissingSecrets: true } as const
  return {
    ...tests,
    async begin(prompt, options = {}) {
      const request = {
        ...common,
        agent: 'talker',
        label: 'talk',
        prompt,
        cwd: join(home.dir, 'cwd'),
        ...options,
      }
      const { slug, exitCode } = await icebox.bottles.start(request, tests.context())
      if (exitCode !== 0) throw new Error(`${slug}: ${exitCode}\n${await tests.output(slug)}`)
      return slug
    },
    async goOn(target, prompt, options = {}) {
      const [slug = '', snapshot] = target.split('@')
      const { exitCode } = await icebox.bottles.resume(
        { ...common, slug, snapshot, prompt, ...options },
        tests.context(),
      )
      const output = await tests.output(slug)
      if (exitCode !== 0) throw new Error(`${slug}: ${exitCode}\n${output}`)
      return output
    },
    async freeze(slug) {
      const { snapshot } = await icebox.bottles.freeze({ slug }, tests.context())
      return snapshot.id
    },
    async order(slug) {
      const run = latestRun(await requireMetadata(icebox.root, slug))
      return { sessionId: run?.order?.sessionId ?? null, argv: JSON.stringify(run?.ref?.facts ?? {}) }
    },
  }
}

const BACKENDS = [
  ['host', () => 'backend: host'],
  ['docker', () => `backend: docker\nimage: ${image}`],
] as const

describe.each(BACKENDS)('conversations on %s', (backend, bottle) => {
  let scene: Scene
  beforeAll(async () => {
    scene = await makeScene(bottle())
  })
  afterAll(() => scene.dispose())

  /** What stands outside of the snapshots goes, as after a reboot with a broom. */
  async function removeRuntime(slug: string): Promise<void> {
    if (backend === 'host') {
      await rm(scene.icebox.root.path('state', slug, 'live'), { recursive: true })
      await rm(scene.icebox.root.path('state', slug, 'run'), { recursive: true })
      return
    }
    await must('docker', ['rm', '-f', `bot-bottle-${slug}`])
  }

  it('go on after the runtime has gone: the agent is called with the same conversation', async () => {
    const slug = await scene.begin('remember the heron')
    const { sessionId } = await scene.order(slug)
    expect(sessionId).toMatch(UUID)
    const id = await scene.freeze(slug)
    const [snapshot] = await scene.icebox.bottles.snapshots(slug)
    expect(snapshot?.session).toMatchObject({ provider: 'claude', id: sessionId })
    await removeRuntime(slug)
    expect(await scene.goOn(slug, '!recall')).toContain('remember the heron')
    expect((await scene.order(slug)).sessionId).toBe(sessionId)
    // A named older snapshot has its own conversation, not the newest.
    await scene.goOn(slug, 'remember the bittern', { session: 'new' })
    const other = (await scene.order(slug)).sessionId
    expect(other).not.toBe(sessionId)
    await scene.freeze(slug)
    expect(await scene.goOn(slug, '!recall')).toContain('bittern')
    expect(await scene.goOn(`${slug}@${id}`, '!recall')).toContain('heron')
    expect((await scene.order(slug)).sessionId).toBe(sessionId)
  })

  it('leave their transcripts with the state when the run ends', async () => {
    const slug = await scene.begin('remember the crane', { label: 'kept' })
    const run = latestRun(await requireMetadata(scene.icebox.root, slug))
    const folder = scene.icebox.root.path('state', slug, 'agent', 'transcripts', run?.id ?? '')
    const [name = '', ...more] = await readdir(folder)
    expect(more).toEqual([])
    expect(await readFile(join(folder, name), 'utf8')).toContain('remember the crane')
    expect((await readSession(scene.icebox.root, slug, run?.id ?? ''))?.mark?.id).toBe(run?.order?.sessionId)
  })

  it('weakness 16: every mode means the same here as elsewhere', async () => {
    const slug = await scene.begin('one', { label: 'modes' })
    const first = (await scene.order(slug)).sessionId
    await scene.goOn(slug, 'two', { session: 'continue' })
    await scene.goOn(slug, 'three', { session: 'resume' })
    expect(await scene.goOn(slug, '!count', { session: 'new' })).toContain('1 messages')
    expect((await scene.order(slug)).sessionId).not.toBe(first)
    expect(await scene.goOn(slug, '!count', { resumeId: first ?? '' })).toContain('4 messages')
    expect((await scene.order(slug)).sessionId).toBe(first)
  })

  it('a fork goes on with the conversation under its own name', async () => {
    const slug = await scene.begin('remember the stork', { label: 'origin' })
    const request = { slug, count: 1, mode: 'headless', prompt: '!recall', cwd: scene.home.dir } as const
    const [made] = await scene.icebox.bottles.fork({ ...request, allowMissingSecrets: true }, scene.context())
    expect(made?.exitCode).toBe(0)
    expect(await scene.output(made?.slug ?? '')).toContain('remember the stork')
    // And later, from its own snapshot.
    expect(await scene.goOn(made?.slug ?? '', '!count')).toContain('3')
  })
})

describe.each(['codex', 'pi'])('conversations of %s on host', (provider) => {
  let scene: Scene
  beforeAll(async () => {
    scene = await makeScene('backend: host', provider)
  })
  afterAll(() => scene.dispose())

  it('are captured and go on', async () => {
    const slug = await scene.begin('remember the tern')
    await scene.freeze(slug)
    const [snapshot] = await scene.icebox.bottles.snapshots(slug)
    expect(snapshot?.session).toMatchObject({ provider, id: expect.stringMatching(UUID) })
    expect(await scene.goOn(slug, '!recall')).toContain('remember the tern')
    expect((await scene.order(slug)).sessionId).toBe(snapshot?.session?.id)
  })
})

it('a conversation goes on on another backend, from a container to this machine and back', async () => {
  const scene = await makeScene(`backend: docker\nimage: ${image}`)
  try {
    const slug = await scene.begin('remember the ibis')
    const { sessionId } = await scene.order(slug)
    expect(await scene.goOn(slug, '!recall', { backend: 'host' })).toContain('remember the ibis')
    expect((await scene.order(slug)).sessionId).toBe(sessionId)
    await scene.goOn(slug, 'remember the egret')
    expect(await scene.goOn(slug, '!recall', { backend: 'docker' })).toContain('remember the egret')
    expect((await scene.order(slug)).sessionId).toBe(sessionId)
  } finally {
    await scene.dispose()
  }
})

it('a conversation travels in an artifact', async () => {
  const scene = await makeScene('backend: host')
  try {
    const slug = await scene.begin('remember the avocet')
    const id = await scene.freeze(slug)
    const file = join(scene.home.dir, 'talk.bottle')
    const request = { slug, snapshot: id, compression: 'none', thin: false, scrub: 'keep' } as const
    await scene.icebox.artifacts.export(request, { file }, scene.context())
    const imported = await scene.icebox.artifacts.import({ file }, { label: 'other' }, scene.context())
    expect(await scene.goOn(imported.slug, '!recall')).toContain('remember the avocet')
  } finally {
    await scene.dispose()
  }
})
