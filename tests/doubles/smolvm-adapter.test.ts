import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RuntimeRef } from '../../src-main/backends/backend.ts'
import { createSmolBackend } from '../../src-main/backends/smolmachines/smol-backend.ts'
import type { Snapshot } from '../../src-preload/contract/index.ts'
import { until } from '../engine/conformance/suite.ts'
import { writeBusyboxArchive } from '../support/doubles/lib/image-archive.ts'
import { installDouble } from '../support/doubles/lib/install.ts'
import { addRegistryImage } from '../support/doubles/smolvm/images.ts'
import { never, openSmolBench, type SmolBench } from '../support/smolvm-bench.ts'

/** Everything below a folder as one text, to look for what must not be there. */
async function allText(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n')
}

/** Ends a run as the rest of Icebox does. */
async function finish(bench: SmolBench, ref: RuntimeRef): Promise<number | null | undefined> {
  const exit = await bench.backend.wait(ref, never())
  await bench.backend.runEnded(ref, never())
  return exit?.exitCode
}

function snapshotAt(reference: string, id: string): Snapshot {
  return {
    ...{ version: 1, id, slug: 'source', parent: null, backend: 'smolmachines', reference, digest: '' },
    ...{
      createdAt: '2026-11-21T17:00:00Z',
      fidelity: 'files',
      leftOut: [],
      bytes: 1,
      ownBytes: 1,
      reason: 'user',
    },
    ...{ note: '', label: '', pinned: false, status: 'ready', runId: null, agent: '', provider: '' },
    ...{ volumes: [], verified: null, facts: {} },
  }
}

describe('a run on smolvm 1.8.0', () => {
  let bench: SmolBench
  beforeAll(async () => {
    bench = await openSmolBench('1.8.0')
  })
  afterAll(() => bench.dispose())

  it('keeps secrets out of every command line and every file but its own, and that one goes with its end', async () => {
    const ref = await bench.launch('test "$TOKEN" = canary-secret && echo got; sleep 300', {
      secrets: { TOKEN: 'canary-secret' },
    })
    await until(async () => (await bench.outputOf(ref)).includes('got'))
    const calls = bench.world.double.calls().map(({ argv }) => argv.join('\0'))
    expect(calls.join('\n')).not.toContain('canary-secret')
    expect(bench.world.inside(ref.name, 'cat /run/icebox/*')).not.toContain('canary-secret')
    expect(JSON.stringify(ref)).not.toContain('canary-secret')
    await bench.backend.stop(ref, { graceSeconds: 5 }, never())
    expect(await finish(bench, ref)).toBe(143)
    expect(bench.machines().find(({ name }) => name === ref.name)?.state).toBe('stopped')
    expect(await allText(bench.home)).not.toContain('canary-secret')
    // What the guest kept on its disk is what a pack would carry away.
    expect(await allText(join(bench.world.double.dir, 'vms'))).not.toContain('canary-secret')
    expect((await bench.backend.remove(ref, never())).removed).toEqual([ref.name])
  })

  it('copies a folder in, writes home files, and starts again with what it had', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'icebox-copied-'))
    await mkdir(join(folder, 'deep'))
    await writeFile(join(folder, 'deep/file'), 'copied\n')
    const script = 'cat deep/file "$HOME/.note/n"; echo more >>kept; wc -l <kept'
    const more = { copyCwd: folder, env: { HOME: '/root' }, homeFiles: { '.note/n': 'noted\n' } }
    const plan = bench.plan(script, more)
    const ref = await bench.backend.launch(plan, () => undefined, never())
    expect(await finish(bench, ref)).toBe(0)
    expect(await bench.outputOf(ref)).toMatch(/^copied\nnoted\n\s*1\n$/)
    const again = await bench.backend.restart(ref, plan, never())
    expect(await finish(bench, again)).toBe(0)
    expect(await bench.outputOf(again)).toMatch(/2\n$/)
    await bench.backend.remove(again, never())
    await rm(folder, { recursive: true })
  })

  it('leaves another root’s machine alone, whatever it is asked', async () => {
    const other = await bench.other()
    const plan = bench.plan('true', { slug: 'shared', rootId: 'root-b' })
    const theirs = await other.launch(plan, () => undefined, never())
    expect(await bench.backend.list(never())).toEqual([])
    expect(await bench.backend.find(theirs.name, never())).toBeNull()
    expect(await bench.backend.isNameTaken(theirs.name, never())).toBe(true)
    expect(await bench.backend.isThere(theirs, never())).toBe(false)
    expect((await bench.backend.remove(theirs, never())).left).toEqual([
      expect.stringContaining('another state root'),
    ])
    await expect(bench.launch('true', { slug: 'shared' })).rejects.toMatchObject({ code: 'exists' })
    expect(bench.machines().map(({ name }) => name)).toEqual([theirs.name])
    await other.wait(theirs, never())
    await other.remove(theirs, never())
  })

  it('takes the run’s id into its name while the former machine has the plain one, and is found all the same', async () => {
    const first = await bench.launch('echo one', { slug: 'twice' })
    await finish(bench, first)
    const second = await bench.launch('echo two', { slug: 'twice', previous: first })
    expect([first.name, second.name]).toEqual(['bot-bottle-twice', `bot-bottle-twice-${second.runId}`])
    await finish(bench, second)
    await bench.backend.remove(first, never())
    expect(await bench.backend.find('bot-bottle-twice', never())).toMatchObject({ name: second.name })
    const [fact] = await bench.backend.list(never(), { adopted: new Set(), slugs: ['twice'] })
    expect(fact).toMatchObject({ runId: second.runId, state: 'exited', exitCode: 0 })
    await bench.backend.remove(second, never())
  })

  it('takes back a launch that fails, whatever point it came to', async () => {
    for (const verb of ['create', 'start', 'exec']) {
      bench.world.double.setKnobs({ faults: [{ verb, kind: 'fail', message: 'broken' }] })
      await expect(bench.launch('true', { slug: 'broken' })).rejects.toMatchObject({ code: 'engine-failed' })
      bench.world.double.setKnobs({})
      expect(bench.machines()).toEqual([])
      const left = await bench.backend.inventory('root-a', never())
      expect(left.containers).toEqual([])
      expect(await readdir(join(bench.home, 'state/broken/run'))).toEqual([])
      expect(await readdir(join(bench.home, 'icebox/smolmachines'))).toEqual([])
    }
  })

  it('tries again when the engine’s own records are in use', async () => {
    bench.world.double.setKnobs({ faults: [{ verb: 'create', kind: 'locked', times: 2 }] })
    const ref = await bench.launch('true')
    bench.world.double.setKnobs({})
    expect(await finish(bench, ref)).toBe(0)
    await bench.backend.remove(ref, never())
  })

  it('takes back what a launch left whose process died, and keeps one whose agent began', async () => {
    const began = await bench.launch('true', { slug: 'began' })
    const intent = (slug: string, runId: string) => ({
      ...{ op: 'start' as const, slug, runId, rootId: 'root-a', stateDir: join(bench.home, 'state', slug) },
      ...{
        previous: null,
        runtime: null,
        snapshotId: null,
        target: null,
        startedAt: new Date().toISOString(),
      },
    })
    const kept = await bench.backend.recover(intent('began', began.runId), never())
    expect(kept).toMatchObject({ outcome: 'launched', runtime: { name: began.name } })
    // A machine of a run that has no runner yet.
    await rm(join(bench.home, 'state/began/run', began.runId, 'runtime.json'))
    const gone = await bench.backend.recover(intent('began', began.runId), never())
    expect(gone).toMatchObject({ outcome: 'rolled-back', runtime: null })
    expect(bench.machines()).toEqual([])
  })

  it('is found again after a restart whose process died, unless that had begun nothing', async () => {
    const plan = bench.plan('exit 3')
    const ref = await bench.backend.launch(plan, () => undefined, never())
    await finish(bench, ref)
    const intent = {
      ...{ op: 'restart' as const, slug: plan.slug, runId: plan.runId, rootId: plan.rootId },
      ...{ stateDir: plan.stateDir, previous: null, runtime: ref, snapshotId: null, target: null },
      startedAt: new Date().toISOString(),
    }
    const cutOff = { outcome: 'rolled-back', runtime: { name: ref.name } }
    expect(await bench.backend.recover(intent, never())).toMatchObject(cutOff)
    const again = { ...plan, argv: ['sh', '-c', 'exit 4'] }
    const second = await bench.backend.restart(ref, again, never())
    expect(await finish(bench, second)).toBe(4)
    const found = { outcome: 'launched', runtime: second, captured: null }
    expect(await bench.backend.recover(intent, never())).toEqual(found)
    expect(await bench.backend.recover({ ...intent, runtime: second }, never())).toMatchObject(cutOff)
    // A runner that was given no word leaves, and nothing began.
    const run = join(bench.home, 'state', plan.slug, 'run', plan.runId)
    await rm(join(run, 'started'))
    expect(await bench.backend.recover(intent, never())).toMatchObject(cutOff)
    await bench.backend.remove(second, never())
  })

  it('talks with an interactive agent', async () => {
    const ref = await bench.launch('stty size; printf "name? "; read name; echo "hello $name"; exit 5', {
      tty: true,
    })
    const channel = await bench.backend.attach(ref, { cols: 90, rows: 25 }, never())
    let seen = ''
    const ended = (async () => {
      for await (const chunk of channel.data) seen += Buffer.from(chunk).toString()
    })()
    await until(async () => seen.includes('name?'))
    channel.write('bob\r')
    await ended
    expect(await finish(bench, ref)).toBe(5)
    expect(await bench.outputOf(ref)).toContain('hello bob')
    await expect(bench.backend.attach(ref, { cols: 90, rows: 25 }, never())).rejects.toMatchObject({
      code: 'not-found',
    })
    await bench.backend.remove(ref, never())
  })

  it('keeps what a machine was made of while it lives, and a pack’s network out of a bottle without one', async () => {
    const source = await bench.launch('echo packed >kept', { slug: 'source' })
    await finish(bench, source)
    const id = '20261121T170000Z-abcd'
    const folder = join(bench.home, 'state/source/snapshots', `${id}.d`)
    await mkdir(folder, { recursive: true })
    const reference = join(folder, 'bottle.smolmachine')
    bench.world.must('pack', 'create', '--from-vm', source.name, '-o', join(folder, 'bottle'))
    const snapshot = snapshotAt(reference, id)
    const plan = bench.plan('cat kept', {
      ...{ slug: 'heir', network: 'none', image: { kind: 'snapshot', snapshot } },
    })
    const heir = await bench.backend.launch(plan, () => undefined, never())
    expect(await finish(bench, heir)).toBe(0)
    expect(bench.machines().find(({ name }) => name === heir.name)?.network).toBe(false)
    expect((await bench.backend.discardSnapshot(snapshot, never())).removed).toEqual([reference])
    await expect(access(reference)).rejects.toThrow()
    const again = await bench.backend.restart(heir, plan, never())
    expect(await finish(bench, again)).toBe(0)
    expect(await bench.outputOf(again)).toBe('packed\npacked\n')
    // It can still be packed itself, which reads the file that it came from.
    bench.world.must('pack', 'create', '--from-vm', heir.name, '-o', join(bench.home, 'second'))
    await expect(bench.backend.launch(plan, () => undefined, never())).rejects.toMatchObject({
      code: 'snapshot-missing',
    })
    for (const ref of [source, heir]) await bench.backend.remove(ref, never())
  })

  it('runs an image without a shell, says so, and refuses what needs one', async () => {
    const archive = join(bench.world.double.dir, 'bare.tar')
    writeBusyboxArchive(archive, {
      reference: 'docker.io/library/bare:1',
      kind: 'docker',
      tree: { shell: false },
    })
    addRegistryImage(bench.world.double.dir, 'docker.io/library/bare:1', archive)
    const bare = {
      ...{
        slug: 'bare',
        image: { kind: 'image', reference: 'docker.io/library/bare:1' } as const,
        workdir: null,
      },
      ...{ argv: ['/busybox', 'sh', '-c', 'echo "$PLAIN"; exit 3'], env: { PLAIN: 'in sight' } },
    }
    const ref = await bench.launch('', bare)
    expect(ref.facts.notices).toEqual([expect.stringContaining('no shell')])
    expect(await finish(bench, ref)).toBe(3)
    expect(await bench.outputOf(ref)).toBe('in sight\n')
    await bench.backend.remove(ref, never())
    await expect(bench.launch('', { ...bare, secrets: { TOKEN: 'canary' } })).rejects.toMatchObject({
      code: 'unsupported',
    })
    expect(bench.machines()).toEqual([])
  })

  it('lives with a machine that somebody else made and gave to a bottle', async () => {
    bench.world.up('by-hand')
    const found = await bench.backend.find('by-hand', never())
    expect(found).toMatchObject({ name: 'by-hand', slug: '', runId: '', facts: { root: '' } })
    if (!found) return
    const ref = { ...found, slug: 'given', runId: 'abcdefghij' }
    const scope = { adopted: new Set(['by-hand']) }
    expect(await bench.backend.list(never(), scope)).toMatchObject([
      { id: 'by-hand', state: 'running', root: null },
    ])
    expect(await bench.backend.isThere(ref, never())).toBe(true)
    await bench.backend.stop(ref, { graceSeconds: 1 }, never())
    expect(await bench.backend.wait(ref, never())).toMatchObject({ exitCode: null })
    const again = await bench.backend.restart(
      ref,
      bench.plan('echo mine', { slug: 'given', runId: ref.runId }),
      never(),
    )
    expect(await finish(bench, again)).toBe(0)
    expect(await bench.backend.isThere(again, never())).toBe(true)
    expect((await bench.backend.remove(again, never())).removed).toEqual(['by-hand'])
    expect(bench.machines()).toEqual([])
  })

  it('removes a machine only when it is seen to be gone', async () => {
    const ref = await bench.launch('true')
    await finish(bench, ref)
    await bench.backend.remove(ref, never())
    expect(bench.machines()).toEqual([])
    expect(await bench.backend.remove(ref, never())).toEqual({ removed: [], left: [] })
  })
})

describe('a run on smolvm 1.0.2, which has no labels', () => {
  let bench: SmolBench
  beforeAll(async () => {
    bench = await openSmolBench('1.0.2')
  })
  afterAll(() => bench.dispose())

  it('is ours by a record, and a machine that took its name later is not', async () => {
    const ref = await bench.launch('true', { slug: 'own' })
    await finish(bench, ref)
    expect(await bench.backend.list(never())).toMatchObject([
      { root: 'root-a', slug: 'own', runId: ref.runId },
    ])
    bench.world.must('machine', 'delete', '--name', ref.name, '-f')
    const before = Math.floor(Date.now() / 1000)
    await until(async () => Math.floor(Date.now() / 1000) > before)
    bench.world.up(ref.name)
    expect(await bench.backend.list(never())).toMatchObject([{ root: null, slug: null, name: ref.name }])
    expect(await bench.backend.isThere(ref, never())).toBe(false)
    await bench.backend.remove(ref, never())
    expect(bench.machines()).toMatchObject([{ name: ref.name, state: 'running' }])
    await expect(access(join(bench.home, 'state/own/run', ref.runId))).rejects.toThrow()
  })
})

describe('what is no smolvm', () => {
  it('is told apart from a missing one, and nothing of it is called to find that out', async () => {
    const missing = createSmolBackend({ rootId: 'r', home: '/nowhere', env: { PATH: '/nowhere' } })
    expect(await missing.probe(never())).toMatchObject({
      state: 'missing',
      fix: expect.stringContaining('install'),
    })
    await expect(missing.list(never())).rejects.toMatchObject({ code: 'engine-missing' })
    const double = await installDouble({ tool: 'smolvm', version: '0.0.12', config: { program: 'other' } })
    try {
      const wrong = createSmolBackend({ rootId: 'r', home: '/nowhere', env: double.env })
      expect(await wrong.probe(never())).toMatchObject({
        ...{ state: 'missing', version: null },
        reason: expect.stringContaining('wrong smolvm'),
      })
      await expect(wrong.list(never())).rejects.toMatchObject({ code: 'engine-missing' })
    } finally {
      await double.dispose()
    }
  })
})
