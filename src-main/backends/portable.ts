import type { Snapshot } from '../../src-preload/contract/index.ts'
import type { LaunchPlan, ReportProgress, RuntimeRef } from './backend.ts'

/** The part of an image's config that says how it runs; OCI's names. Only these keys leave or enter an engine. */
export interface RunConfig {
  readonly User?: string
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly WorkingDir?: string
  readonly ExposedPorts?: Readonly<Record<string, object>>
  readonly Volumes?: Readonly<Record<string, object>>
  readonly Labels?: Readonly<Record<string, string>>
  readonly StopSignal?: string
  /** Docker's extension of the config. */
  readonly Healthcheck?: object
  readonly Shell?: readonly string[]
}

export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
}

/** A snapshot as an image, told without moving its bytes. */
export interface PortableImage {
  readonly platform: Platform
  readonly config: RunConfig
  /** ISO 8601, UTC; the same each time. */
  readonly createdAt: string
  /**
   * Digest (`sha256:…`) of each layer's uncompressed tar, bottom first. Null when they are made on the way out
   * (host trees): then `readLayers` tells them.
   */
  readonly diffIds: readonly string[] | null
  /** How many of the lowest layers belong to the image that the bottle was first started from; 0 when unknown. */
  readonly baseLayers: number
  /** Uncompressed, as far as the engine can tell; for progress and for the space check. */
  readonly bytes: number
}

/** One layer on its way out of an engine: a tar, not compressed. */
export interface LayerStream {
  /** Position from the bottom. -1 when the engine's stream does not tell: then the content's digest does. */
  readonly index: number
  /** Null when only the end tells. */
  readonly bytes: number | null
  readonly content: AsyncIterable<Uint8Array>
}

/** A layer that goes into an engine. `open` may be called more than once. */
export interface LayerFile {
  readonly diffId: string
  /** Of the uncompressed tar. */
  readonly bytes: number
  readonly open: (signal: AbortSignal) => AsyncIterable<Uint8Array>
}

export interface LoadRequest {
  /** The record as it will be written, but for `reference` and `digest`, which the load tells. */
  readonly snapshot: Snapshot
  /** Root id, for owner labels. */
  readonly rootId: string
  readonly image: {
    readonly platform: Platform
    readonly config: RunConfig
    readonly createdAt: string
    /** All, bottom first. */
    readonly diffIds: readonly string[]
  }
  /** Every layer that the engine may lack; those it has already are not opened. */
  readonly layers: ReadonlyMap<string, LayerFile>
  /** Resolves once every layer's content was verified: nothing may be kept by the engine before. */
  readonly verified: Promise<void>
}

/** An image that is no snapshot, as this backend knows it. */
export interface BaseImage {
  /** As in a snapshot's record: with these in a record, `describe` and `readLayers` tell of it. */
  readonly reference: string
  readonly digest: string
  /** Removes what was made only for this. */
  release(signal: AbortSignal): Promise<void>
}

/** What the record of a loaded snapshot needs. */
export type LoadedImage = Pick<Snapshot, 'reference' | 'digest' | 'bytes' | 'ownBytes' | 'facts'> & {
  /** What of the image this engine can't hold, for the record's `leftOut`. */
  readonly leftBehind?: readonly string[]
}

export interface BootRequest {
  readonly snapshot: Snapshot
  readonly rootId: string
  /** Program and arguments run inside; null takes the image's own health check, else only boots. */
  readonly check: readonly string[] | null
  /** Seconds until a check that does not end has failed. */
  readonly timeoutSeconds: number
}

export interface BootResult {
  /** What was run, as a person reads it; null when there was nothing to run and booting was the proof. */
  readonly check: string | null
  readonly exitCode: number | null
  /** The last of its output, at most 4 kB. */
  readonly output: string
}

/** A path that differs between a runtime and the snapshot it came from. */
export interface RuntimeDifference {
  /** Absolute path inside; bytes as latin1 characters. */
  readonly path: string
  readonly kind: 'added' | 'changed' | 'removed'
  readonly isFolder: boolean
  /** Bytes of the file now; null for a removed one and for what is no file. */
  readonly bytes: number | null
  /** Seconds since the epoch at which it was last written, whole; left out where the engine does not tell. */
  readonly modified?: number
  /** Permission bits with setuid, setgid and sticky; left out where the engine does not tell. */
  readonly mode?: number
  /** True where the engine has laid something of its own over the path: then it says nothing of the bottle's files. */
  readonly isCovered?: true
}

/** What a snapshot weighs, layer by layer; keys are unique on the engine, so that shared ones count once. */
export interface LayerSizes {
  readonly snapshotId: string
  readonly layers: readonly { readonly key: string; readonly bytes: number }[]
  /** Keys that something beyond our snapshots uses too (a base image, somebody's container): never freed by us. */
  readonly usedElsewhere: readonly string[]
}

/**
 * How snapshots leave an engine and enter it. Every backend whose snapshots hold files has one.
 * Source: issue 3; state-and-artifacts.md, "The artifact".
 */
export interface Portable {
  /** @throws BottleError `snapshot-missing`, `engine-down` */
  describe(snapshot: Snapshot, signal: AbortSignal): Promise<PortableImage>
  /**
   * Streams the wanted layers (all when null), each once, in any order, some at the same time: `take` is called for
   * each and its stream must be read to the end or cancelled. Streams that turn out not to be wanted may be offered
   * too: the taker tells by the digest. Returns the digests of all layers, bottom first.
   */
  readLayers(
    snapshot: Snapshot,
    wanted: ReadonlySet<string> | null,
    take: (layer: LayerStream) => Promise<string>,
    signal: AbortSignal,
  ): Promise<readonly string[]>
  /** Which of these layers the engine has in that order from the bottom: the length of the longest chain it holds. */
  heldLayers(diffIds: readonly string[], signal: AbortSignal): Promise<number>
  /**
   * Puts an image into the engine under the snapshot's reference. A failure or an abort leaves nothing.
   * @returns what the record needs: `reference`, `digest`, sizes and facts
   */
  load(request: LoadRequest, progress: ReportProgress, signal: AbortSignal): Promise<LoadedImage>
  /**
   * Makes the image of a plan ready as a launch would (found, pulled or built), for files from elsewhere that are laid
   * over it. Backends that can't have none. @throws BottleError `image-missing`, …
   */
  base?(plan: LaunchPlan, progress: ReportProgress, signal: AbortSignal): Promise<BaseImage>
  /**
   * Makes a snapshot of a file in the engine's own form, which is copied. Backends whose engine has none don't have it.
   * A failure or an abort leaves nothing. @throws BottleError `artifact-invalid`, `unsupported`
   */
  adopt?(
    request: { readonly file: string; readonly snapshot: Snapshot },
    progress: ReportProgress,
    signal: AbortSignal,
  ): Promise<Pick<Snapshot, 'reference' | 'digest' | 'bytes' | 'ownBytes' | 'fidelity' | 'facts'>>
  /** Boots the snapshot without network in a runtime of its own, runs the check, and removes all of it again. */
  boot(request: BootRequest, signal: AbortSignal): Promise<BootResult>
  /** What weighs what: one answer per snapshot, in their order. All of them belong to this backend. */
  sizes(snapshots: readonly Snapshot[], signal: AbortSignal): Promise<readonly LayerSizes[]>
  /**
   * What a runtime has changed since a snapshot, where the engine knows it without a comparison of all files. Null when
   * the runtime does not stand directly on that snapshot, so that this can't be told. @throws BottleError
   */
  differences?(
    ref: RuntimeRef,
    snapshot: Snapshot,
    signal: AbortSignal,
  ): Promise<readonly RuntimeDifference[] | null>
  /**
   * What a runtime has changed since the image that it was launched from, and that image's layers, bottom first. For
   * runtimes that went on after their last snapshot. Null when it can't be told. @throws BottleError
   */
  changesSinceLaunch?(
    ref: RuntimeRef,
    signal: AbortSignal,
  ): Promise<{ readonly diffIds: readonly string[]; readonly changes: readonly RuntimeDifference[] } | null>
}
