import type { Fidelity, ScrubChoice } from '../../../src-preload/contract/index.ts'

/** One file of the cache: a snapshot, and what was to become of its secrets. Null: nobody chose, none were found. */
export interface DragKey {
  readonly slug: string
  readonly snapshot: string
  readonly scrub: ScrubChoice | null
}

/** What `<hash>.json` holds about the one file in `<hash>/`. Times are milliseconds since 1970. */
export interface DragRecord extends DragKey {
  readonly version: 1
  /** The name that a person sees where the file is dropped. */
  readonly fileName: string
  readonly bytes: number
  readonly mtimeMs: number
  /** Digest of the image manifest, which lies in the file's last part. */
  readonly digest: string
  /** What the file was made from; the snapshot's record must still give the same. */
  readonly source: string
  readonly fidelity: Fidelity
  readonly usedAt: number
  readonly draggedAt: number | null
}

/** A file that is there, and the token that stands for it. */
export interface ReadyFile {
  readonly token: string
  readonly file: string
  readonly fileName: string
  readonly bytes: number
  readonly fidelity: Fidelity
}
