import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Backend, LaunchPlan, RuntimeRef } from '../../src-main/backends/backend.ts'
import { createMacosContainerBackend } from '../../src-main/backends/macos-container/macos-container-backend.ts'
import { until } from '../engine/conformance/suite.ts'
import type { ContainerWorld } from '../support/container-double.ts'
import { type ContainerRuns, codeOf, makeContainerRuns, shell } from '../support/container-runs.ts'
import { writeBusyboxArchive } from '../support/doubles/lib/image-archive.ts'

const never = new AbortController().signal
const NAKED = 'docker.io/library/naked:1'
const PLAIN_USER = 'docker.io/library/plain-user:1'
const size = { cols: 100, rows: 30 }

let runs: ContainerRuns
let world: ContainerWorld
let home: string
let backend: Backend

beforeAll(async () => {
  runs = await makeContainerRuns('1.2.2')
  ;({ world, home, backend } = runs)
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
afterAll(() => runs?.dispose())

const planOf = (more?: Partial<LaunchPlan>) => runs.planOf(more)
const launch = (plan: LaunchPlan) => runs.launch(plan)
const outputOf = (ref: RuntimeRef, options?: { readonly follow: boolean }) => runs.outputOf(ref, options)
const runToEnd = (more: Partial<LaunchPlan>) => runs.runToEnd(more)

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
      root: runs.rootId,
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

  it('is found again after a restart whose process died, unless that had begun nothing', async () => {
    const plan = await planOf(shell('exit 3'))
    const ref = await launch(plan)
    const end = await backend.wait(ref, never)
    const intent = {
      ...{ op: 'restart' as const, slug: plan.slug, runId: plan.runId, rootId: plan.rootId },
      ...{ stateDir: plan.stateDir, previous: null, runtime: ref, snapshotId: null, target: null },
      ...{ startedAt: new Date().toISOString(), formerEnd: end?.endedAt ?? null },
    }
    const cutOff = { outcome: 'rolled-back', runtime: { id: ref.id } }
    expect(await backend.recover(intent, never)).toMatchObject(cutOff)
    const second = await backend.restart(ref, { ...plan, ...shell('exit 4') }, never)
    // One that did its work and ended before anybody looked is not to run once more.
    expect(await backend.wait(second, never)).toMatchObject({ exitCode: 4 })
    expect(await backend.recover(intent, never)).toMatchObject({
      outcome: 'launched',
      runtime: { id: ref.id },
    })
    const later = { ...intent, startedAt: new Date().toISOString() }
    expect(await backend.recover(later, never)).toMatchObject(cutOff)
    const third = await backend.restart(second, { ...plan, ...shell('sleep 300') }, never)
    expect(await backend.recover(later, never)).toEqual({
      outcome: 'launched',
      runtime: third,
      captured: null,
    })
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
