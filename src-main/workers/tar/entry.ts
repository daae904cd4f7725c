import type { BottleError } from '../../system/bottle-error.ts'
import { bottleError } from '../../system/bottle-error.ts'

export type TarType = 'file' | 'folder' | 'symlink' | 'hardlink' | 'char' | 'block' | 'pipe'

/** One entry of a tar as its headers tell it. Names are bytes held as latin1 characters, exactly as written. */
export interface TarEntry {
  readonly path: string
  readonly type: TarType
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of content as a reader of the file sees it; holes count. 0 for everything but files. */
  readonly size: number
  /** Bytes that the header claims, whatever the type; for a sparse file less than `size`. */
  readonly storedSize: number
  /** Seconds; a fraction is kept as text, without trailing zeros. */
  readonly mtime: string
  /** Target of a link, else ''. */
  readonly link: string
  /** Device numbers; 0 for everything but devices. */
  readonly major: number
  readonly minor: number
  /** Extended attributes: bytes held as latin1 characters. */
  readonly xattrs: ReadonlyMap<string, string>
  readonly isSparse: boolean
  /** Where the entry's own header starts in the archive. */
  readonly offset: number
}

/** What is wrong with an archive's structure. */
export type TarFault =
  | 'truncated'
  | 'checksum'
  | 'garbage-after-end'
  | 'number'
  | 'extended-header'
  | 'type'
  | 'sparse'

/** `artifact-invalid` with the fault as its detail, so that callers can tell them apart. */
export function tarError(fault: TarFault, sentence: string): BottleError {
  return bottleError('artifact-invalid', sentence, { detail: `tar: ${fault}` })
}
