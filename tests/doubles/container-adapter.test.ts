import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Backend, EngineIntent, LaunchPlan, RuntimeRef } from '../../src-main/backends/backend.ts'
import { createMacosContainerBackend } from '../../src-main/backends/macos-container/macos-container-backend.ts'
import { until } from '../engine/conformance/suite.ts'
import { type ContainerWorld, makeContainerWorld } from '../support/container-double.ts'
import { writeBusyboxArchive } from '../support/doubles/lib/image-archive.ts'
import { launchPlan } from '../support/launch-plan.ts'

const never = new AbortController().signal
const ROOT = '6f1c2c3e-0000-4000-8000-1234567890ab'
const NAKED = 'docker.io/library/naked:1'
const PLAIN_USER = 'docker.io/library/plain-user:1'
const size = { cols: 100, rows: 30 }

let world: ContainerWorld
let home: string
let backend: Backend
let count = 0

beforeAll(async () => {
  world = await makeContainerWorld('1.2.2')
  home = await mkdtemp(join(tmpdir(), 'container-adapter-'))
  backend = createMacosContainerBackend({ rootId: ROOT, home, env: world.double.env })
  const load = (reference: string, options: object) => {
    const archive = join(world.double.dir, 'extra.tar')
    writeBusyboxArchive(archive, { reference, kind: 'oci', ...options })
    world.must(['image', 'load', '--input', archive])
  }
  load(NAKED, { tree: { shell: false }, config: { Entrypoint: ['/busybox'], Cmd: ['echo', 'hi'] } })
  load(PLAIN_USER, {
    config: { User: 'user', WorkingDir: '/home/user', Env: ['PATH=/bin', 'HOME=/home/user'] },
  })
})
afterAll(async () => {
  await world?.double.dispose()
  await rm(home, { recursive: true, force: true })
})

/** A plan of a bottle of its own, whose state folder is there. */
async function planOf(more: Partial<LaunchPlan> = {}): Promise<LaunchPlan> {
  count += 1
  const slug = more.slug ?? `web-${count}`
  const stateDir = join(home, 'state', slug)
  await mkdir(stateDir, { recursive: true })
  const runId = `run${String(count).padStart(7, '0')}`
  return launchPlan({
    rootId: ROOT,
    runId,
    stateDir,
    image: { kind: 'image', reference: world.image },
    ...more,
    slug,
  })
}
const shell = (script: string) => ({ argv: ['/bin/sh', '-c', script] })
const launch = (plan: LaunchPlan) => backend.launch(plan, () => {}, never)
async function outputOf(ref: RuntimeRef, options = { follow: false }): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of backend.logs(ref, options, never)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
async function runToEnd(more: Partial<LaunchPlan>) {
  const ref = await launch(await planOf(more))
  const exit = await backend.wait(ref, never)
  return { ref, exit, output: await outputOf(ref) }
}
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (thrown: { code?: unknown }) => thrown.code,
  )

describe('a run', () => {
  it('keeps command, environment, prompt and secrets out of everything that the engine knows', async () => {
    const plan = await planOf({
      ...shell('printf "%s %s" "$PLAIN" "$KEY"; echo CANARY-PROMPT >/dev/null; sleep 300'),
      env: { PLAIN: "it's $HOME" },
      secrets: { KEY: 'CANARY-SECRET' },
    })
    const ref = await launch(plan)
    await until(async () => (await outputOf(ref)) !== '')
    expect(await outputOf(ref)).toContain("it's $HOME CANARY-SECRET")
    expect(world.must(['inspect', ref.id])).not.toMatch(/CANARY/)
    const argv = world.double.calls().flatMap((call) => call.argv)
    expect(argv.join(' ')).not.toMatch(/CANARY/)
    await backend.stop(ref, { graceSeconds: 1 }, never)
    expect(await backend.wait(ref, never)).toMatchObject({ exitCode: 143 })
    await backend.runEnded(ref, never)
    const found = spawnSync('grep', ['-rl', 'CANARY', home, world.double.dir, '--exclude=calls.jsonl'])
    expect(found.stdout.toString()).not.toMatch(/CANARY|guest|config/)
  })

  it('leaves the name to the run before it until that is removed, and is found under either', async () => {
    const first = await launch(await planOf({ slug: 'twice', ...shell('true') }))
    await backend.wait(first, never)
    const second = await launch(await planOf({ slug: 'twice', previous: first, ...shell('sleep 300') }))
    expect(first.name).toBe('bot-bottle-twice')
    expect(second.name).toBe(`bot-bottle-twice-${second.runId}`)
    await backend.remove(first, never)
    expect((await backend.find('bot-bottle-twice', never))?.runId).toBe(second.runId)
    expect(await backend.isNameTaken('bot-bottle-twice', never)).toBe(true)
    await backend.stop(second, { graceSeconds: 0 }, never)
    const third = await launch(await planOf({ slug: 'twice', previous: second, ...shell('sleep 300') }))
    expect(third.name).toBe('bot-bottle-twice')
    // A record of the first run names what is the third's by now.
    expect(await backend.isThere(first, never)).toBe(false)
    expect(await backend.remove(first, never)).toEqual({ removed: [], left: [] })
    expect(await backend.isThere(third, never)).toBe(true)
    await backend.remove(third, never)
    await backend.remove(second, never)
  })

  it('never touches a container of that name which is not its own', async () => {
    world.must(['create', '--name', 'bot-bottle-taken', world.image])
    const plan = await planOf({ slug: 'taken' })
    expect(await backend.isNameTaken('bot-bottle-taken', never)).toBe(true)
    expect(await codeOf(launch(plan))).toBe('exists')
    expect(world.must(['inspect', 'bot-bottle-taken'])).toContain('bot-bottle-taken')
    expect(await readdir(join(plan.stateDir, 'run'))).toEqual([])
    world.must(['delete', 'bot-bottle-taken'])
  })

  it('is taken back when the call that started it is killed, and never run in another way', async () => {
    const plan = await planOf(shell('sleep 300'))
    world.double.setKnobs({ faults: [{ verb: 'run', kind: 'kill-after' }] })
    const code = await codeOf(launch(plan)).finally(() => world.double.setKnobs({}))
    expect(code).toBe('engine-failed')
    expect(world.containersOf(plan.slug)).toEqual([])
    expect(await readdir(join(plan.stateDir, 'run'))).toEqual([])
    expect(
      world.double.calls().filter(({ argv }) => argv.includes(`dev.icebox.run=${plan.runId}`)),
    ).toHaveLength(1)
  })

  it('neither lists nor removes what another root owns', async () => {
    const other = createMacosContainerBackend({ rootId: 'other-root', home, env: world.double.env })
    const { ref } = await runToEnd(shell('true'))
    expect((await other.list(never)).map((fact) => fact.id)).not.toContain(ref.id)
    expect(await other.find(ref.name, never)).toBeNull()
    expect((await other.remove(ref, never)).left[0]).toMatch(/another state root/)
    expect((await backend.list(never)).find((fact) => fact.id === ref.id)).toMatchObject({
      root: ROOT,
      state: 'exited',
      exitCode: 0,
      role: 'agent',
    })
    expect(await backend.remove(ref, never)).toEqual({ removed: [ref.name], left: [] })
    expect(await backend.remove(ref, never)).toEqual({ removed: [], left: [] })
  })

  it('tells an agent that was killed with its container by an unknown code', async () => {
    const ref = await launch(await planOf(shell('sleep 300')))
    const waiting = backend.wait(ref, never)
    world.must(['kill', ref.id])
    expect(await waiting).toMatchObject({ exitCode: null })
  })

  it('records the end of one that somebody stopped by hand', async () => {
    const ref = await launch(await planOf(shell('trap "exit 9" TERM; while :; do sleep 0.05; done')))
    const waiting = backend.wait(ref, never)
    world.must(['stop', '--time', '20', ref.id])
    expect(await waiting).toMatchObject({ exitCode: 9 })
  })

  it('is started again on its files, with what it is given then', async () => {
    const plan = await planOf({ ...shell('echo once > /kept; exit 3'), secrets: { KEY: 'old' } })
    const ref = await launch(plan)
    expect(await backend.wait(ref, never)).toMatchObject({ exitCode: 3 })
    await backend.runEnded(ref, never)
    const again = { ...plan, ...shell('cat /kept; echo "$KEY"'), secrets: { KEY: 'new' } }
    const second = await backend.restart(ref, again, never)
    expect(await backend.wait(second, never)).toMatchObject({ exitCode: 0 })
    expect(await outputOf(second)).toMatch(/once\nnew\n$/)
  })

  it('follows the output until the end', async () => {
    const ref = await launch(await planOf(shell('echo first; sleep 0.5; echo last')))
    expect(await outputOf(ref, { follow: true })).toBe('first\nlast\n')
  })

  it('runs as the image says, with files in the home and a copied folder', async () => {
    const source = join(home, 'source')
    await mkdir(source, { recursive: true })
    await writeFile(join(source, 'note'), 'copied', { mode: 0o600 })
    await utimes(join(source, 'note'), 1_000_000, 1_000_000)
    const { output, exit } = await runToEnd({
      ...shell('id -u; cat "$HOME/.agent/skill" note; stat -c %u note; echo more > note && cat note'),
      image: { kind: 'image', reference: PLAIN_USER },
      homeFiles: { '.agent/skill': 'skilled\n' },
      copyCwd: source,
    })
    expect(exit).toMatchObject({ exitCode: 0 })
    expect(output).toBe('1000\nskilled\ncopied1000\nmore\n')
    expect(await readFile(join(source, 'note'), 'utf8')).toBe('copied')
  })

  it('sees the folders that are mounted, read-only ones too', async () => {
    const shared = join(home, 'shared')
    await mkdir(shared, { recursive: true })
    const bind = { type: 'bind', source: shared, external: false } as const
    const { output } = await runToEnd({
      ...shell('touch /rw/made; touch /ro/no 2>/dev/null || echo refused'),
      mounts: [
        { ...bind, target: '/rw', readOnly: false },
        { ...bind, target: '/ro', readOnly: true },
        { type: 'tmpfs', source: '', target: '/fast', readOnly: false, external: false },
      ],
    })
    expect(output).toBe('refused\n')
    expect(await readdir(shared)).toEqual(['made'])
  })
})

describe('an image without a shell', () => {
  const image = { kind: 'image', reference: NAKED } as const
  it('runs its command in the open, and nothing tells how it ended', async () => {
    const { ref, exit, output } = await runToEnd({ image, argv: ['/busybox', 'echo', 'plain'] })
    expect(output).toBe('plain\n')
    expect(exit?.exitCode).toBeNull()
    expect(ref.facts).toMatchObject({ hasShell: false })
    expect(ref.facts.notices).toEqual([expect.stringMatching(/no shell/)])
  })
  it('is refused a secret, and leaves nothing', async () => {
    const plan = await planOf({ image, argv: ['/busybox', 'true'], secrets: { KEY: 'CANARY' } })
    await expect(launch(plan)).rejects.toMatchObject({ code: 'unsupported', message: /secret KEY/ })
    expect(world.containersOf(plan.slug)).toEqual([])
    expect(await readdir(join(plan.stateDir, 'run'))).toEqual([])
  })
})

describe('a terminal', () => {
  async function* textOf(data: AsyncIterable<Uint8Array>) {
    let seen = ''
    for await (const chunk of data) {
      seen += Buffer.from(chunk).toString()
      yield seen
    }
  }
  const readUntil = async (data: AsyncIterable<Uint8Array>, pattern: RegExp) => {
    for await (const seen of textOf(data)) if (pattern.test(seen)) return seen
    throw new Error(`the terminal ended without ${pattern}`)
  }

  it('is left and entered again while the agent goes on, and a stop ends it with its code', async () => {
    const plan = await planOf({
      argv: ['/bin/sh', '-c', 'trap "exit 6" HUP TERM; while read line; do echo "got $line"; done'],
      tty: true,
    })
    await backend.preflight(plan, never)
    const ref = await launch(plan)
    const first = await backend.attach(ref, size, never)
    first.write('one\r')
    await readUntil(first.data, /got one/)
    first.detach()
    const second = await backend.attach(ref, size, never)
    second.write('two\r')
    await readUntil(second.data, /got two/)
    second.detach()
    expect((await backend.list(never)).find((fact) => fact.id === ref.id)?.state).toBe('running')
    await backend.stop(ref, { graceSeconds: 10 }, never)
    expect(await backend.wait(ref, never)).toMatchObject({ exitCode: 6 })
    expect(await outputOf(ref)).toMatch(/got one[\s\S]*got two/)
    await expect(backend.attach(ref, size, never)).rejects.toMatchObject({ code: 'not-found' })
    expect(await backend.remove(ref, never)).toEqual({ removed: [ref.name], left: [] })
  })

  it('beside an agent without one is a shell', async () => {
    const ref = await launch(await planOf(shell('echo here > /file; sleep 300')))
    const channel = await backend.attach(ref, size, never)
    channel.write('cat /file; echo $((40 + 2))\r')
    expect(await readUntil(channel.data, /42/)).toMatch(/here/)
    channel.detach()
    await backend.stop(ref, { graceSeconds: 0 }, never)
  })
})

describe('after a death in the middle', () => {
  const intentOf = (plan: LaunchPlan, previous: RuntimeRef | null = null): EngineIntent => ({
    op: previous ? 'resume' : 'start',
    slug: plan.slug,
    rootId: ROOT,
    stateDir: plan.stateDir,
    runId: plan.runId,
    previous,
    runtime: null,
    snapshotId: null,
    target: null,
    startedAt: new Date(Date.now() - 120_000).toISOString(),
  })

  it('a run that began is taken for launched', async () => {
    const plan = await planOf(shell('sleep 300'))
    const ref = await launch(plan)
    const { outcome, runtime } = await backend.recover(intentOf(plan), never)
    expect(outcome).toBe('launched')
    expect(runtime).toMatchObject({
      id: ref.id,
      slug: plan.slug,
      runId: plan.runId,
      backend: 'macos-container',
    })
    await backend.remove(ref, never)
  })

  it('one that did not is removed, and the run before it stays', async () => {
    const { ref: previous } = await runToEnd(shell('true'))
    const plan = await planOf({ slug: previous.slug, previous, tty: true })
    const folder = join(plan.stateDir, 'run', plan.runId, 'guest')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'starts'), '')
    const labels = ['root', 'slug', 'run'].flatMap((name) => {
      const value = { root: ROOT, slug: plan.slug, run: plan.runId }[name]
      return ['--label', `dev.icebox.${name}=${value}`]
    })
    world.must(['create', '--name', `bot-bottle-${plan.slug}-${plan.runId}`, ...labels, world.image])
    const result = await backend.recover(intentOf(plan, previous), never)
    expect(result).toEqual({ outcome: 'rolled-back', runtime: previous, captured: null })
    expect(world.containersOf(plan.slug)).toEqual([previous.id])
    expect(await readdir(join(plan.stateDir, 'run'))).toEqual([previous.runId])
  })

  it('names all that carries the root, and nothing else', async () => {
    const { ref } = await runToEnd(shell('true'))
    const found = await backend.inventory(ROOT, never)
    expect(found.containers).toContainEqual({ id: ref.id, name: ref.name, slug: ref.slug, runId: ref.runId })
    expect(found.images).toEqual([])
    expect((await backend.inventory('nobody', never)).containers).toEqual([])
  })
})

describe('the engine', () => {
  it('is ready, with its release, what that can and what it can not', async () => {
    expect(await backend.probe(never)).toMatchObject({
      name: 'macos-container',
      title: 'Apple container 1.2.2',
      state: 'ready',
      version: '1.2.2',
      capabilities: { liveFreeze: true, pause: false, memory: false },
      reason: null,
    })
    expect(await backend.dataRoot?.(never)).toEqual(expect.any(String))
  })

  it('that is down is told with the command that starts it, which never asks', async () => {
    const ref = await launch(await planOf(shell('sleep 300')))
    const waiting = backend.wait(ref, never)
    world.double.setKnobs({ serviceDown: true })
    try {
      expect(await backend.probe(never)).toMatchObject({
        state: 'down',
        version: '1.2.2',
        fix: 'container system start --enable-kernel-install',
      })
      await expect(backend.list(never)).rejects.toMatchObject({
        code: 'engine-down',
        message: /system start/,
      })
      expect(await codeOf(launch(await planOf()))).toBe('engine-down')
    } finally {
      world.double.setKnobs({})
    }
    await backend.startEngine?.(never)
    // Whoever waits has not taken the silence for an end.
    await backend.stop(ref, { graceSeconds: 0 }, never)
    expect((await waiting)?.exitCode ?? 137).not.toBe(0)
  })

  it('that is not installed costs no process', async () => {
    const nowhere = createMacosContainerBackend({ rootId: ROOT, home, env: { PATH: '/nowhere' } })
    expect(await nowhere.probe(never)).toMatchObject({ state: 'missing', version: null })
    expect(await codeOf(nowhere.list(never))).toBe('engine-missing')
  })

  it('tells of a change that this process made at once, and of its own absence', async () => {
    const controller = new AbortController()
    const seen: string[] = []
    const watching = (async () => {
      for await (const change of backend.watch(controller.signal)) seen.push(`${change.kind} ${change.slug}`)
    })()
    await until(async () => seen.includes('engine null'))
    const { ref } = await runToEnd(shell('sleep 0.2'))
    await until(async () => seen.includes(`exited ${ref.slug}`))
    await backend.remove(ref, never)
    await until(async () => seen.includes(`removed ${ref.slug}`))
    controller.abort()
    await watching
  })

  it('builds what a bottle is to run, and takes that away with the run', async () => {
    const context = join(home, 'context')
    await mkdir(context, { recursive: true })
    await writeFile(join(context, 'Dockerfile'), `FROM ${world.image}\nCOPY hello /hello\n`)
    await writeFile(join(context, 'hello'), 'built\n')
    const image = { kind: 'build', context, dockerfile: 'Dockerfile', target: null } as const
    const { ref, output } = await runToEnd({ image, ...shell('cat /hello') })
    expect(output).toBe('built\n')
    expect(world.must(['image', 'list', '--format', 'json'])).toContain(ref.runId)
    await backend.remove(ref, never)
    expect(world.must(['image', 'list', '--format', 'json'])).not.toContain(ref.runId)
  })

  it('refuses before anything is made what it can not do', async () => {
    const file = join(home, 'single')
    await writeFile(file, '')
    const bind = { type: 'bind', source: file, target: '/f', readOnly: true, external: false } as const
    const before = world.double.calls().length
    expect(await codeOf(backend.preflight(await planOf({ mounts: [bind] }), never))).toBe('unsupported')
    expect(await codeOf(backend.preflight(await planOf({ network: 'none' }), never))).toBe(
      'policy-unenforceable',
    )
    expect(world.double.calls().length).toBe(before)
    const missing = { kind: 'image', reference: 'nobody/has-this:1' } as const
    expect(await backend.preflight(await planOf({ image: missing }), never)).toEqual([
      'The image nobody/has-this:1 is not here yet and will be pulled.',
    ])
    expect(await codeOf(launch(await planOf({ image: missing })))).toBe('image-missing')
  })
})
