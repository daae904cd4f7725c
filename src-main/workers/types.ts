/** How bytes are compressed; as in OCI media types. */
export type Codec = 'gzip' | 'zstd' | 'none'

/** What came of compressing one stream. */
export interface Packed {
  /** `sha256:…` of what went in. */
  readonly contentDigest: string
  readonly contentBytes: number
  /** `sha256:…` of what came out. */
  readonly digest: string
  readonly bytes: number
}

/** Bounds against archives that were made to do harm; all are settings. */
export interface ScanLimits {
  /** Entries in one layer. */
  readonly entries: number
  /** Bytes of one layer, uncompressed. */
  readonly bytes: number
  /** Uncompressed bytes per compressed byte, once a layer is larger than `ratioFrom` bytes. */
  readonly ratio: number
  /** A disk image or swap file of zeros packs as well as a bomb does, so smaller layers may have any ratio. */
  readonly ratioFrom: number
  /** Bytes of one path. */
  readonly pathBytes: number
}

export const SCAN_LIMITS: ScanLimits = {
  entries: 5_000_000,
  bytes: 1024 ** 4,
  ratio: 1000,
  ratioFrom: 4 * 1024 ** 3,
  pathBytes: 4096,
}

/** One entry of a layer, as a listing keeps it. Paths are relative, without a leading `./` or `/`; bytes as latin1. */
export interface ListedEntry {
  readonly path: string
  /** f file, d folder, l symbolic link, h hard link, c and b devices, p pipe, w whiteout of `path`, o opaque `path`. */
  readonly kind: 'f' | 'd' | 'l' | 'h' | 'c' | 'b' | 'p' | 'w' | 'o'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of content as the agent sees it (a sparse file's holes count). */
  readonly size: number
  /** Seconds, fraction kept as text. */
  readonly mtime: string
  /** Target of a link, else ''. */
  readonly link: string
  /** First 16 hex digits of the content's sha256 for files, else ''. */
  readonly hash: string
  /** Extended attributes and the like, digested to 8 hex digits; '' when there are none. */
  readonly extra: string
}

export interface LayerScan {
  /** Of the file as it is. */
  readonly digest: string
  readonly bytes: number
  /** Of the uncompressed tar; '' when a problem kept it from being read to its end. */
  readonly diffId: string
  readonly contentBytes: number
  readonly entries: number
  /** Why the layer is refused, naming the entry; null when it is fine. */
  readonly problem: string | null
  /** Paths that differ from another one only in case or Unicode form: fine on Linux, one file on a Mac's disk. */
  readonly twins: number
  /** The first two of them, printable; null when there are none. */
  readonly twinExample: readonly [string, string] | null
}

export interface ScanOptions {
  readonly codec: Codec | 'detect'
  readonly limits: ScanLimits
  /** Where to write the listing (one JSON array per line, see listing.ts); null for none. */
  readonly listing: string | null
  /** `volume`: a plain tar, in which whiteouts have no meaning. */
  readonly kind: 'layer' | 'volume'
}

/** The work that is done on other threads. Made on first use; ends with the process. */
export interface Workers {
  /**
   * Compresses a stream on all cores into `sink`, in order and deterministic: the same content gives the same bytes on
   * any number of cores. Memory stays bounded whatever comes in. A chunk's memory is used again once the sink's
   * promise resolves: what is to be kept has to be copied. No sink call runs any more when this settles.
   */
  pack(
    content: AsyncIterable<Uint8Array>,
    codec: Codec,
    sink: (chunk: Uint8Array) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Packed>
  /** Reads a file of this machine through once: digests, decompression, tar structure, hostile entries. */
  scan(file: string, options: ScanOptions, signal: AbortSignal): Promise<LayerScan>
  /** A file's uncompressed content, read and decompressed on another thread. Every chunk is the reader's own. */
  unpack(file: string, codec: Codec | 'detect', signal: AbortSignal): AsyncIterable<Uint8Array>
  /** As `unpack`, in little memory: a chunk is gone once the next one is asked for. */
  skim(file: string, codec: Codec | 'detect', signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Starts the thread that reads, for a caller who waits for something else first. */
  warm(): void
  /** `sha256:…` and length of a file. */
  hash(file: string, signal: AbortSignal): Promise<{ readonly digest: string; readonly bytes: number }>
}
