import { createDockerBackend } from '../../../src-main/backends/docker/docker-backend.ts'
import { createEngine } from '../../../src-main/backends/docker/engine.ts'
import { readPushedLayers } from '../../../src-main/backends/docker/portable/pushed-layers.ts'
import type { LayerFile, LayerStream } from '../../../src-main/backends/portable.ts'
import type { Snapshot } from '../../../src-preload/contract/index.ts'

// Does one thing with a snapshot and dies in the middle of it.
const [, , home = '', rootId = '', what = '', text = '{}'] = process.argv
const snapshot = JSON.parse(text) as Snapshot
const signal = new AbortController().signal
const portable = await createDockerBackend({ rootId, home }).portable()
const die = () => process.kill(process.pid, 'SIGKILL')
const { platform, config, createdAt, diffIds } = await portable.describe(snapshot, signal)
const ids = diffIds ?? []

async function take({ content }: LayerStream): Promise<string> {
  for await (const _chunk of content) die()
  return ''
}

if (what === 'save') await portable.readLayers(snapshot, null, take, signal)
if (what === 'push') {
  const request = {
    imageId: snapshot.digest,
    rootId,
    diffIds: ids,
    sizes: [],
    wanted: new Set(ids.slice(-1)),
  }
  await readPushedLayers(createEngine(process.env), request, take, signal)
}
if (what === 'boot') {
  process.env.ICEBOX_FAULT = 'verify:after-create:kill'
  await portable.boot({ snapshot, rootId, check: ['sleep', '100'], timeoutSeconds: 100 }, signal)
}
if (what.startsWith('load')) {
  const fresh: LayerFile = {
    diffId: `sha256:${'5'.repeat(64)}`,
    bytes: 1 << 20,
    open: async function* () {
      yield Buffer.alloc(1 << 19)
      if (what === 'load:middle') die()
      yield Buffer.alloc(1 << 19)
      setImmediate(die)
    },
  }
  await portable.load(
    {
      snapshot: { ...snapshot, slug: `${snapshot.slug}-x` },
      rootId,
      image: { platform, config, createdAt, diffIds: [...ids, fresh.diffId] },
      layers: new Map([[fresh.diffId, fresh]]),
      verified: new Promise<void>(() => {}),
    },
    () => undefined,
    signal,
  )
}
