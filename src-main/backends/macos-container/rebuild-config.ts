import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { runConfig } from '../images/run-config.ts'
import { LABEL } from '../labels.ts'
import type { Platform, RunConfig } from '../portable.ts'

/** The config under which a snapshot's image is made: how to run it, and whose it is. */
export interface SnapshotConfig {
  readonly run: RunConfig
  /** All labels: the image's own and the snapshot's. */
  readonly labels: Readonly<Record<string, string>>
}

/**
 * Pure: the image's own config with the snapshot's marks. Marks of an older snapshot are taken out, and what a launch
 * marked a container with never gets in: a plain `container run` of the image must not pass for a bottle.
 */
export function snapshotConfig(imageConfig: object, record: Snapshot, rootId: string): SnapshotConfig {
  const run = runConfig(imageConfig)
  return {
    run,
    labels: {
      ...run.Labels,
      [LABEL.snapshot]: record.id,
      [LABEL.record]: JSON.stringify(record),
      [LABEL.snapshotRoot]: rootId,
    },
  }
}

/** Pure: the image config of OCI, as text. */
export function imageConfigText(
  { run, labels }: SnapshotConfig,
  image: {
    readonly platform: Platform
    readonly createdAt: string
    readonly diffIds: readonly string[]
    readonly madeBy: string
  },
): string {
  const { platform, createdAt, diffIds, madeBy } = image
  return JSON.stringify({
    architecture: platform.architecture,
    config: { ...run, Labels: labels },
    created: createdAt,
    history: diffIds.map(() => ({ created: createdAt, created_by: madeBy })),
    os: platform.os,
    rootfs: { diff_ids: diffIds, type: 'layers' },
    ...(platform.variant ? { variant: platform.variant } : {}),
  })
}

/** What Apple's `image inspect` tells of a config; the rest only the image itself holds. */
export const TOLD_BY_INSPECT: ReadonlySet<string> = new Set([
  'Cmd',
  'Entrypoint',
  'Env',
  'Labels',
  'StopSignal',
  'User',
  'WorkingDir',
])

/** A build from scratch sets it where an image has none. */
const BUILDERS_PATH = /^PATH=\/usr\/local\/sbin:/

/**
 * Pure: names of the parts in which a made image differs from what was asked for, in order. The order of variables
 * and an unset working folder are no difference; neither is a PATH that a build sets where there was none.
 */
export function configDifferences(
  wanted: SnapshotConfig,
  found: object,
  compared: (key: string) => boolean = () => true,
): readonly string[] {
  const made = runConfig(found)
  const labels = (found as { readonly Labels?: unknown }).Labels
  const asked = { ...comparable(wanted.run), Labels: sorted(wanted.labels) }
  const had = {
    ...comparable(made, wanted.run),
    Labels: sorted(typeof labels === 'object' && labels !== null ? labels : {}),
  }
  const keys = [...new Set([...Object.keys(asked), ...Object.keys(had)])].sort()
  return keys.filter((key) => compared(key) && text(asked, key) !== text(had, key))
}

const text = (config: object, key: string) => JSON.stringify((config as Record<string, unknown>)[key] ?? null)

function comparable(config: RunConfig, asked: RunConfig = config): object {
  const hasPath = (asked.Env ?? []).some((line) => line.startsWith('PATH='))
  const env = (config.Env ?? []).filter((line) => hasPath || !BUILDERS_PATH.test(line)).sort()
  const { Env: _env, WorkingDir: workdir, ...rest } = config
  return {
    ...rest,
    ...(env.length > 0 ? { Env: env } : {}),
    ...(workdir && workdir !== '/' ? { WorkingDir: workdir } : {}),
  }
}

const sorted = (labels: object) =>
  Object.fromEntries(
    Object.entries(labels)
      .filter(([, value]) => value !== '')
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  )
