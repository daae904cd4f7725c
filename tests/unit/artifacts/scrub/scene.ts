import { buffer } from 'node:stream/consumers'
import { packLayer } from '../../../../src-main/artifacts/export/pack-layer.ts'
import type { Compression } from '../../../../src-main/artifacts/oci.ts'
import { openArtifactStore } from '../../../../src-main/artifacts/store/open-store.ts'
import type {
  ArtifactStore,
  StoredLayer,
  StoredSnapshot,
} from '../../../../src-main/artifacts/store/types.ts'
import type { StateRoot } from '../../../../src-main/state/root.ts'
import { readTar } from '../../../../src-main/workers/tar/read-tar.ts'
import {
  type NewTarEntry,
  TAR_END,
  tarPadding,
  writeTarHeader,
} from '../../../../src-main/workers/tar/writer.ts'
import { createWorkers } from '../../../../src-main/workers/workers.ts'
import { testRoot } from '../../../support/test-root.ts'

export const signal = new AbortController().signal
export const workers = createWorkers()

export interface TestEntry extends Partial<Omit<NewTarEntry, 'path'>> {
  readonly path: string
  readonly content?: string
}

/** A tar of these entries, as an engine writes it. */
export function tarOf(entries: readonly TestEntry[]): Buffer {
  const parts = entries.flatMap(({ content = '', ...entry }) => {
    const bytes = Buffer.from(content)
    const header = writeTarHeader({ type: 'file', ...entry, size: bytes.length })
    return [header, bytes, tarPadding(bytes.length)]
  })
  return Buffer.concat([...parts, TAR_END])
}

/** What a tar holds: path → content, link target or type. */
export async function contentOf(tar: Uint8Array): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  await readTar(once(tar), (entry) => {
    found.set(entry.path, entry.link || entry.type)
    if (entry.type !== 'file') return 'skip'
    found.set(entry.path, '')
    return (chunk) => {
      found.set(entry.path, found.get(entry.path) + Buffer.from(chunk).toString('utf8'))
    }
  })
  return found
}

export async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}

export interface ScrubScene {
  readonly root: StateRoot
  readonly store: ArtifactStore
  put(tar: Uint8Array, codec?: Compression): Promise<StoredLayer>
  /** Content of a stored layer. */
  read(layer: StoredLayer): Promise<Buffer>
  snapshot(
    layers: readonly StoredLayer[],
    changes?: Partial<StoredSnapshot> & { readonly secretNames?: readonly string[] },
  ): StoredSnapshot
}

export async function scrubScene(): Promise<ScrubScene> {
  const root = await testRoot()
  const store = openArtifactStore(root)
  return {
    root,
    store,
    async put(tar, codec = 'gzip') {
      const staging = await store.stage('test')
      const tools = { store, workers, staging, codec, onAdopted: () => undefined, onBytes: () => undefined }
      const { layer } = await packLayer(tools, once(tar), () => true, signal)
      await staging.release()
      if (!layer) throw new Error('no layer')
      return layer
    },
    read: (layer) => buffer(workers.unpack(store.blobPath(layer.digest), layer.codec, signal)),
    snapshot(layers, { secretNames = [], ...changes } = {}) {
      return {
        platform: { os: 'linux', architecture: 'amd64' },
        config: { Env: ['PATH=/bin'] },
        createdAt: '2026-11-21T07:45:00Z',
        layers,
        baseLayers: 0,
        volumes: [],
        facts: factsOf(layers.length, secretNames),
        ...changes,
      }
    },
  }
}

function factsOf(baseLayers: number, secretNames: readonly string[]): StoredSnapshot['facts'] {
  return {
    version: 1,
    snapshot: {
      id: '20261121T074500Z-k3f9',
      parent: null,
      backend: 'docker',
      createdAt: '2026-11-21T07:45:00.000Z',
      fidelity: 'files',
      leftOut: [],
      reason: 'user',
      note: '',
      label: '',
      facts: {},
    },
    bottle: {
      slug: 'web-1',
      label: '',
      color: '',
      agent: 'coder',
      provider: 'claude',
      bottleNames: [],
      policy: 'default',
      secretNames: [...secretNames],
      interactive: false,
    },
    definitions: { agents: {}, bottles: {} },
    volumes: [],
    baseLayers,
    scrub: null,
  }
}
