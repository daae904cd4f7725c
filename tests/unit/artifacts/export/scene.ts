import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type CollectRequest,
  collectSnapshot,
} from '../../../../src-main/artifacts/export/collect-snapshot.ts'
import { TAR_BLOCK, tarHeader, tarPadding } from '../../../../src-main/artifacts/export/tar-header.ts'
import type { Compression } from '../../../../src-main/artifacts/oci.ts'
import { openArtifactStore } from '../../../../src-main/artifacts/store/open-store.ts'
import type { ArtifactStore, StoredSnapshot } from '../../../../src-main/artifacts/store/types.ts'
import type { Portable, PortableImage } from '../../../../src-main/backends/portable.ts'
import type { StateRoot } from '../../../../src-main/state/root.ts'
import { createWorkers } from '../../../../src-main/workers/workers.ts'
import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import { testRoot } from '../../../support/test-root.ts'

export const signal = new AbortController().signal
export const sha = (bytes: Uint8Array | string) =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`
export const workers = createWorkers()

export const SLUG = 'web-1'
export const ID = '20261121T074500Z-k3f9'

/** Content that is the same each time and compresses like a program. */
export function content(seed: string, bytes: number): Uint8Array {
  const out = Buffer.alloc(bytes)
  let block = Buffer.from(seed)
  for (let at = 0; at < bytes; at += 64) {
    block = createHash('sha256').update(block).digest()
    out.write(block.toString('hex'), at, 'latin1')
  }
  return out
}

/** A layer with one file of such content. */
export function layerTar(seed: string, bytes: number): Uint8Array {
  const file = content(seed, bytes)
  return Buffer.concat([tarHeader(seed, bytes), file, Buffer.alloc(tarPadding(bytes) + 2 * TAR_BLOCK)])
}

/** An engine that holds these layers, and notes which were read. */
export function fakeEngine(layers: readonly Uint8Array[], changes: Partial<PortableImage> = {}) {
  const reads: string[] = []
  const image: PortableImage = {
    platform: { os: 'linux', architecture: 'amd64' },
    config: { Env: ['PATH=/bin'], Labels: { 'dev.icebox.record': '{"reference":"x"}', mine: 'kept' } },
    createdAt: '2026-11-21T07:45:00Z',
    diffIds: layers.map(sha),
    baseLayers: 1,
    bytes: layers.reduce((sum, layer) => sum + layer.length, 0),
    ...changes,
  }
  const unused = async () => {
    throw new Error('not used here')
  }
  const portable: Portable = {
    describe: async () => image,
    async readLayers(_snapshot, wanted, take) {
      const digests = await Promise.all(
        layers.map(async (layer, index) => {
          if (wanted && !wanted.has(sha(layer))) return sha(layer)
          reads.push(sha(layer))
          return take({ index, bytes: layer.length, content: pieces(layer) })
        }),
      )
      return digests
    },
    heldLayers: unused,
    load: unused,
    boot: unused,
    sizes: unused,
  }
  return { portable, reads, image }
}

export async function* pieces(bytes: Uint8Array, size = 100_000): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export function snapshotRecord(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    version: 1,
    id: ID,
    slug: SLUG,
    parent: null,
    backend: 'docker',
    reference: `bot-bottle-committed-${SLUG}:${ID}`,
    digest: `sha256:${'0'.repeat(64)}`,
    createdAt: '2026-11-21T07:45:00.000Z',
    fidelity: 'files',
    leftOut: ['bind /home/me/secret-project → /workspace', 'tmpfs /tmp'],
    bytes: 1,
    ownBytes: null,
    reason: 'user',
    note: 'a note',
    label: '',
    pinned: false,
    status: 'ready',
    runId: null,
    agent: 'coder',
    provider: 'claude',
    volumes: [],
    verified: null,
    facts: { containerId: 'c0ffee', layers: 2 },
    ...changes,
  }
}

/** A snapshot with volumes of these contents, whose files lie in the parts folder. */
export async function withVolumes(partsDir: string, volumes: Readonly<Record<string, Uint8Array>>) {
  await mkdir(partsDir, { recursive: true })
  const parts = Object.entries(volumes).map(([destination, bytes], at) => ({
    destination,
    kind: 'anonymous' as const,
    name: '',
    file: `${at}.tar`,
    bytes: bytes.length,
    sha256: sha(bytes).slice(7),
    content: bytes,
  }))
  for (const part of parts) await writeFile(join(partsDir, part.file), part.content)
  return snapshotRecord({
    fidelity: 'files+volumes',
    volumes: parts.map(({ content: _content, ...part }) => part),
  })
}

export interface Scene {
  readonly root: StateRoot
  readonly store: ArtifactStore
  readonly partsDir: string
  collect(
    portable: Portable,
    snapshot?: Snapshot,
    changes?: { readonly codec?: Compression; readonly signal?: AbortSignal } & Partial<CollectRequest>,
  ): Promise<StoredSnapshot>
}

export async function makeScene(): Promise<Scene> {
  const root = await testRoot()
  const store = openArtifactStore(root)
  const partsDir = root.path('state', SLUG, 'snapshots', `${ID}.d`)
  return {
    root,
    store,
    partsDir,
    async collect(portable, snapshot = snapshotRecord(), changes = {}) {
      const staging = await store.stage('test')
      try {
        const request: CollectRequest = {
          snapshot,
          portable,
          partsDir,
          codec: 'gzip',
          bottle: {
            bottle: {
              slug: SLUG,
              label: '',
              color: '',
              agent: 'coder',
              provider: 'claude',
              bottleNames: [],
              policy: 'default',
              secretNames: [],
              interactive: false,
            },
            definitions: { agents: {}, bottles: {} },
          },
          alsoWrittenTo: [],
          floorBytes: 0,
          ...changes,
        }
        const tools = { store, workers, staging, onAdopted: () => undefined }
        return await collectSnapshot(tools, request, () => undefined, changes.signal ?? signal)
      } finally {
        await staging.release()
      }
    },
  }
}
