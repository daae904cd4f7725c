import { z } from 'zod'

export const CompressionName = z.enum(['gzip', 'zstd', 'none'])
export type CompressionName = z.infer<typeof CompressionName>

export const ScrubChoice = z.enum(['strip', 'keep'])
export type ScrubChoice = z.infer<typeof ScrubChoice>

/** One place where a secret was found. Never holds the secret itself. */
export const SecretFinding = z.object({
  where: z.enum(['env', 'label', 'history', 'file', 'volume']),
  /** Path inside, variable or label name. */
  name: z.string(),
  /** What gave it away: `declared secret API_KEY`, `GitHub token`, `file .netrc`. */
  rule: z.string(),
  /** True when it lies in the image that the bottle was started from. */
  inBase: z.boolean(),
})
export type SecretFinding = z.infer<typeof SecretFinding>

/** Travels with an artifact: what was looked for and what became of it. */
export const ScrubReport = z.object({
  choice: ScrubChoice,
  /** Layers looked into, of how many. */
  layersSearched: z.number(),
  layers: z.number(),
  findings: z.array(SecretFinding.extend({ action: z.enum(['removed', 'replaced', 'kept']) })),
})
export type ScrubReport = z.infer<typeof ScrubReport>

/** `icebox export --json`. */
export const ExportResult = z.object({
  /** Null when it went to standard output. */
  file: z.string().nullable(),
  /** Digest of the image manifest: names the content, whatever the file is called. */
  digest: z.string(),
  /** Of the file. */
  bytes: z.number(),
  snapshot: z.string(),
  thin: z.boolean(),
  compression: CompressionName,
  scrub: ScrubReport.nullable(),
})
export type ExportResult = z.infer<typeof ExportResult>

/** A snapshot on its way to a file that can be dragged. The token stands for the file; pages know no paths. */
export const PreparedArtifact = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('ready'),
    token: z.string(),
    fileName: z.string(),
    bytes: z.number(),
  }),
  z.object({ state: z.literal('preparing'), taskId: z.string() }),
])
export type PreparedArtifact = z.infer<typeof PreparedArtifact>

export const ImportResult = z.object({
  slug: z.string(),
  snapshot: z.string(),
  backend: z.string(),
  notices: z.array(z.string()),
})
export type ImportResult = z.infer<typeof ImportResult>

export const PushResult = z.object({
  reference: z.string(),
  digest: z.string(),
  /** Bytes sent, and bytes that the registry had already. */
  sent: z.number(),
  held: z.number(),
})
export type PushResult = z.infer<typeof PushResult>

export const DiffKind = z.enum(['added', 'changed', 'removed', 'metadata'])
/** One changed path. Bytes of names that are no UTF-8 are shown as `\xNN`. */
export const DiffEntry = z.object({
  path: z.string(),
  kind: DiffKind,
  type: z.enum(['file', 'folder', 'link', 'special']),
  bytesBefore: z.number().nullable(),
  bytesAfter: z.number().nullable(),
})
export type DiffEntry = z.infer<typeof DiffEntry>

/** A folder's sum over everything below it. */
export const DiffFolder = z.object({
  path: z.string(),
  added: z.number(),
  changed: z.number(),
  removed: z.number(),
  /** Bytes more (or less) than before. */
  bytes: z.number(),
})
export type DiffFolder = z.infer<typeof DiffFolder>

export const PackageChange = z.object({
  manager: z.enum(['dpkg', 'apk', 'npm', 'pip']),
  name: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
})
export type PackageChange = z.infer<typeof PackageChange>

export const ConfigChange = z.object({
  /** `Env.PATH`, `Cmd`, `ExposedPorts`, … */
  key: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
})
export type ConfigChange = z.infer<typeof ConfigChange>

/** `icebox diff A B --json`. */
export const SnapshotDiff = z.object({
  /** `slug@id`, or `slug` for a bottle as it is now. */
  from: z.string(),
  to: z.string(),
  totals: z.object({ added: z.number(), changed: z.number(), removed: z.number(), bytes: z.number() }),
  folders: z.array(DiffFolder),
  /** Sorted by path, at most `limit`; `truncated` tells how many more there are. */
  entries: z.array(DiffEntry),
  truncated: z.number(),
  packages: z.array(PackageChange),
  config: z.array(ConfigChange),
  /** Volumes whose content differs. */
  volumes: z.array(DiffEntry),
  notices: z.array(z.string()),
})
export type SnapshotDiff = z.infer<typeof SnapshotDiff>

export const FileDiff = z.object({
  path: z.string(),
  /** Unified diff; null when a side is binary or too long, and `reason` says so. */
  text: z.string().nullable(),
  reason: z.string().nullable(),
})
export type FileDiff = z.infer<typeof FileDiff>

/** What a snapshot weighs. */
export const SnapshotSize = z.object({
  slug: z.string(),
  id: z.string(),
  /** All of it, and what no other snapshot or image uses: deleting it frees that much. */
  bytes: z.number(),
  uniqueBytes: z.number(),
  sharedBytes: z.number(),
})
export type SnapshotSize = z.infer<typeof SnapshotSize>

/** `icebox du --json`. */
export const SpaceUsage = z.object({
  snapshots: z.array(SnapshotSize),
  /** Everything that snapshots keep on disk, shared parts counted once. */
  snapshotBytes: z.number(),
  /** Portable copies in the artifact store, and those that nothing needs. */
  storeBytes: z.number(),
  storeUnusedBytes: z.number(),
  trashBytes: z.number(),
  freeBytes: z.number(),
  /** Engines that could not be asked. */
  notices: z.array(z.string()),
})
export type SpaceUsage = z.infer<typeof SpaceUsage>

/** `icebox prune --json`: what goes (or would go), and what that frees. */
export const PruneResult = z.object({
  dryRun: z.boolean(),
  snapshots: z.array(z.object({ slug: z.string(), id: z.string(), reason: z.string(), bytes: z.number() })),
  storeBytes: z.number(),
  /** Sum of what is free at once; deleted snapshots wait in the trash first. */
  freedBytes: z.number(),
  trashedBytes: z.number(),
  notices: z.array(z.string()),
})
export type PruneResult = z.infer<typeof PruneResult>

/** The proof of a restore. */
export const Verification = z.object({
  at: z.string(),
  outcome: z.enum(['passed', 'failed']),
  /** What was run inside; null when it only booted. */
  check: z.string().nullable(),
  /** One sentence, with the exit code or the reason. */
  detail: z.string(),
})
export type Verification = z.infer<typeof Verification>
