import type { Failure } from '../../src-preload/contract/errors.ts'
import type { Codec, LayerScan, Packed, ScanOptions } from './types.ts'

/** What a thread can be asked. */
export interface Jobs {
  scan: {
    readonly args: { readonly file: string; readonly options: ScanOptions }
    readonly result: LayerScan
  }
  hash: {
    readonly args: { readonly file: string }
    readonly result: { readonly digest: string; readonly bytes: number }
  }
  /** Sends chunks as long as it is asked for more. */
  unpack: {
    readonly args: { readonly file: string; readonly codec: Codec | 'detect' }
    readonly result: null
  }
  /**
   * Hashes and compresses the next block of a stream; blocks of one `key` go to one thread, in order. `input` holds
   * `before` bytes of history and then the block, in shared memory that is free again with the answer: the packed
   * bytes, null for codec none.
   */
  'pack-block': {
    readonly args: {
      readonly key: number
      readonly codec: Codec
      readonly input: Uint8Array
      readonly before: number
    }
    readonly result: Uint8Array | null
  }
  /** Forgets the stream. Tells its digests, with `tail` counted: the bytes that end the output. */
  'pack-end': {
    readonly args: { readonly key: number; readonly codec: Codec }
    readonly result: { readonly packed: Packed; readonly tail: Uint8Array }
  }
}

export type JobName = keyof Jobs

export type ToThread =
  | {
      readonly [Name in JobName]: {
        readonly id: number
        readonly job: Name
        readonly args: Jobs[Name]['args']
      }
    }[JobName]
  | { readonly id: number; readonly job: 'cancel' }
  /** `memory`: of a chunk that the asker is done with, to be filled again. */
  | { readonly id: number; readonly job: 'more'; readonly memory?: ArrayBuffer }

export type FromThread =
  | { readonly id: number; readonly kind: 'result'; readonly value: unknown }
  | { readonly id: number; readonly kind: 'chunk'; readonly bytes: Uint8Array }
  | { readonly id: number; readonly kind: 'failed'; readonly failure: Failure }
