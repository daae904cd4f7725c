import type { Platform, RunConfig } from '../../backends/portable.ts'
import type { SnapshotFacts } from '../facts.ts'
import type { Compression, Descriptor, ImageIndex } from '../oci.ts'

/** One layer as a blob of the store. */
export interface StoredLayer {
  /** `sha256:…` of the uncompressed tar. */
  readonly diffId: string
  readonly contentBytes: number
  readonly codec: Compression
  /** Of the blob. */
  readonly digest: string
  readonly size: number
  /**
   * True when this version's packer made the blob, so that the same content gives the same blob again. Others'
   * bytes differ for the same content, and an export must not depend on what the store happens to hold.
   */
  readonly isCanonical?: boolean
}

export interface StoredVolume extends StoredLayer {
  readonly destination: string
}

/**
 * A snapshot whose bytes are all in the store, before its config and manifest are made: what a scrub turns into
 * another one, and what an export or push is built from.
 */
export interface StoredSnapshot {
  readonly platform: Platform
  readonly config: RunConfig
  readonly createdAt: string
  /** Bottom first. */
  readonly layers: readonly StoredLayer[]
  readonly baseLayers: number
  readonly volumes: readonly StoredVolume[]
  readonly facts: SnapshotFacts
}

/** A snapshot as manifests in the store; `image.annotations` are those of ANNOTATION. */
export interface StoredImage {
  readonly image: Descriptor
  readonly parts: Descriptor
}

/**
 * `<root>/artifacts`: one OCI image layout. Blobs are complete and named by their digest or not there at all; every
 * write is staged, flushed and renamed. Several processes may use it at once.
 */
export interface ArtifactStore {
  /** Absolute path of the layout. */
  readonly dir: string
  /** Absolute path of a blob, there or not. @throws BottleError `artifact-invalid` for what is no sha256 digest */
  blobPath(digest: string): string
  /** Bytes of a blob, null when it is not there. */
  blobSize(digest: string): Promise<number | null>
  /** A small blob (JSON), whole. */
  putBytes(bytes: Uint8Array, mediaType: string): Promise<Descriptor>
  /** Takes over a file of the same file system whose digest the caller has verified; the file is gone afterwards. */
  adoptFile(file: string, digest: string): Promise<void>
  /** The blob that holds this content in that codec, when one is there. */
  findLayer(diffId: string, codec: Compression): Promise<StoredLayer | null>
  /** In any codec. */
  findAnyLayer(diffId: string): Promise<StoredLayer | null>
  /** Remembers which content a blob holds (a cache: it can be rebuilt by reading). */
  noteLayer(layer: StoredLayer): Promise<void>
  readIndex(): Promise<ImageIndex>
  /** Names an image; one of the same slug, snapshot and media types is replaced. */
  putImage(image: Descriptor): Promise<void>
  /** Forgets the images of a snapshot, or of a whole bottle; blobs go with the next collection. */
  forget(slug: string, snapshot?: string): Promise<void>
  /**
   * Deletes blobs that no image of the index reaches, of these only or of all; those of an unfinished operation of a
   * living process stay.
   * @returns bytes that were (or with `dryRun` would be) freed
   */
  collect(
    options: { readonly dryRun: boolean; readonly only?: ReadonlySet<string> },
    signal: AbortSignal,
  ): Promise<{ readonly bytes: number; readonly blobs: number }>
  /** Bytes of all blobs. */
  size(): Promise<number>
  /** A folder of this operation on the store's file system; swept by a later one if this process dies. */
  stage(what: string): Promise<Staging>
}

export interface Staging {
  readonly dir: string
  /** Removes what is left in it. */
  release(): Promise<void>
}
