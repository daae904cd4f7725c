import { mkdtempSync, readdirSync, utimesSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deleteTree } from '../../../src-main/backends/host/clone-trees.ts'
import type { LayerFile, LoadRequest, Portable } from '../../../src-main/backends/portable.ts'
import { newSnapshotId } from '../../../src-main/state/snapshot-files.ts'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { must } from '../../support/busybox-image.ts'
import { sumTree } from '../../support/odd-trees.ts'
import { type HostWorld, never, openHostWorld, textOf } from './host-fixture.ts'
import { allOf, EXACT, layerOf } from './portable-fixture.ts'

let base: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'icebox-portable-'))
})
afterEach(() => deleteTree(base))

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
    await expect(load({ image: { ...image, config: { WorkingDir: '/' } } })).rejects.toMatchObject({
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
