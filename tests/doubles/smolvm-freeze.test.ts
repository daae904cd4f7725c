import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Snapshot } from '../../src-preload/contract/index.ts'
import { until } from '../engine/conformance/suite.ts'
import { installSmolvm, type SmolvmWorld } from '../support/doubles/smolvm/world.ts'
import { memoryFolder } from '../support/memory-folder.ts'
import { pinnedImage, throwMachinesAway } from '../support/smolvm-conformance.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

const never = new AbortController().signal

interface Scene {
  readonly world: SmolvmWorld
  readonly tests: TestBottles
  /** Verbs that were called since the last time it was asked. */
  verbs(): readonly string[]
  freeze(slug: string, agrees?: boolean): Promise<Snapshot>
  row(slug: string): Promise<{ readonly state: string; readonly currentSnapshot: string | null } | undefined>
  /** What lies beside the records of a bottle's snapshots. */
  parts(slug: string): Promise<readonly string[]>
  helpers(): readonly string[]
}

function scene(version: string, bottle: (world: SmolvmWorld) => string): () => Scene {
  let made: Scene | undefined
  beforeAll(async () => {
    const world = await installSmolvm(version)
    const front = `backend: smolmachines\n${bottle(world)}`
    const tests = await makeTestBottles(front, memoryFolder(), world.double.env)
    let seen = 0
    made = {
      world,
      tests,
      verbs() {
        const all = world.double.calls()
        const fresh = all.slice(seen).map(({ argv }) => argv.slice(0, 2).join(' '))
        seen = all.length
        return fresh
      },
      freeze: async (slug, agrees = true) =>
        (await tests.icebox.bottles.freeze({ slug }, tests.context({ confirm: agrees }))).snapshot,
      row: async (slug) => (await tests.icebox.bottles.list(never)).find((found) => found.slug === slug),
      parts: async (slug) =>
        (await readdir(join(tests.home.dir, 'state', slug, 'snapshots')).catch(() => [])).filter((name) =>
          name.endsWith('.d'),
        ),
      helpers: () =>
        (JSON.parse(world.must('machine', 'ls', '--json')) as { readonly name: string }[])
          .map(({ name }) => name)
          .filter((name) => name.startsWith('icebox-helper-')),
    }
  })
  afterAll(async () => {
    await made?.tests.dispose()
    await made?.world.dispose()
  })
  return () => {
    if (!made) throw new Error('the double is not there')
    return made
  }
}

const RUNNING =
  'echo early > marker; echo kept > /etc/kept; echo gone > /tmp/gone; echo ready; while [ ! -e /tmp/go ]; do sleep 0.1; done'

/** Freezes a bottle in a process of its own, where a fault point may kill it. */
const FREEZE = `
import { createIcebox } from ${JSON.stringify(join(import.meta.dirname, '../../src-main/icebox.ts'))}
const icebox = await createIcebox({ home: process.env.ICEBOX_HOME, env: process.env })
const context = { signal: new AbortController().signal, progress() {}, notice() {}, confirm: async () => true }
await icebox.bottles.freeze({ slug: process.argv[1] }, context)
`

describe('freezing a machine that has to be stopped (1.9.3)', () => {
  const there = scene('1.9.3', (world) => `image: ${pinnedImage(world)}\nworkdir: /workspace`)

  it('changes nothing when the stop is declined; agreed, loses nothing and goes on', async () => {
    const { tests, world, verbs, freeze, row, parts, helpers } = there()
    const { slug } = await tests.launch(RUNNING, 'catch')
    await until(async () => (await tests.output(slug)).includes('ready'))
    verbs()
    await expect(freeze(slug, false)).rejects.toMatchObject({ code: 'cancelled' })
    expect(verbs().filter((verb) => /stop|pack|exec|start/.test(verb))).toEqual([])
    expect(await parts(slug)).toEqual([])
    expect(await row(slug)).toMatchObject({ state: 'running' })

    const snapshot = await freeze(slug)
    expect(snapshot).toMatchObject({ fidelity: 'files+volumes', reason: 'user' })
    expect(snapshot.leftOut).toEqual(['memory and running processes', 'tmpfs /tmp'])
    expect(snapshot.volumes.map((part) => part.destination)).toEqual(['/workspace'])
    // The agent was interrupted and began anew.
    expect(await row(slug)).toMatchObject({ state: 'running', currentSnapshot: snapshot.id })
    await until(async () => (await tests.output(slug)).split('ready').length === 3)
    expect((await readdir(dirname(snapshot.reference))).sort()).toEqual([
      '0.tar',
      'bottle.smolmachine',
      'captured.json',
    ])
    const content = await readFile(snapshot.reference)
    expect(snapshot.digest).toBe(`sha256:${createHash('sha256').update(content).digest('hex')}`)
    expect((await stat(snapshot.reference)).mode & 0o777).toBe(0o600)
    expect(helpers()).toEqual([])
    const machine = `bot-bottle-${slug}`
    expect(
      world.double.run(['machine', 'exec', '--name', machine, '--', 'ls', '/.icebox-snapshot']).exitCode,
    ).not.toBe(0)
    await tests.icebox.bottles.stop(slug, { graceSeconds: 1 }, tests.context())
    throwMachinesAway(world, slug)
    expect(await tests.resume(`${slug}@${snapshot.id}`, 'cat marker /etc/kept; ls /tmp')).toBe(0)
    expect(await tests.output(slug)).toBe('early\nkept\n')
  })

  it('keeps the old snapshot and the running bottle whatever goes wrong with a pack', async () => {
    const { tests, world, freeze, row, parts, helpers } = there()
    const { slug } = await tests.launch(RUNNING, 'faults')
    await until(async () => (await tests.output(slug)).includes('ready'))
    const old = await freeze(slug)
    const faults = [
      [{ verb: 'pack create', kind: 'disk-full', bytes: 4096 }, { code: 'disk-full' }],
      [{ verb: 'pack create', kind: 'kill', bytes: 4096 }, { code: 'engine-failed' }],
      [
        { verb: 'pack create', kind: 'hollow' },
        { code: 'engine-failed', message: expect.stringContaining('not the bottle') },
      ],
      [
        { verb: 'create', kind: 'fail', message: 'agent did not become ready within 30 seconds' },
        { code: 'engine-failed' },
      ],
    ] as const
    for (const [fault, failure] of faults) {
      world.double.setKnobs({ faults: [fault] })
      await expect(freeze(slug)).rejects.toMatchObject(failure)
      world.double.setKnobs({})
      expect(await row(slug)).toMatchObject({ state: 'running', currentSnapshot: old.id })
      expect(await parts(slug)).toEqual([`${old.id}.d`])
      expect(helpers()).toEqual([])
    }
    expect((await freeze(slug)).parent).toBe(old.id)
  })

  it('is as before after a death at any point, or holds the snapshot that was whole', async () => {
    const { tests, world, row, parts, helpers } = there()
    const { slug } = await tests.launch(RUNNING, 'killed')
    await until(async () => (await tests.output(slug)).includes('ready'))
    let starts = 1
    for (const point of ['smolmachines:after-stop', 'smolmachines:after-settle', 'freeze:after-capture']) {
      const env = { ...world.double.env, ICEBOX_HOME: tests.home.dir, ICEBOX_FAULT: `${point}:kill` }
      const died = spawnSync(process.execPath, ['--input-type=module', '-e', FREEZE, slug], { env })
      expect([point, died.signal, died.stderr.toString()]).toEqual([point, 'SIGKILL', ''])
      const [sentence] = await tests.icebox.bottles.recover(tests.context())
      const isWhole = point === 'freeze:after-capture'
      expect(sentence).toContain(isWhole ? 'is complete' : 'was taken back')
      starts++
      await until(async () => (await tests.output(slug)).split('ready').length === starts + 1)
      expect(await row(slug)).toMatchObject({
        state: 'running',
        ...(isWhole ? {} : { currentSnapshot: null }),
      })
      expect((await parts(slug)).length).toBe(isWhole ? 1 : 0)
      expect(helpers()).toEqual([])
    }
    await tests.icebox.bottles.stop(slug, { graceSeconds: 1 }, tests.context())
    const id = (await row(slug))?.currentSnapshot ?? ''
    throwMachinesAway(world, slug)
    expect(await tests.resume(`${slug}@${id}`, 'cat marker /etc/kept')).toBe(0)
    expect(await tests.output(slug)).toBe('early\nkept\n')
  })

  it('leaves as an image, comes back as one, and is then copied without a question', async () => {
    const { tests, verbs, freeze, row, helpers } = there()
    const made = await tests.run(
      'echo one > a; ln a hard; ln -s a soft; mkdir -p /opt/d; chmod 2750 /opt/d; chown 12:34 /opt/d; echo s > /opt/suid; chmod 4755 /opt/suid; echo odd > "/opt/a b"; rm /etc/group',
      'maker',
    )
    await freeze(made.slug)
    const file = join(tests.home.dir, 'made.bottle')
    await tests.icebox.artifacts.export(
      { slug: made.slug, compression: 'gzip', thin: false },
      { file },
      tests.context(),
    )
    const { slug, backend } = await tests.icebox.artifacts.import(
      { file },
      { label: 'copy' },
      tests.context(),
    )
    expect(backend).toBe('smolmachines')
    const verified = await tests.icebox.artifacts.verify({ slug }, tests.context())
    expect(verified.verified).toMatchObject({ outcome: 'passed' })

    const look =
      'cat hard soft "/opt/a b"; stat -c "%a %u:%g" /opt/d /opt/suid; [ a -ef hard ] && echo linked; ls /etc/group; ls -A / | grep icebox'
    const launched = Promise.withResolvers<void>()
    const ended = tests.icebox.bottles.resume(
      {
        slug,
        mode: 'headless',
        prompt: `(${look}) 2>/dev/null; ${RUNNING}`,
        onLaunched: () => launched.resolve(),
      },
      tests.context(),
    )
    await launched.promise
    await until(async () => (await tests.output(slug)).includes('ready'))
    expect(await tests.output(slug)).toBe('one\none\nodd\n2750 12:34\n4755 0:0\nlinked\nready\n')
    verbs()
    const snapshot = await freeze(slug, false)
    expect(verbs()).not.toContain('machine stop')
    expect(await row(slug)).toMatchObject({ state: 'running' })
    // It was never interrupted.
    expect((await tests.output(slug)).split('ready').length).toBe(2)
    expect(snapshot.reference).toMatch(/\/image\.tar$/)
    expect(snapshot.leftOut).toEqual(['memory and running processes', 'tmpfs /tmp', 'extended attributes'])
    expect(snapshot.facts.config).toMatchObject({ WorkingDir: '/workspace', Cmd: ['sh'] })
    expect(helpers()).toEqual([])
    await tests.icebox.bottles.stop(slug, { graceSeconds: 1 }, tests.context())
    await ended
    expect(await tests.resume(`${slug}@${snapshot.id}`, `(${look}; cat marker /etc/kept) 2>/dev/null`)).toBe(
      0,
    )
    expect(await tests.output(slug)).toBe(
      'one\none\nodd\n2750 12:34\n4755 0:0\nlinked\n.icebox-snapshot\nearly\nkept\n',
    )
  })
})

describe('freezing with memory (1.23.0)', () => {
  const there = scene('1.23.0', (world) => `image: ${pinnedImage(world)}\nworkdir: /workspace`)

  it('asks nothing and stops nothing; the files travel without waking the memory', async () => {
    const { tests, verbs, freeze, row, helpers } = there()
    const { slug } = await tests.launch(RUNNING, 'memory')
    await until(async () => (await tests.output(slug)).includes('ready'))
    verbs()
    const snapshot = await freeze(slug, false)
    expect(verbs().filter((verb) => /machine (stop|start|create)|pack/.test(verb))).toEqual([])
    expect(snapshot).toMatchObject({ fidelity: 'files+memory', leftOut: [], volumes: [] })
    expect(snapshot.reference).toMatch(/\/bottle\.smolcheckpoint$/)
    expect(await row(slug)).toMatchObject({ state: 'running' })
    expect((await tests.output(slug)).split('ready').length).toBe(2)
    const verified = await tests.icebox.artifacts.verify({ slug }, tests.context())
    expect(verified.verified).toMatchObject({ outcome: 'passed' })
    expect(helpers()).toEqual([])
    await tests.icebox.bottles.stop(slug, { graceSeconds: 1 }, tests.context())
  })

  it('packs a stopped machine with its workspace, and proves it', async () => {
    const { tests, freeze, helpers } = there()
    const { slug } = await tests.run('echo packed > marker; echo x > /etc/kept', 'stopped')
    const snapshot = await freeze(slug, false)
    expect(snapshot).toMatchObject({ fidelity: 'files', leftOut: [], volumes: [] })
    const verified = await tests.icebox.artifacts.verify({ slug }, tests.context())
    expect(verified.verified).toMatchObject({ outcome: 'passed' })
    expect(helpers()).toEqual([])
    expect(await tests.resume(slug, 'cat marker /etc/kept')).toBe(0)
    expect(await tests.output(slug)).toBe('packed\nx\n')
  })

  it('takes in a file that smolvm wrote itself, whole or not at all', async () => {
    const { tests, world, helpers } = there()
    world.up('theirs')
    world.inside('theirs', 'echo theirs > /etc/kept')
    world.must('machine', 'stop', '--name', 'theirs')
    const output = join(world.double.dir, 'theirs')
    world.must('pack', 'create', '--from-vm', 'theirs', '-o', output)
    world.must('machine', 'delete', ...world.named('theirs'), '-f')
    const file = `${output}.smolmachine`
    const imported = await tests.icebox.artifacts.import({ file }, {}, tests.context())
    expect(imported).toMatchObject({ slug: 'theirs', backend: 'smolmachines' })
    const verified = await tests.icebox.artifacts.verify({ slug: 'theirs' }, tests.context())
    expect(verified).toMatchObject({ fidelity: 'files', reason: 'imported', verified: { outcome: 'passed' } })

    const spoilt = await readFile(file)
    spoilt[1000] = (spoilt[1000] ?? 0) ^ 1
    const other = join(world.double.dir, 'spoilt.smolmachine')
    await writeFile(other, spoilt)
    await expect(tests.icebox.artifacts.import({ file: other }, {}, tests.context())).rejects.toMatchObject({
      code: 'artifact-invalid',
    })
    expect(await readdir(join(tests.home.dir, 'state'))).not.toContain('spoilt')
    expect(helpers()).toEqual([])
  })
})
