import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, utimesSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deleteTree } from '../../../src-main/backends/host/clone-trees.ts'
import { walkTrees } from '../../../src-main/backends/host/portable/list-tree.ts'
import { packTrees } from '../../../src-main/backends/host/portable/pack-trees.ts'
import { findTar } from '../../../src-main/backends/host/portable/tar-program.ts'
import { unpackTrees } from '../../../src-main/backends/host/portable/unpack-trees.ts'
import type { LayerFile, LoadRequest, Portable } from '../../../src-main/backends/portable.ts'
import { newSnapshotId } from '../../../src-main/state/snapshot-files.ts'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { must } from '../../support/busybox-image.ts'
import { makeTree, sumTree, treeRecipe } from '../../support/odd-trees.ts'
import { type HostWorld, never, openHostWorld, textOf } from './host-fixture.ts'

const EXACT = { withOwner: true, exactTimes: true } as const
let base: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'icebox-portable-'))
})
afterEach(() => deleteTree(base))

async function allOf(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function layerOf(tar: Uint8Array): LayerFile {
  const diffId = `sha256:${createHash('sha256').update(tar).digest('hex')}`
  return {
    diffId,
    bytes: tar.length,
    async *open() {
      for (let at = 0; at < tar.length; at += 100_000) yield tar.subarray(at, at + 100_000)
    },
  }
}

async function gnuTar() {
  const program = await findTar(process.env)
  if (program?.kind !== 'gnu') throw new Error('these tests need GNU tar')
  return program
}

function makeRoots(at: string): void {
  for (const tree of ['workspace', 'home']) mkdirSync(join(at, tree), { recursive: true })
}

describe('the layer of two trees', () => {
  it('brings any tree back bit for bit, packed by tar or by hand, and the same bytes come from a copy', async () => {
    const program = await gnuTar()
    let round = 0
    await fc.assert(
      fc.asyncProperty(treeRecipe(true), treeRecipe(true), async (work, home) => {
        const at = join(base, String(round++))
        makeRoots(join(at, 'from'))
        makeTree(join(at, 'from/workspace'), work)
        makeTree(join(at, 'from/home'), home)
        const before = sumTree(join(at, 'from'), EXACT).slice(1)
        await must('cp', ['-a', join(at, 'from'), join(at, 'copy')])
        for (const by of [program, null]) {
          const tar = await allOf(packTrees(join(at, 'from'), by, never()))
          expect((await allOf(packTrees(join(at, 'copy'), by, never()))).equals(tar)).toBe(true)
          const to = join(at, by ? 'by-tar' : 'by-hand')
          await unpackTrees(to, [layerOf(tar)], program, () => undefined, never())
          expect(sumTree(to, EXACT).slice(1)).toEqual(before)
        }
        expect(await walkTrees(join(at, 'from'), never())).toHaveLength(before.length)
        await deleteTree(at)
      }),
      { numRuns: 12, endOnFailure: true },
    )
  })

  it('keeps holes as holes, however large, in an archive of few bytes', async () => {
    makeRoots(join(base, 'from'))
    const file = await open(join(base, 'from/workspace/disk'), 'wx')
    await file.write('start', 0)
    await file.write('middle', 700_000_000)
    await file.truncate(1_500_000_000)
    await file.close()
    await must('ln', [join(base, 'from/workspace/disk'), join(base, 'from/workspace/twin')])
    const tar = await allOf(packTrees(join(base, 'from'), await gnuTar(), never()))
    expect(tar.length).toBeLessThan(100_000)
    await unpackTrees(join(base, 'to'), [layerOf(tar)], await gnuTar(), () => undefined, never())
    const found = await stat(join(base, 'to/workspace/disk'))
    expect(found).toMatchObject({ size: 1_500_000_000, nlink: 2 })
    expect(found.blocks * 512).toBeLessThan(1_000_000)
    await must('cmp', [join(base, 'from/workspace/disk'), join(base, 'to/workspace/disk')])
  }, 60_000)

  it('carries extended attributes of users', async () => {
    makeRoots(join(base, 'from'))
    await writeFile(join(base, 'from/workspace/tagged'), 'x')
    const set = 'import os,sys; os.setxattr(sys.argv[1], "user.note", bytes([1, 0, 255, 61]))'
    await must('python3', ['-c', set, join(base, 'from/workspace/tagged')])
    const tar = await allOf(packTrees(join(base, 'from'), await gnuTar(), never()))
    await unpackTrees(join(base, 'to'), [layerOf(tar)], await gnuTar(), () => undefined, never())
    const get = 'import os,sys; print(os.getxattr(sys.argv[1], "user.note").hex())'
    expect(await must('python3', ['-c', get, join(base, 'to/workspace/tagged')])).toBe('0100ff3d\n')
  })

  it('obeys whiteouts of upper layers and never writes through a link of a lower one', async () => {
    const layers = await Promise.all(
      [
        'mkdir -p workspace/keep workspace/emptied home/agent; echo 1 > workspace/keep/a; echo 1 > workspace/b; ' +
          'echo 1 > workspace/emptied/old; mkdir workspace/was-folder; echo 1 > workspace/was-folder/x; ln -s /tmp workspace/out',
        'mkdir -p workspace/keep workspace/emptied home/agent; echo 2 > workspace/keep/c; touch workspace/.wh.b; ' +
          'touch workspace/emptied/.wh..wh..opq; echo 2 > workspace/emptied/new; echo 2 > workspace/was-folder',
      ].map((script, index) => tarOf(script, String(index))),
    )
    const to = join(base, 'to')
    await unpackTrees(to, layers.map(layerOf), await gnuTar(), () => undefined, never())
    const found = await must('sh', ['-c', 'cd "$0"; find . -type f | sort | xargs grep -H .', to])
    expect(found.trim().split('\n')).toEqual([
      './workspace/emptied/new:2',
      './workspace/keep/a:1',
      './workspace/keep/c:2',
      './workspace/was-folder:2',
    ])
    const behind = await tarOf('mkdir -p workspace/out; echo bad > workspace/out/icebox-escaped', 'bad')
    await expect(
      unpackTrees(
        join(base, 'two'),
        [...layers, behind].map(layerOf),
        await gnuTar(),
        () => undefined,
        never(),
      ),
    ).rejects.toMatchObject({ code: 'artifact-invalid' })
    expect(await textOf('/tmp/icebox-escaped')).toBeNull()
  })

  async function tarOf(script: string, name: string): Promise<Buffer> {
    await mkdir(join(base, name))
    await must('sh', ['-c', `cd "$0"; ${script}`, join(base, name)])
    await must('tar', [
      '-C',
      join(base, name),
      '-cf',
      join(base, `${name}.tar`),
      'workspace',
      ...(name === 'bad' ? [] : ['home']),
    ])
    return readFile(join(base, `${name}.tar`))
  }
})

describe('the portable side of host snapshots', () => {
  let world: HostWorld
  let portable: Portable
  beforeEach(async () => {
    world = await openHostWorld()
    portable = await world.backend.portable()
  })
  afterEach(() => world.close())

  async function frozen(script: string): Promise<Snapshot> {
    const ref = await world.launch(script)
    await world.backend.wait(ref, never())
    return world.freeze(ref)
  }

  async function exported(snapshot: Snapshot): Promise<Buffer> {
    let tar: Buffer | undefined
    const ids = await portable.readLayers(
      snapshot,
      null,
      async ({ content }) => {
        tar = await allOf(content)
        return layerOf(tar).diffId
      },
      never(),
    )
    if (!tar) throw new Error('no layer came')
    expect(ids).toEqual([layerOf(tar).diffId])
    return tar
  }

  function request(
    snapshot: Snapshot,
    layers: readonly LayerFile[],
    changes: Partial<LoadRequest> = {},
  ): LoadRequest {
    return {
      snapshot,
      rootId: world.root.id,
      image: {
        platform: { os: 'linux', architecture: 'amd64' },
        config: { WorkingDir: '/workspace', Env: ['HOME=/home/agent'] },
        createdAt: snapshot.createdAt,
        diffIds: layers.map(({ diffId }) => diffId),
      },
      layers: new Map(layers.map((layer) => [layer.diffId, layer])),
      verified: Promise.resolve(),
      ...changes,
    }
  }

  const elsewhere = (snapshot: Snapshot): Snapshot => ({
    ...snapshot,
    slug: `${snapshot.slug}-copy`,
    id: newSnapshotId(new Date(Date.now() + 5000)),
    reference: '',
    digest: '',
  })

  it('describes, packs, loads under another name and resumes there', async () => {
    const snapshot = await frozen(
      'echo kept > marker; echo mine > "$HOME/.rc"; ln -s marker link; chmod 600 marker',
    )
    expect(await portable.describe(snapshot, never())).toMatchObject({
      platform: { os: 'linux' },
      config: { WorkingDir: '/workspace', Env: ['HOME=/home/agent'] },
      diffIds: null,
      baseLayers: 0,
      createdAt: snapshot.createdAt,
    })
    const tar = await exported(snapshot)
    expect((await exported(snapshot)).equals(tar)).toBe(true)
    await writeFile(join(base, 'layer.tar'), tar)
    const names = (await must('tar', ['-tf', join(base, 'layer.tar')])).split('\n')
    expect(names.slice(0, 2)).toEqual(['home/agent/', 'home/agent/.rc'])
    expect(await portable.heldLayers([layerOf(tar).diffId], never())).toBe(0)

    const target = elsewhere(snapshot)
    const loaded = await portable.load(request(target, [layerOf(tar)]), () => undefined, never())
    const path = world.root.path('state', target.slug, 'snapshots', `${target.id}.d`)
    expect(loaded).toMatchObject({ reference: path, digest: snapshot.digest, bytes: snapshot.bytes })
    expect(sumTree(path, EXACT).filter((line) => !/^"(manifest.json)?" /.test(line))).toEqual(
      sumTree(snapshot.reference, EXACT).filter((line) => !/^"(manifest.json)?" /.test(line)),
    )
    expect(await portable.sizes([snapshot, { ...target, ...loaded }], never())).toMatchObject([
      { snapshotId: snapshot.id, layers: [{ bytes: snapshot.bytes }] },
      { snapshotId: target.id, layers: [{ bytes: snapshot.bytes }] },
    ])
    const plan = world.plan('cat marker "$HOME/.rc"', {
      slug: target.slug,
      stateDir: world.root.path('state', target.slug),
      image: { kind: 'snapshot', snapshot: { ...target, ...loaded } },
    })
    const ref = await world.backend.launch(plan, () => undefined, never())
    await world.backend.wait(ref, never())
    expect(await textOf(join(plan.stateDir, 'logs', `${ref.runId}.log`))).toBe('kept\nmine\n')
    await world.backend.remove(ref, never())
  })

  it('leaves nothing of a load that is refused, fails or is cancelled', async () => {
    const snapshot = await frozen('echo kept > marker')
    const layer = layerOf(await exported(snapshot))
    const target = elsewhere(snapshot)
    const snapshots = world.root.path('state', target.slug, 'snapshots')
    const left = () => readdir(snapshots).catch(() => [])
    const load = (changes: Partial<LoadRequest>, signal = never()) =>
      portable.load({ ...request(target, [layer]), ...changes }, () => undefined, signal)

    const { image } = request(target, [layer])
    await expect(load({ image: { ...image, config: { WorkingDir: '/app' } } })).rejects.toMatchObject({
      code: 'unsupported',
    })
    await expect(load({ layers: new Map() })).rejects.toMatchObject({ code: 'artifact-base-missing' })
    await expect(load({ verified: Promise.reject(new Error('bad digest')) })).rejects.toThrow('bad digest')
    expect(await left()).toEqual([])

    await expect(load({ layers: new Map([[layer.diffId, { ...layer, open: broken }]]) })).rejects.toThrow(
      'the disk went away',
    )
    expect(await left()).toEqual([])

    const stop = new AbortController()
    const cancelling = {
      ...layer,
      async *open(signal: AbortSignal) {
        for await (const chunk of layer.open(signal)) {
          stop.abort()
          yield chunk
        }
      },
    }
    await expect(load({ layers: new Map([[layer.diffId, cancelling]]) }, stop.signal)).rejects.toThrow()
    expect(await left()).toEqual([])

    await mkdir(join(base, 'etc'))
    await writeFile(join(base, 'etc/passwd'), 'x')
    await must('tar', ['-C', base, '-cf', join(base, 'more.tar'), 'etc'])
    const more = await readFile(join(base, 'more.tar'))
    const foreign = request(target, [layer, layerOf(more)])
    await expect(portable.load(foreign, () => undefined, never())).rejects.toMatchObject({
      code: 'unsupported',
    })
    expect(await left()).toEqual([])
  })

  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(512)
    throw new Error('the disk went away')
  }

  it('tells lost trees', async () => {
    const snapshot = await frozen('true')
    await deleteTree(join(snapshot.reference, 'home'))
    await expect(portable.describe(snapshot, never())).rejects.toMatchObject({ code: 'snapshot-missing' })
    await expect(exported(snapshot)).rejects.toMatchObject({ code: 'snapshot-missing' })
    expect(await portable.sizes([snapshot], never())).toMatchObject([{ layers: [{ bytes: 0 }] }])
  })

  it('boots: the check runs in a copy, in the sandbox, without network, and nothing is left', async () => {
    const snapshot = await frozen('echo kept > marker; echo mine > "$HOME/.rc"')
    const before = sumTree(snapshot.reference, EXACT)
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const boot = (check: readonly string[] | null, timeoutSeconds = 20) =>
      portable.boot({ snapshot, rootId: world.root.id, check, timeoutSeconds }, never())
    try {
      expect(await boot(null)).toEqual({ check: null, exitCode: null, output: '' })
      expect(await boot(['sh', '-c', 'cat marker ~/.rc; echo more >> marker; pwd'])).toMatchObject({
        check: 'sh -c cat marker ~/.rc; echo more >> marker; pwd',
        exitCode: 0,
        output: expect.stringMatching(/^kept\nmine\n.*\/workspace\n$/),
      })
      expect(await boot(['sh', '-c', 'echo no >&2; exit 7'])).toMatchObject({ exitCode: 7, output: 'no\n' })
      const connect = `exec 3<>/dev/tcp/127.0.0.1/${port}`
      expect((await boot(['bash', '-c', connect])).exitCode).not.toBe(0)
      expect((await boot(['sleep', '1000'], 1)).exitCode).toBe(124)
      expect(await boot(['sh', '-c', 'sleep 1000 & echo done'])).toMatchObject({
        exitCode: 0,
        output: 'done\n',
      })
      expect((await boot(['no-such-program'])).exitCode).not.toBe(0)
    } finally {
      server.close()
    }
    expect(sumTree(snapshot.reference, EXACT)).toEqual(before)
    expect(readdirSync(world.root.path('icebox')).filter((name) => name.startsWith('boot-'))).toEqual([])
    const processes = await must('ps', ['-eo', 'args'])
    expect(processes).not.toContain(world.root.dir)
  })

  it('refuses a check where the network can’t be taken away, and a snapshot that was changed', async () => {
    const snapshot = await frozen('echo kept > marker')
    const bare = await openHostWorld({ isolation: 'none' })
    try {
      const ref = await bare.launch('echo kept > marker')
      await bare.backend.wait(ref, never())
      const other = await bare.freeze(ref)
      const ask = { snapshot: other, rootId: bare.root.id, timeoutSeconds: 5 }
      const its = await bare.backend.portable()
      await expect(its.boot({ ...ask, check: ['true'] }, never())).rejects.toMatchObject({
        code: 'policy-unenforceable',
      })
      expect(await its.boot({ ...ask, check: null }, never())).toMatchObject({ check: null })
    } finally {
      await bare.close()
    }
    await writeFile(join(snapshot.reference, 'workspace/marker'), 'other')
    await expect(
      portable.boot({ snapshot, rootId: world.root.id, check: null, timeoutSeconds: 5 }, never()),
    ).rejects.toMatchObject({ code: 'corrupt-state' })
  })

  it('tells what the bottle changed since a snapshot', async () => {
    const ref = await world.launch(
      'echo a > same; echo b > edited; echo c > gone; mkdir folder; ln -s a link',
    )
    await world.backend.wait(ref, never())
    const snapshot = await world.freeze(ref)
    expect(await portable.differences?.(ref, snapshot, never())).toEqual([])
    await writeFile(join(world.workspace, 'edited'), 'longer than before')
    await rm(join(world.workspace, 'gone'))
    await rm(join(world.workspace, 'link'))
    await symlink('b', join(world.workspace, 'link'))
    await writeFile(join(world.stateDir, 'live/home/.new'), '12')
    utimesSync(join(world.workspace, 'folder'), 1, 1)
    expect(await portable.differences?.(ref, snapshot, never())).toEqual([
      { path: '/home/agent/.new', kind: 'added', isFolder: false, bytes: 2 },
      { path: '/workspace/edited', kind: 'changed', isFolder: false, bytes: 18 },
      { path: '/workspace/gone', kind: 'removed', isFolder: false, bytes: null },
      { path: '/workspace/link', kind: 'changed', isFolder: false, bytes: null },
    ])
  })
})
