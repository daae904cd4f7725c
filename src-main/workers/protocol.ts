import type { Failure } from '../../src-preload/contract/errors.ts'
import type { Codec, LayerScan, ScanOptions } from './types.ts'

/** What a thread can be asked. Buffers of `compress` and `digest-add` are shared, everything else is copied. */
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
  /** `input` holds `before` bytes of history and then the block; the result is how much of `output` was filled. */
  compress: {
    readonly args: {
      readonly codec: Exclude<Codec, 'none'>
      readonly input: Uint8Array
      readonly before: number
      readonly output: Uint8Array
    }
    readonly result: number
  }
  /** Hashes that live on this thread until `digest-end`; both streams of one `key` on the same thread. */
  'digest-add': {
    readonly args: { readonly key: number; readonly stream: 'content' | 'output'; readonly bytes: Uint8Array }
    readonly result: null
  }
  /** What the streams so far come to; the content's CRC-32 too. Forgets nothing. */
  'digest-tell': {
    readonly args: { readonly key: number }
    readonly result: { readonly content: string; readonly output: string; readonly crc: number }
  }
  'digest-end': { readonly args: { readonly key: number }; readonly result: null }
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
  | { readonly id: number; readonly job: 'more' }

export type FromThread =
  | { readonly id: number; readonly kind: 'result'; readonly value: unknown }
  | { readonly id: number; readonly kind: 'chunk'; readonly bytes: Uint8Array }
  | { readonly id: number; readonly kind: 'failed'; readonly failure: Failure }
