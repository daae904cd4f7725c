import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { runConfig } from '../../src-main/backends/images/run-config.ts'
import { readSavedImage } from '../../src-main/backends/macos-container/saved-image.ts'
import { createTarDecoder } from '../../src-main/workers/tar/decoder.ts'
import { TAR_END, tarPadding, writeTarHeader } from '../../src-main/workers/tar/writer.ts'
import type { Snapshot } from '../../src-preload/contract/index.ts'
import { until } from '../engine/conformance/suite.ts'
import { type ContainerWorld, makeContainerWorld } from '../support/container-double.ts'
import { loadLayers } from '../support/container-images.ts'
import { MACHINE_ARCHITECTURE } from '../support/doubles/lib/image-archive.ts'
import { memoryFolder } from '../support/memory-folder.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

const STOPS = '1.2.0'
const LIVE = '1.2.2'
const never = new AbortController().signal
const platform = { os: 'linux', architecture: MACHINE_ARCHITECTURE }

let world: ContainerWorld
let tests: TestBottles
beforeAll(async () => {
  world = await makeContainerWorld(STOPS)
  tests = await makeTestBottles(
    `backend: macos-container\nimage: ${world.image}\nworkdir: /work`,
    memoryFolder(),
    world.double.env,
  )
})
afterEach(() => {
  world.double.setKnobs({})
  world.double.setVersion(STOPS)
})
afterAll(async () => {
  await tests?.dispose()
  await world?.double.dispose()
})

const freeze = async (slug: string, confirm = true): Promise<Snapshot> =>
  (await tests.icebox.bottles.freeze({ slug }, tests.context({ confirm }))).snapshot
const row = async (slug: string) =>
  (await tests.icebox.bottles.list(never)).find((bottle) => bottle.slug === slug)
const verbs = (from: number) =>
  world.double
    .calls()
    .slice(from)
    .map(({ argv }) => argv[0])
const images = () => world.must(['image', 'list', '-q']).trim().split('\n')
/** Everything that a freeze could have forgotten. */
const leftovers = async (slug: string) => [
  ...(await readdir(join(tests.home.dir, 'state', slug, 'snapshots')).catch(() => [])).filter((name) =>
    name.endsWith('.d'),
  ),
  ...(await readdir(join(tests.home.dir, 'icebox'))).filter(
    (name) => name.startsWith('macos-container-') && /\d+-/.test(name),
  ),
]

/** Works until somebody writes `go`; tells each start. */
const WORKS =
  'echo start >> starts; trap "exit 9" TERM; echo kept > marker; echo ready; while [ ! -e go ]; do sleep 0.05; done; echo late > marker'

async function running(label: string) {
  const { slug, ended } = await tests.launch(WORKS, label)
  await until(async () => (await tests.output(slug)).includes('ready'))
  return { slug, ended, name: world.containersOf(slug)[0] ?? '' }
}

/** Its end may take the call along that brings it about. */
const letGo = (name: string) => void world.double.run(['exec', name, 'touch', '/work/go'])

it('leaves a bottle that must not be stopped as it is: declined is declined', async () => {
  const { slug, ended, name } = await running('declined')
  const before = { calls: world.double.calls().length, images: images() }
  await expect(freeze(slug, false)).rejects.toMatchObject({ code: 'cancelled' })
  expect(verbs(before.calls)).not.toContain('stop')
  expect(verbs(before.calls)).not.toContain('export')
  expect(world.must(['exec', name, 'cat', '/work/starts'])).toBe('start\n')
  expect(await row(slug)).toMatchObject({ state: 'running', snapshots: 0 })
  expect(images()).toEqual(before.images)
  expect(await leftovers(slug)).toEqual([])
  letGo(name)
  expect(await ended).toBe(0)
})

it('freezes a running bottle that has to be stopped, and its agent runs on for those who wait for it', async () => {
  const { slug, ended, name } = await running('catch')
  let isOver = false
  const over = ended.then((code) => {
    isOver = true
    return code
  })
  // Long enough for whoever waits to see that nothing runs.
  world.double.setKnobs({ faults: [{ verb: 'export', kind: 'slow', ms: 1500 }] })
  const snapshot = await freeze(slug)
  world.double.setKnobs({})
  expect(snapshot).toMatchObject({ fidelity: 'files', backend: 'macos-container' })
  // The same container, started again with all that it was given.
  expect(world.containersOf(slug)).toEqual([name])
  await until(async () => world.must(['exec', name, 'cat', '/work/starts']) === 'start\nstart\n')
  expect(await row(slug)).toMatchObject({ state: 'running', exitCode: null })
  expect(isOver).toBe(false)
  expect(await leftovers(slug)).toEqual([])
  letGo(name)
  expect(await over).toBe(0)
  world.must(['delete', '--force', name])
  expect(await tests.resume(`${slug}@${snapshot.id}`, 'cat marker starts')).toBe(0)
  expect(await tests.output(slug)).toBe('kept\nstart\n')
})

it('asks when a program that calls itself new enough can’t export what runs', async () => {
  world.double.setVersion(LIVE)
  const { slug, ended, name } = await running('selfmade')
  const message = 'Error: failed to export container (cause: "invalidState: "container is not stopped"")'
  world.double.setKnobs({ faults: [{ verb: 'export', kind: 'fail', message, times: 2 }] })
  await expect(freeze(slug, false)).rejects.toMatchObject({ code: 'cancelled' })
  expect(world.must(['exec', name, 'cat', '/work/starts'])).toBe('start\n')
  expect((await tests.icebox.bottles.freeze({ slug }, tests.context())).exportHint).toMatch(
    /^container image save -o selfmade\.tar docker\.io\/library\/bot-bottle-committed-selfmade:/,
  )
  await until(async () => world.must(['exec', name, 'cat', '/work/starts']) === 'start\nstart\n')
  letGo(name)
  expect(await ended).toBe(0)
})

it('never stops a container that others made, and keeps its files all the same', async () => {
  const name = 'bot-bottle-foreign'
  world.must([
    'run',
    '--detach',
    '--rm',
    '--volume',
    `${world.double.binDir}:/shared`,
    '--name',
    name,
    world.image,
    'sh',
    '-c',
    'echo theirs > /work.txt; ln /work.txt /hard; sleep 300',
  ])
  await tests.icebox.bottles.adopt(name, { backend: 'macos-container' }, tests.context())
  const from = world.double.calls().length
  const snapshot = await freeze('foreign', false)
  expect(verbs(from)).not.toContain('stop')
  expect(snapshot.leftOut).toContain('extended attributes of files')
  expect(tests.notices.join('\n')).toContain('ran on while its files were copied')
  expect(world.must(['exec', name, 'cat', '/work.txt'])).toBe('theirs\n')
  // What a stop would have done: nothing of the container is left.
  world.must(['stop', '--time', '0', name])
  await until(async () => !world.must(['list', '--all', '--format', 'json']).includes(name))
  const { layer } = await imageOf(snapshot.reference)
  const kept = entriesOf(layer).map(({ path }) => path)
  expect(layer.includes('theirs\n')).toBe(true)
  for (const path of ['work.txt', 'hard', 'bin/sh', 'tmp']) expect(kept).toContain(path)
  expect(kept.filter((path) => /^(proc|sys|dev|lost\+found|shared\/.*)(\/|$)/.test(path))).toEqual([])
  expect(
    await tests.icebox.bottles.resume({ slug: 'foreign', mode: 'headless' }, tests.context()),
  ).toMatchObject({
    exitCode: 0,
  })
})

const CONFIG = {
  Env: ['PATH=/bin:/usr/bin', 'ODD=a "b" $c \\ d=e #f', "QUOTE='x'", 'EMPTY='],
  Entrypoint: ['/bin/sh', '-c'],
  Cmd: ['echo "$ODD"', 'two words'],
  User: '0:0',
  WorkingDir: '/work',
  Labels: { 'org.example.x': 'a=b c' },
  ExposedPorts: { '8080/tcp': {} },
  StopSignal: 'SIGINT',
}

async function imageOf(reference: string): Promise<{ config: object; layer: Buffer }> {
  const file = join(world.double.dir, 'saved.tar')
  world.must(['image', 'save', '--output', file, reference])
  const { config, layers } = await readSavedImage(file, platform)
  const chunks: Uint8Array[] = []
  for (const layer of layers) for await (const chunk of layer.open(never)) chunks.push(chunk)
  return { config: config.config as object, layer: Buffer.concat(chunks) }
}

it.each(['load', 'build'])('keeps the image’s config and nothing of the launch, by a %s', async (way) => {
  world.double.setVersion(LIVE)
  const reference = `docker.io/library/config-${way}:1`
  await loadLayers(world, { reference, config: CONFIG, layers: [] })
  await tests.home.writeBottle(
    'box',
    `backend: macos-container\nimage: ${reference}\nenv:\n  GIVEN: canary-env`,
  )
  const { slug } = await tests.run('echo canary-file > /kept; : canary-prompt', `config-${way}`)
  if (way === 'build')
    world.double.setKnobs({
      faults: [{ verb: 'image load', kind: 'fail', message: 'Error: unsupported: "layout"', times: 1 }],
    })
  const snapshot = await freeze(slug)
  const { config, layer } = await imageOf(snapshot.reference)
  expect(runConfig(config)).toEqual(runConfig(CONFIG))
  const { Labels } = config as { Labels: Record<string, string> }
  expect(Object.keys(Labels).sort()).toEqual([
    'dev.icebox.record',
    'dev.icebox.snapshot',
    'dev.icebox.snapshot-root',
    'org.example.x',
  ])
  expect(JSON.parse(Labels['dev.icebox.record'] ?? '')).toMatchObject({ id: snapshot.id, slug })
  const whole = Buffer.concat([layer, Buffer.from(JSON.stringify(config))])
  expect(whole.includes('canary-file')).toBe(true)
  expect(whole.includes('canary-env')).toBe(false)
  expect(whole.includes('canary-prompt')).toBe(false)
  expect(entriesOf(layer).filter(({ path }) => /^(run\/icebox|lost\+found)/.test(path))).toEqual([])
  expect(await tests.resume(slug, 'cat /kept')).toBe(0)
})

it('tells what no build can carry, and refuses an image that is hollow', async () => {
  world.double.setVersion(LIVE)
  const reference = 'docker.io/library/newline:1'
  const config = { ...CONFIG, Env: [...CONFIG.Env, 'LINES=a\nb'] }
  await loadLayers(world, { reference, config, layers: [] })
  await tests.home.writeBottle('box', `backend: macos-container\nimage: ${reference}`)
  const { slug } = await tests.run('true', 'newline')
  const refused = {
    verb: 'image load',
    kind: 'fail',
    message: 'Error: unsupported: "layout"',
    times: 1,
  } as const
  world.double.setKnobs({ faults: [refused, { verb: 'build', kind: 'hollow' }] })
  const before = images()
  await expect(freeze(slug)).rejects.toMatchObject({ code: 'engine-failed' })
  expect(images()).toEqual(before)
  expect(await leftovers(slug)).toEqual([])
  world.double.setKnobs({ faults: [refused] })
  const snapshot = await freeze(slug)
  expect(snapshot.leftOut).toContain('setting ENV LINES')
  expect(tests.notices.join('\n')).toContain('ENV LINES')
})

it('keeps the files when the image is gone, and says what went with it', async () => {
  world.double.setVersion(LIVE)
  const reference = 'docker.io/library/fleeting:1'
  // Of its own: settings that another image has too would be known still.
  const config = { ...CONFIG, Labels: { of: 'fleeting' } }
  await loadLayers(world, { reference, config, layers: [] })
  await tests.home.writeBottle('box', `backend: macos-container\nimage: ${reference}\nworkdir: /work`)
  const { slug } = await tests.run('echo kept > marker', 'fleeting')
  world.must(['image', 'delete', reference])
  const snapshot = await freeze(slug)
  expect(snapshot.leftOut).toContain(`settings of the image ${reference}`)
  expect(tests.notices.join('\n')).toContain(`The image ${reference} is gone`)
  expect(await tests.resume(slug, 'cat marker')).toBe(0)
})

interface Listed {
  readonly path: string
  readonly rest: string
}

/** Everything that a tar says of each file, however its names are written. */
function entriesOf(tar: Buffer): Listed[] {
  const decoder = createTarDecoder()
  decoder.feed(tar)
  const clean = (path: string) => path.replace(/^(\.?\/)+/, '').replace(/\/$/, '')
  const found: { path: string; facts: object; hash: ReturnType<typeof createHash> }[] = []
  for (let event = decoder.next(); event; event = decoder.next()) {
    const last = found.at(-1)
    if (event.kind === 'entry') {
      const { path, type, mode, uid, gid, size, mtime, link, xattrs } = event.entry
      const target = type === 'hardlink' ? clean(link) : link
      const facts = { type, mode, uid, gid, size, mtime, target, xattrs: [...xattrs].sort() }
      found.push({ path: clean(path), facts, hash: createHash('sha256') })
    } else if (event.kind === 'data') last?.hash.update(event.bytes)
    else if (event.kind === 'hole') last?.hash.update(Buffer.alloc(event.bytes))
  }
  return found
    .map(({ path, facts, hash }) => ({ path, rest: `${JSON.stringify(facts)} ${hash.digest('hex')}` }))
    .sort((left, right) => (left.path < right.path ? -1 : 1))
}

it('differs in nothing from the engine’s own export: owners, modes, links, attributes, holes, odd names', async () => {
  const capability = '\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00'
  const entry = (more: Parameters<typeof writeTarHeader>[0], content = '') => [
    writeTarHeader({
      uid: 1000,
      gid: 1000,
      mtime: '1600000000.25',
      ...more,
      ...(more.type === 'file' ? { size: content.length } : {}),
    }),
    Buffer.from(content),
    tarPadding(content.length),
  ]
  const odd = Buffer.concat([
    ...entry({ path: 'odd', type: 'folder', mode: 0o3775 }),
    ...entry({ path: 'odd/suid', type: 'file', mode: 0o6755, uid: 0 }, 'program'),
    ...entry(
      {
        path: 'odd/capable',
        type: 'file',
        mode: 0o755,
        xattrs: new Map([['security.capability', capability]]),
      },
      'x',
    ),
    ...entry({ path: 'odd/hard', type: 'hardlink', link: 'odd/suid' }),
    ...entry({ path: 'odd/absolute', type: 'symlink', link: '/odd/suid' }),
    ...entry({ path: 'odd/\xc3\xa9 \n name', type: 'file' }, 'bytes'),
    ...entry({ path: `odd/${'long'.repeat(50)}`, type: 'file', uid: 3_000_000 }, 'y'),
    TAR_END,
  ])
  const reference = 'docker.io/library/odd:1'
  await loadLayers(world, { reference, config: {}, layers: [odd] })
  await tests.home.writeBottle('box', `backend: macos-container\nimage: ${reference}\nworkdir: /work`)
  const { slug } = await tests.run(
    'dd if=/dev/zero of=/sparse bs=1 count=1 seek=3000000; mkfifo /pipe; touch -d "2001-01-01 00:00:00" /old',
    'odd',
  )
  const snapshot = await freeze(slug)
  const file = join(world.double.dir, 'own.tar')
  world.must(['export', '--output', file, world.containersOf(slug)[0] ?? ''])
  const own = entriesOf(await readFile(file)).filter(
    ({ path }) => !/^(run\/icebox|lost\+found)(\/|$)/.test(path),
  )
  const { layer } = await imageOf(snapshot.reference)
  expect(entriesOf(layer)).toEqual(own)
  for (const path of ['odd/capable', 'odd/hard', 'sparse', 'old'])
    expect(own.map((one) => one.path)).toContain(path)
  expect(own.find(({ path }) => path === 'odd/capable')?.rest).toContain('security.capability')
  expect(snapshot.leftOut).toContain('sockets, named pipes and device files')
})
