import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { expect, test } from 'vitest'
import type { Portable } from '../../../src-main/backends/portable.ts'
import type { Backends } from '../../../src-main/backends/registry.ts'
import type { ArtifactDeps } from '../../../src-main/bottles/artifact-deps.ts'
import type { ExportTarget } from '../../../src-main/bottles/artifact-services.ts'
import { exportBottle } from '../../../src-main/bottles/export-bottle.ts'
import { searchSnapshotSecrets } from '../../../src-main/bottles/search-secrets.ts'
import type { OperationContext } from '../../../src-main/bottles/services.ts'
import { openSettings } from '../../../src-main/state/settings.ts'
import {
  removeSnapshotRecord,
  writeCommittedImage,
  writeSnapshot,
} from '../../../src-main/state/snapshot-files.ts'
import { isBottleError } from '../../../src-main/system/bottle-error.ts'
import type { Progress, Snapshot } from '../../../src-preload/contract/index.ts'
import {
  fakeEngine,
  ID,
  layerTar,
  makeScene,
  SLUG,
  sha,
  snapshotRecord,
  workers,
} from '../artifacts/export/scene.ts'

const layers = [layerTar('base', 400_000), layerTar('own', 30_000)]

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'nothing',
    (error: unknown) => (isBottleError(error) ? error.code : String(error)),
  )

async function makeBottle(
  portable: Portable = fakeEngine(layers).portable,
  snapshot: Snapshot = snapshotRecord(),
) {
  const scene = await makeScene()
  const { root, store } = scene
  await mkdir(root.path('state', SLUG), { recursive: true })
  await writeFile(
    root.path('state', SLUG, 'metadata.json'),
    JSON.stringify({ agent_name: 'coder', bottle_names: ['box'] }),
  )
  await writeFile(root.path('bottles/box.md'), '---\nbackend: docker\n---\n')
  await writeSnapshot(root, snapshot)
  await writeCommittedImage(root, SLUG, snapshot.reference)
  const backends = {
    get: async () => ({ portable: async () => portable }),
  } as unknown as Backends
  const deps: ArtifactDeps = {
    root,
    backends,
    secrets: async () => {
      throw new Error('no keychain here')
    },
    env: {},
    store: async () => store,
    workers: async () => workers,
    settings: () => openSettings(root),
  }
  const folder = root.path('out')
  await mkdir(folder)
  const notices: string[] = []
  const progress: Progress[] = []
  const stop = new AbortController()
  const context: OperationContext = {
    signal: stop.signal,
    progress: (told) => progress.push(told),
    notice: (text) => notices.push(text),
    confirm: async () => false,
  }
  return {
    ...scene,
    deps,
    folder,
    file: join(folder, 'a.bottle'),
    notices,
    progress,
    stop,
    run: (
      target: ExportTarget,
      changes: { thin?: boolean; compression?: 'gzip' | 'zstd' | 'none'; snapshot?: string } = {},
    ) => exportBottle(deps, { slug: SLUG, compression: 'gzip', thin: false, ...changes }, target, context),
  }
}

test('an export is one file with what its result says, and the store keeps the image', async () => {
  const bottle = await makeBottle()
  const result = await bottle.run({ file: bottle.file })
  const bytes = await readFile(bottle.file)
  expect(result).toMatchObject({
    file: bottle.file,
    bytes: bytes.length,
    snapshot: ID,
    thin: false,
    compression: 'gzip',
  })
  expect(bytes.includes(result.digest.slice(7))).toBe(true)
  expect(await readdir(bottle.folder)).toEqual(['a.bottle'])
  const { manifests } = await bottle.store.readIndex()
  expect(manifests.map(({ digest }) => digest)).toEqual([result.digest])
  expect((await bottle.store.collect({ dryRun: true }, bottle.stop.signal)).blobs).toBe(0)
  expect(bottle.progress.at(-1)).toEqual({ phase: 'writing', current: bytes.length, total: bytes.length })
})

test('a second export is the same bytes, with the store emptied in between or not, to a file or a stream', async () => {
  const bottle = await makeBottle()
  await bottle.run({ file: bottle.file })
  const first = await readFile(bottle.file)
  await bottle.run({ file: join(bottle.folder, 'b') })
  await rm(bottle.store.dir, { recursive: true })
  const chunks: Buffer[] = []
  const stream = new PassThrough()
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  expect((await bottle.run({ stream })).file).toBeNull()
  expect((await readFile(join(bottle.folder, 'b'))).equals(first)).toBe(true)
  expect(Buffer.concat(chunks).equals(first)).toBe(true)
  expect(stream.writableEnded).toBe(false)
})

test('the definitions travel along, but not one that holds a secret', async () => {
  const bottle = await makeBottle()
  await writeFile(
    bottle.root.path('state', SLUG, 'metadata.json'),
    JSON.stringify({
      agent_name: 'coder',
      bottle_names: ['box'],
      icebox: { version: 1, secretNames: ['API_KEY', 'GONE'], agentSource: 'home: /nowhere' },
    }),
  )
  await writeFile(bottle.root.path('agents/coder.md'), '---\nbottle: box\n---\n')
  await writeFile(bottle.root.path('bottles/box.md'), '---\nextends: under\nenv:\n  A: hunter2hunter2\n---\n')
  await writeFile(bottle.root.path('bottles/under.md'), '---\nbackend: docker\n---\n')
  await exportBottle(
    { ...bottle.deps, env: { API_KEY: 'hunter2hunter2' } },
    { slug: SLUG, compression: 'none', thin: false },
    { file: bottle.file },
    {
      signal: bottle.stop.signal,
      progress: () => undefined,
      notice: (text) => bottle.notices.push(text),
      confirm: async () => false,
    },
  )
  const text = (await readFile(bottle.file)).toString('latin1')
  expect(text).not.toContain('hunter2hunter2')
  expect(text).toContain('"under":"---\\nbackend: docker')
  expect(text).toContain('"secretNames":["API_KEY","GONE"]')
  expect(bottle.notices.join('\n')).toMatch(/box holds the value of API_KEY/)
  expect(bottle.notices.join('\n')).toMatch(/GONE/)
})

test('a search finds what a definition filled in from the environment, whole and in its parts', async () => {
  const leaking = (name: string, text: string) => {
    const layer = Buffer.from(layerTar(name, 4_000))
    layer.write(text, 600)
    return layer
  }
  const engine = fakeEngine([
    layerTar('base', 400),
    leaking('url', 'postgres://u:7@h'),
    leaking('part', 'only canary-pw here'),
  ])
  const bottle = await makeBottle(engine.portable)
  const { root } = bottle
  await writeFile(
    root.path('state', SLUG, 'metadata.json'),
    JSON.stringify({ agent_name: 'coder', icebox: { version: 1, secretNames: ['DATABASE_URL'] } }),
  )
  await mkdir(root.path('state', SLUG, 'agent'), { recursive: true })
  const envTemplates = { DATABASE_URL: `postgres://u:$\{PIN}@h`, KEY: `key $\{PW}` }
  await writeFile(
    root.path('state', SLUG, 'agent', 'launched.json'),
    JSON.stringify({ version: 1, runs: [{ runId: 'r', lifecycle: {}, envTemplates }] }),
  )
  const context = {
    signal: bottle.stop.signal,
    progress: () => undefined,
    notice: (text: string) => bottle.notices.push(text),
    confirm: async () => false,
  }
  const deps = { ...bottle.deps, env: { PIN: '7', PW: 'canary-pw' } }
  const findings = await searchSnapshotSecrets(deps, { slug: SLUG }, context)
  expect(findings.map(({ name, rule }) => [name, rule])).toEqual([
    ['/part', 'declared secret PW'],
    ['/url', 'declared secret DATABASE_URL'],
  ])
  expect(bottle.notices.join('\n')).not.toContain('values of DATABASE_URL')
})

test('a project’s definition that became a link to a file elsewhere does not travel along', async () => {
  const bottle = await makeBottle()
  const agents = join(bottle.folder, 'p/.bot-bottle/agents')
  await mkdir(agents, { recursive: true })
  await writeFile(join(bottle.folder, 'private'), 'canary of this machine')
  await symlink(join(bottle.folder, 'private'), join(agents, 'coder.md'))
  await writeFile(join(agents, 'other.md'), 'definition of the project')
  const names = ['coder', 'other']
  for (const name of names) {
    const agentSource = `project: ${join(agents, name)}.md`
    await writeFile(
      bottle.root.path('state', SLUG, 'metadata.json'),
      JSON.stringify({ agent_name: name, icebox: { version: 1, agentSource } }),
    )
    await bottle.run({ file: join(bottle.folder, name) }, { compression: 'none' })
  }
  const [stolen, own] = await Promise.all(names.map((name) => readFile(join(bottle.folder, name), 'latin1')))
  expect(stolen).not.toContain('canary of this machine')
  expect(own).toContain('definition of the project')
})

test('an export that fails leaves the file that was there', async () => {
  const failing: Portable = {
    ...fakeEngine(layers).portable,
    readLayers: async () => {
      throw new Error('the engine fell over')
    },
  }
  const bottle = await makeBottle(failing)
  await writeFile(bottle.file, 'precious')
  await expect(bottle.run({ file: bottle.file })).rejects.toThrow(/fell over/)
  expect(await readdir(bottle.folder)).toEqual(['a.bottle'])
  expect(await readFile(bottle.file, 'utf8')).toBe('precious')
})

test('cancelled at any point, nothing is left: no file, no blob, no name', async () => {
  for (const phase of ['reading layers', 'writing']) {
    const bottle = await makeBottle()
    const stream = { file: bottle.file }
    const stop = new AbortController()
    let told = 0
    const failed = exportBottle(bottle.deps, { slug: SLUG, compression: 'gzip', thin: false }, stream, {
      signal: stop.signal,
      progress: (progress) => {
        if (progress.phase === phase && ++told === 2) stop.abort()
      },
      notice: () => undefined,
      confirm: async () => false,
    })
    expect(await codeOf(failed)).toBe('cancelled')
    expect(await readdir(bottle.folder)).toEqual([])
    expect(await bottle.store.size()).toBe(0)
    expect((await bottle.store.readIndex()).manifests).toEqual([])
    expect(await readdir(join(bottle.store.dir, '.stage'))).toEqual([])
  }
})

test('a target that is no place for a file is refused before any work', async () => {
  const engine = fakeEngine(layers)
  const bottle = await makeBottle(engine.portable)
  expect(await codeOf(bottle.run({ file: bottle.folder }))).toBe('usage')
  expect(await codeOf(bottle.run({ file: '/dev/null' }))).toBe('usage')
  expect(await codeOf(bottle.run({ file: join(bottle.folder, 'none', 'x') }))).toBe('not-found')
  expect(engine.reads).toEqual([])
})

test('a link is replaced by the file, not followed into another folder half-way', async () => {
  const bottle = await makeBottle()
  await writeFile(join(bottle.folder, 'target'), 'old')
  await symlink('target', bottle.file)
  await bottle.run({ file: bottle.file })
  expect(await readFile(join(bottle.folder, 'target'), 'utf8')).toBe('old')
  expect((await readFile(bottle.file)).length).toBeGreaterThan(10_000)
})

test('a slow reader holds the export back, and one that goes away ends it quietly', async () => {
  const bottle = await makeBottle()
  let held = 0
  let most = 0
  const slow = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      held += chunk.length
      most = Math.max(most, slow.writableLength)
      setImmediate(done)
    },
  })
  const { bytes } = await bottle.run({ stream: slow })
  expect(held).toBe(bytes)
  expect(most).toBeLessThan(2 << 20)

  const gone = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    },
  })
  gone.on('error', () => undefined)
  expect(await codeOf(bottle.run({ stream: gone }))).toBe('cancelled')
  const closed = new PassThrough()
  closed.destroy()
  expect(await codeOf(bottle.run({ stream: closed }))).toBe('cancelled')
})

test('a reader that stands still does not keep a cancelled export alive', async () => {
  const bottle = await makeBottle()
  const stuck = new Writable({
    write() {
      bottle.stop.abort()
    },
  })
  expect(await codeOf(bottle.run({ stream: stuck }))).toBe('cancelled')
})

test('a snapshot that is deleted meanwhile is told as that', async () => {
  const engine = fakeEngine(layers)
  const bottle = await makeBottle({
    ...engine.portable,
    readLayers: async () => {
      await removeSnapshotRecord(bottle.root, SLUG, ID)
      throw new Error('no such image')
    },
  })
  expect(await codeOf(bottle.run({ file: bottle.file }))).toBe('snapshot-missing')
})

test('which snapshot: named, by its beginning, latest, else the current one', async () => {
  const bottle = await makeBottle()
  const newer = snapshotRecord({ id: '20261122T000000Z-aaaa', reference: 'x:y' })
  await writeSnapshot(bottle.root, newer)
  expect((await bottle.run({ file: bottle.file })).snapshot).toBe(ID)
  expect((await bottle.run({ file: bottle.file }, { snapshot: 'latest' })).snapshot).toBe(newer.id)
  expect((await bottle.run({ file: bottle.file }, { snapshot: '20261121' })).snapshot).toBe(ID)
  expect(await codeOf(bottle.run({ file: bottle.file }, { snapshot: 'nope' }))).toBe('snapshot-missing')
  await rm(bottle.root.path('state', SLUG, 'committed-image'))
  expect((await bottle.run({ file: bottle.file })).snapshot).toBe(newer.id)
  await writeSnapshot(bottle.root, { ...newer, status: 'in-doubt' })
  expect(await codeOf(bottle.run({ file: bottle.file }))).toBe('snapshot-missing')
})

test('a thin export without a known base is full and says so', async () => {
  const bottle = await makeBottle(fakeEngine(layers, { baseLayers: 0 }).portable)
  expect((await bottle.run({ file: bottle.file }, { thin: true })).thin).toBe(false)
  expect(bottle.notices.join('\n')).toMatch(/all of them/)
  const known = await makeBottle()
  const thin = await known.run({ file: known.file }, { thin: true })
  expect(thin.thin).toBe(true)
  const full = await known.run({ file: join(dirname(known.file), 'full') })
  expect(thin.bytes).toBeLessThan(full.bytes)
  expect(thin.digest).toBe(full.digest)
  expect(sha(await readFile(known.file))).not.toBe(sha(await readFile(join(known.folder, 'full'))))
})
