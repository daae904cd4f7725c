import { createHash } from 'node:crypto'
import { lstat, readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { openArtifactStore } from '../../../src-main/artifacts/store/open-store.ts'
import type { Backend } from '../../../src-main/backends/backend.ts'
import type { LoadRequest, Portable } from '../../../src-main/backends/portable.ts'
import type { Backends } from '../../../src-main/backends/registry.ts'
import type { ArtifactDeps } from '../../../src-main/bottles/artifact-deps.ts'
import type { ImportSource } from '../../../src-main/bottles/artifact-services.ts'
import { importBottle } from '../../../src-main/bottles/import-bottle.ts'
import type { StateRoot } from '../../../src-main/state/root.ts'
import { openSettings } from '../../../src-main/state/settings.ts'
import type { Settings } from '../../../src-main/state/settings-definition.ts'
import { bottleError } from '../../../src-main/system/bottle-error.ts'
import { createWorkers } from '../../../src-main/workers/workers.ts'
import type { ImportResult } from '../../../src-preload/contract/index.ts'
import { testRoot } from '../test-root.ts'

/** What an engine was given, layer by layer, once its load came to its end. */
export interface Loaded {
  readonly request: LoadRequest
  /** Content of each layer that was offered. */
  readonly layers: ReadonlyMap<string, Buffer>
}

export interface ImportBench {
  readonly root: StateRoot
  readonly deps: ArtifactDeps
  readonly loaded: Loaded[]
  /** References that were taken away again. */
  readonly discarded: string[]
  readonly notices: string[]
  /** Layers that the engine says it holds. */
  held: readonly string[]
  /** When set, a load fails with it. */
  failure: Error | null
  run(source: ImportSource | Buffer, label?: string, signal?: AbortSignal): Promise<ImportResult>
  /** Every file below the state root and beside it, with its content's digest; locks and the journal's times are left out. */
  listing(): Promise<readonly string[]>
}

/** One for all tests of a file: threads take longer to start than most archives to read. */
const workers = createWorkers()

/**
 * An import into a real state root and store, with an engine that only notes what it is given.
 * @param stored what the settings file holds; default no file
 */
export async function makeImportBench(stored?: Partial<Settings>): Promise<ImportBench> {
  const root = await testRoot()
  if (stored) await writeFile(root.path('icebox', 'settings.json'), JSON.stringify(stored))
  const store = openArtifactStore(root)
  await (await store.stage('first')).release()
  const loaded: Loaded[] = []
  const discarded: string[] = []
  const notices: string[] = []
  const portable: Portable = {
    describe: unused,
    readLayers: unused,
    heldLayers: async (diffIds) => {
      const first = diffIds.findIndex((diffId) => !bench.held.includes(diffId))
      return first === -1 ? diffIds.length : first
    },
    async load(request, _progress, signal) {
      const layers = new Map<string, Buffer>()
      for (const [diffId, layer] of request.layers) {
        const chunks: Uint8Array[] = []
        for await (const chunk of layer.open(signal)) chunks.push(Buffer.from(chunk))
        layers.set(diffId, Buffer.concat(chunks))
        if (layers.get(diffId)?.length !== layer.bytes)
          throw bottleError('artifact-invalid', 'A wrong length.')
      }
      await request.verified
      if (bench.failure) throw bench.failure
      loaded.push({ request, layers })
      const bytes = [...layers.values()].reduce((sum, content) => sum + content.length, 0)
      const { reference, facts } = request.snapshot
      return { reference, digest: `sha256:${'0'.repeat(64)}`, bytes, ownBytes: null, facts }
    },
    boot: unused,
    sizes: unused,
  }
  const backend = (name: 'docker' | 'host') =>
    ({
      name,
      portable: async () => portable,
      probe: async () => ({ name, title: name, state: 'ready', fix: null }),
      isNameTaken: async () => false,
      isReferenceTaken: async () => false,
      discardSnapshot: async ({ reference }: { reference: string }) => {
        discarded.push(reference)
        return { removed: [], left: [] }
      },
      freezer: {
        targetFor: ({ slug }: { slug: string }, id: string, partsDir: string) =>
          name === 'docker' ? `bot-bottle-committed-${slug}:${id}` : partsDir,
      },
    }) as unknown as Backend
  const made = { docker: backend('docker'), host: backend('host') }
  const backends: Backends = {
    get: async (name) => (name === 'host' ? made.host : made.docker),
    getFreezer: async () => made.docker.freezer,
    all: async () => [made.docker, made.host],
    isInstalled: async (name) => name === 'docker' || name === 'host',
    installed: async () => [made.docker, made.host],
  }
  const settings = openSettings(root)
  const bench: ImportBench = {
    root,
    deps: {
      root,
      backends,
      env: {},
      secrets: unused,
      store: async () => store,
      workers: async () => workers,
      settings: () => settings,
    },
    loaded,
    discarded,
    notices,
    held: [],
    failure: null,
    run: (source, label, signal = new AbortController().signal) =>
      importBottle(
        bench.deps,
        Buffer.isBuffer(source) ? { stream: inPieces(source), bytes: source.length } : source,
        { label },
        {
          signal,
          progress: () => undefined,
          notice: (text) => notices.push(text),
          confirm: async () => true,
        },
      ),
    listing: () => listingOf(dirname(root.dir)),
  }
  return bench
}

async function unused(): Promise<never> {
  throw new Error('an import has no use for this')
}

/** Pieces of odd sizes, so that no boundary in a reader goes untested. */
export async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  let size = 1
  for (let at = 0; at < bytes.length; at += size) {
    size = at === 0 ? 1 : Math.min(65_537, size * 3)
    yield bytes.subarray(at, at + size)
  }
}

async function listingOf(dir: string): Promise<readonly string[]> {
  const lines: string[] = []
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      const name = relative(dir, path)
      // Locks and notes for watchers come and go with every operation.
      if (/(^|\/)icebox\/(locks|changes)(\/|$)/.test(name)) continue
      if (entry.isDirectory()) {
        lines.push(`${name}/`)
        await walk(path)
      } else if (entry.isSymbolicLink()) lines.push(`${name} → ${await readlink(path)}`)
      else if (entry.isFile()) lines.push(`${name} ${sum(await readFile(path))}`)
      else lines.push(`${name} mode ${(await lstat(path)).mode}`)
    }
  }
  await walk(dir)
  return lines.sort()
}

const sum = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex').slice(0, 16)
