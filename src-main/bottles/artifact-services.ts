import type { Writable } from 'node:stream'
import type {
  CompressionName,
  Done,
  ExportResult,
  FileDiff,
  ImportResult,
  PruneResult,
  PushResult,
  ScrubChoice,
  SecretFinding,
  Snapshot,
  SnapshotDiff,
  SpaceUsage,
} from '../../src-preload/contract/index.ts'
import type { OperationContext } from './services.ts'

/** A snapshot of a bottle; `latest` and clear beginnings of an id are understood. Undefined: the current one. */
export interface SnapshotTarget {
  readonly slug: string
  readonly snapshot?: string | undefined
}

export interface ScrubOptions {
  /** Undefined: `onSecrets` is asked when something is found. */
  readonly scrub?: ScrubChoice | undefined
  /** Without it, findings are the error `secrets-found`. */
  readonly onSecrets?: ((findings: readonly SecretFinding[]) => Promise<ScrubChoice | 'cancel'>) | undefined
}

export interface ExportRequest extends SnapshotTarget, ScrubOptions {
  readonly compression: CompressionName
  readonly thin: boolean
}

export type ExportTarget =
  /** Written beside it and renamed: the file is there whole or not at all. */
  { readonly file: string } | { readonly stream: Writable }

export type ImportSource =
  | { readonly file: string }
  | { readonly stream: AsyncIterable<Uint8Array>; readonly bytes: number | null }

/** A snapshot, or (null) the bottle as it is now. */
export interface DiffPoint {
  readonly slug: string
  readonly snapshot: string | null
}

/** How many snapshots of a bottle stay per stretch of time; pinned, current and running ones always stay. */
export interface RetentionPolicy {
  /** The newest n, whatever their age. */
  readonly last: number
  readonly hourly: number
  readonly daily: number
  readonly weekly: number
}

export interface PruneRequest {
  readonly dryRun: boolean
  /** Only these bottles; undefined is all. */
  readonly slugs?: readonly string[] | undefined
  /** Undefined: the settings' policy. */
  readonly policy?: RetentionPolicy | undefined
}

/** Frozen bottles as portable files, and what they take up. All methods throw BottleError and nothing else. */
export interface Artifacts {
  export(request: ExportRequest, target: ExportTarget, context: OperationContext): Promise<ExportResult>
  import(
    source: ImportSource,
    options: { readonly label?: string | undefined },
    context: OperationContext,
  ): Promise<ImportResult>
  push(
    request: SnapshotTarget & ScrubOptions & { readonly reference: string },
    context: OperationContext,
  ): Promise<PushResult>
  pull(
    request: { readonly reference: string; readonly label?: string | undefined },
    context: OperationContext,
  ): Promise<ImportResult>
  searchSecrets(target: SnapshotTarget, context: OperationContext): Promise<readonly SecretFinding[]>
  diff(from: DiffPoint, to: DiffPoint, context: OperationContext): Promise<SnapshotDiff>
  diffFile(from: DiffPoint, to: DiffPoint, path: string, context: OperationContext): Promise<FileDiff>
  /** Boots the snapshot without network, runs the health check, records the outcome and returns the record. */
  verify(target: SnapshotTarget, context: OperationContext): Promise<Snapshot>
  /** Moves one snapshot to the trash. @throws BottleError `denied` where it holds the only copy of somebody's work */
  deleteSnapshot(target: SnapshotTarget, context: OperationContext): Promise<Done>
  /** Keeps a portable copy in the store where the setting `keepPortableCopies` asks for it. Never throws for the copy. */
  keepCopy(snapshot: Snapshot, context: OperationContext): Promise<void>
  usage(signal: AbortSignal): Promise<SpaceUsage>
  prune(request: PruneRequest, context: OperationContext): Promise<PruneResult>
}
