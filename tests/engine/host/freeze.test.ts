import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { RuntimeRef } from '../../../src-main/backends/backend.ts'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { type HostWorld, never, openHostWorld, textOf, until } from './host-fixture.ts'

const worlds: HostWorld[] = []
const open = async (options?: Parameters<typeof openHostWorld>[0]): Promise<HostWorld> => {
  const world = await openHostWorld(options)
  worlds.push(world)
  return world
}
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close()
})

const ended = async (world: HostWorld, script: string): Promise<RuntimeRef> => {
  const ref = await world.launch(script)
  await world.backend.wait(ref, never())
  return ref
}

const resumed = async (world: HostWorld, snapshot: Snapshot, previous: RuntimeRef | null, script: string) => {
  const ref = await world.launch(script, { previous, image: { kind: 'snapshot', snapshot } })
  await world.backend.wait(ref, never())
  return ref
}

/**
 * Two files that only ever differ by one step, the first and the last that a copy comes to: 400 others lie between,
 * so that a copy without a pause tears them apart.
 */
const LOCKSTEP = `echo 0 > a; mkdir m; for i in $(seq 200); do echo $i > m/$i; done
  mkdir "$HOME/m"; for i in $(seq 200); do echo $i > "$HOME/m/$i"; done; echo 0 > "$HOME/b"
  i=0; while :; do i=$((i+1)); echo $i > a; cp a "$HOME/b"; done`

for (const isolation of [undefined, 'none'] as const) {
  it(`copies a running agent at one point in time and lets it go on (${isolation ?? 'bwrap'})`, async () => {
    const world = await open(isolation ? { isolation } : {})
    const ref = await world.launch(LOCKSTEP)
    const count = async () => Number((await textOf(join(world.workspace, 'a'))) ?? 0)
    await until('it counts', async () => (await count()) > 20)
    const torn: boolean[] = []
    // Three at least; more where each one happened to come between cut and written.
    for (let round = 0; round < 3 || (round < 20 && !torn.includes(false)); round++) {
      const snapshot = await world.freeze(ref)
      const a = Number(await readFile(join(snapshot.reference, 'workspace', 'a'), 'utf8'))
      const b = (await readFile(join(snapshot.reference, 'home', 'b'), 'utf8')).trim()
      // Empty in the moment between being cut and being written, in either file.
      if (a > 0 && b !== '') expect([a - 1, a]).toContain(Number(b))
      torn.push(a === 0 || b === '')
      expect(Number(snapshot.facts.pausedMs)).toBeGreaterThan(0)
      const before = await count()
      await until('it goes on', async () => (await count()) > before)
    }
    expect(torn).toContain(false)
    expect(await world.backend.hasChangedSince(ref, null, never())).toBe(true)
  })
}

it('pauses agents that start programs all the time, which blocks them where no signal reaches', async () => {
  const world = await open()
  const ref = await world.launch('while :; do /bin/true; done & echo up > up; while :; do /bin/true; done')
  await until('it is up', async () => (await textOf(join(world.workspace, 'up'))) !== null)
  for (let round = 0; round < 20; round++) {
    const snapshot = await world.freeze(ref)
    await world.backend.discardSnapshot(snapshot, never())
  }
})

it('resumes what was frozen, and the older snapshot too', async () => {
  const world = await open()
  const first = await ended(world, 'echo one > file; echo cfg > "$HOME/.cfg"')
  const one = await world.freeze(first)
  expect(await world.backend.hasChangedSince(first, one, never())).toBe(false)
  const second = await resumed(world, one, first, 'echo two > file')
  expect(await world.backend.hasChangedSince(second, one, never())).toBe(true)
  const two = await world.freeze(second, one)
  const back = await resumed(world, one, second, 'cat file "$HOME/.cfg"')
  expect(await world.outputOf(back)).toBe('one\ncfg\n')
  const forth = await resumed(world, two, back, 'cat file')
  expect(await world.outputOf(forth)).toBe('two\n')
  expect((await readdir(world.stateDir)).sort()).toEqual([
    '.preserve',
    'committed-image',
    'live',
    'logs',
    'run',
    'snapshots',
  ])
  expect(await readdir(join(world.stateDir, 'run'))).toEqual([forth.runId])
})

it('copies nothing when the trees are already those of the snapshot', async () => {
  const world = await open()
  const first = await ended(world, 'echo one > file')
  const snapshot = await world.freeze(first)
  const before = await stat(join(world.workspace, 'file'))
  await resumed(world, snapshot, first, 'true')
  expect((await stat(join(world.workspace, 'file'))).ino).toBe(before.ino)
})

it('resumes after the runtime was removed, and forks into another bottle', async () => {
  const world = await open()
  const ref = await ended(world, 'echo kept > file')
  const snapshot = await world.freeze(ref)
  await world.backend.remove(ref, never())
  await rm(join(world.stateDir, 'live'), { recursive: true })
  const again = await resumed(world, snapshot, null, 'cat file; echo more >> file')
  expect(await world.outputOf(again)).toBe('kept\n')
  const forkDir = world.root.path('state', 'fork-1')
  await mkdir(forkDir)
  const fork = await world.launch('cat file', {
    slug: 'fork-1',
    stateDir: forkDir,
    image: { kind: 'snapshot', snapshot },
  })
  await world.backend.wait(fork, never())
  expect(await readFile(join(forkDir, 'logs', `${fork.runId}.log`), 'utf8')).toBe('kept\n')
  expect(await readFile(join(snapshot.reference, 'workspace', 'file'), 'utf8')).toBe('kept\n')
})

it('never shares a file with the snapshot', async () => {
  const world = await open()
  const ref = await ended(world, 'echo x > a; ln a b')
  const snapshot = await world.freeze(ref)
  const [live, copyA, copyB] = await Promise.all([
    stat(join(world.workspace, 'a')),
    stat(join(snapshot.reference, 'workspace', 'a')),
    stat(join(snapshot.reference, 'workspace', 'b')),
  ])
  expect(copyA.ino).not.toBe(live.ino)
  expect(copyA.ino).toBe(copyB.ino)
  expect([live.nlink, copyA.nlink]).toEqual([2, 2])
})

it('keeps odd files, and tells what it leaves out', async () => {
  const world = await open()
  const ref = await ended(
    world,
    `printf x > "$(printf 'na\\377me\\n2')"; ln -s /nowhere dangling; truncate -s 50M sparse; mkfifo pipe
     echo s > setuid; chmod 4750 setuid; mkdir -p ro/mod; echo m > ro/mod/f; chmod 555 ro ro/mod; mkdir empty`,
  )
  const snapshot = await world.freeze(ref)
  expect(snapshot.leftOut).toEqual(['pipe workspace/pipe'])
  expect(snapshot.bytes).toBeLessThan(1_000_000)
  const at = join(snapshot.reference, 'workspace')
  expect((await readdir(at, 'buffer')).map((name) => name.toString('latin1'))).toContain('na\xffme\n2')
  expect(await readlink(join(at, 'dangling'))).toBe('/nowhere')
  const sparse = await stat(join(at, 'sparse'))
  expect([sparse.size, sparse.blocks]).toEqual([50 * 1024 * 1024, 0])
  expect((await stat(join(at, 'setuid'))).mode & 0o7777).toBe(0o4750)
  expect((await stat(join(at, 'ro', 'mod'))).mode & 0o777).toBe(0o555)
  const outside = join(world.userHome, 'precious')
  await writeFile(outside, 'p')
  await symlink(outside, join(at, 'link-out'))
  expect(await world.backend.discardSnapshot(snapshot, never())).toEqual({
    removed: [snapshot.reference],
    left: [],
  })
  expect(await world.backend.discardSnapshot(snapshot, never())).toEqual({ removed: [], left: [] })
  expect(await textOf(outside)).toBe('p')
  expect((await readdir(join(world.stateDir, 'snapshots'))).filter((name) => name.includes('.d'))).toEqual([])
})

it('sees every kind of change, and none where there is none', async () => {
  const world = await open()
  const ref = await ended(world, 'echo 1 > a; mkdir d; ln -s a l; echo h > "$HOME/h"')
  const snapshot = await world.freeze(ref)
  const at = (name: string): string => join(world.workspace, name)
  const changed = () => world.backend.hasChangedSince(ref, snapshot, never())
  expect(await changed()).toBe(false)
  await writeFile(at('scratch'), '')
  expect(await changed()).toBe(true)
  await rm(at('scratch'))
  expect(await changed()).toBe(false)
  await chmod(at('a'), 0o600)
  expect(await changed()).toBe(true)
  await chmod(at('a'), (await lstat(join(snapshot.reference, 'workspace', 'a'))).mode & 0o777)
  expect(await changed()).toBe(false)
  await rm(at('l'))
  await symlink('d', at('l'))
  expect(await changed()).toBe(true)
  await rm(at('l'))
  await symlink('a', at('l'))
  expect(await changed()).toBe(false)
  await writeFile(at('a'), '2\n')
  expect(await changed()).toBe(true)
})

it('refuses a snapshot whose files are gone or are not those that were frozen', async () => {
  const world = await open()
  const ref = await ended(world, 'echo 1 > a')
  const snapshot = await world.freeze(ref)
  const plan = { previous: ref, image: { kind: 'snapshot', snapshot } } as const
  await writeFile(join(world.workspace, 'a'), 'newer')
  await writeFile(join(snapshot.reference, 'workspace', 'a'), 'tampered')
  await expect(world.launch('true', plan)).rejects.toMatchObject({ code: 'corrupt-state', slug: world.slug })
  expect(await textOf(join(world.workspace, 'a'))).toBe('newer')
  await rm(join(snapshot.reference, 'home'), { recursive: true })
  await expect(world.launch('true', plan)).rejects.toMatchObject({ code: 'snapshot-missing' })
  await expect(world.backend.preflight(world.plan('true', plan), never())).rejects.toMatchObject({
    code: 'snapshot-missing',
  })
  expect(await textOf(join(world.workspace, 'a'))).toBe('newer')
  expect(await world.backend.list(never())).toMatchObject([{ runId: ref.runId, state: 'exited' }])
})

it('leaves nothing and lets the agent go on when a freeze is cancelled', async () => {
  const world = await open()
  const ref = await world.launch(
    'truncate -s 0 t; head -c 60000000 /dev/zero > big; while :; do date >> t; done',
  )
  const size = async () => (await stat(join(world.workspace, 't')).catch(() => null))?.size ?? 0
  await until('it writes', async () => (await size()) > 0)
  const stop = new AbortController()
  const freezing = world.backend.freezer.freeze(
    world.root,
    {
      slug: world.slug,
      stateDir: world.stateDir,
      runtime: ref,
      parent: null,
      agent: 't',
      provider: 'custom',
    },
    { reason: 'user', note: '', label: '', pinned: false, confirm: async () => true },
    ({ phase }) => phase === 'copying' && stop.abort(),
    stop.signal,
  )
  await expect(freezing).rejects.toMatchObject({ code: 'cancelled' })
  const before = await size()
  await until('it goes on', async () => (await size()) > before)
  expect(await readdir(join(world.stateDir, 'snapshots')).catch(() => [])).toEqual([])
})

it('copies the folder that was asked for, once', async () => {
  const world = await open()
  const source = join(world.userHome, 'project')
  await mkdir(join(source, '.git'), { recursive: true })
  await writeFile(join(source, '.git', 'HEAD'), 'ref')
  await writeFile(join(source, 'code'), 'v1')
  const ref = await world.launch('cat code .git/HEAD; echo mine > code', { copyCwd: source })
  await world.backend.wait(ref, never())
  expect(await world.outputOf(ref)).toBe('v1ref')
  const again = await world.launch('cat code', { copyCwd: source, previous: ref })
  await world.backend.wait(again, never())
  expect(await world.outputOf(again)).toBe('mine\n')
  expect(await textOf(join(source, 'code'))).toBe('v1')
})
