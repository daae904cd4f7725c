import { join } from 'node:path'
import { isSlug, requireSlug } from '../../state/slug.ts'
import { isSnapshotId } from '../../state/snapshot-files.ts'
import { bottleError } from '../../system/bottle-error.ts'

const RUN = /^[0-9a-zA-Z]{1,40}$/

/** The folders of one bottle that this backend owns; all below `state/<slug>`. */
export interface BottlePaths {
  readonly slug: string
  readonly stateDir: string
  /** Holds `workspace` and `home`. */
  readonly live: string
  readonly workspace: string
  readonly home: string
  /** The next trees while they are made. */
  readonly next: string
  readonly runs: string
  readonly snapshots: string
}

/** The files of one run. */
export interface RunPaths {
  readonly runId: string
  readonly dir: string
  readonly record: string
  readonly exit: string
  /** Exists from the moment at which the runner began the agent. */
  readonly started: string
  readonly runner: string
  /** Arguments and environment of an interactive run; the runner deletes it before the agent starts. */
  readonly launch: string
  /** Which processes were already stopped when a freeze began; exists only during one. */
  readonly pause: string
  readonly log: string
  /** The live trees that this run replaced, until it has started. */
  readonly replaced: string
}

/** @throws BottleError `invalid-slug`, since a slug from a record becomes part of a path */
export function bottlePaths(home: string, slug: string): BottlePaths {
  const stateDir = join(home, 'state', requireSlug(slug))
  const live = join(stateDir, 'live')
  return {
    slug,
    stateDir,
    live,
    workspace: join(live, 'workspace'),
    home: join(live, 'home'),
    next: join(stateDir, 'live.next'),
    runs: join(stateDir, 'run'),
    snapshots: join(stateDir, 'snapshots'),
  }
}

export function runPaths(bottle: BottlePaths, runId: string): RunPaths {
  if (!RUN.test(runId)) throw bottleError('internal', `${JSON.stringify(runId)} is not a run id.`)
  const dir = join(bottle.runs, runId)
  return {
    runId,
    dir,
    record: join(dir, 'runtime.json'),
    exit: join(dir, 'exit.json'),
    started: join(dir, 'started'),
    runner: join(dir, 'runner.sh'),
    launch: join(dir, 'launch.sh'),
    pause: join(dir, 'pause.json'),
    log: join(bottle.stateDir, 'logs', `${runId}.log`),
    replaced: join(bottle.stateDir, `live.prev-${runId}`),
  }
}

/** Where the trees of a snapshot lie. @throws BottleError `snapshot-missing` for an id that is none */
export function snapshotPath(home: string, slug: string, snapshotId: string): string {
  if (!isSnapshotId(snapshotId)) {
    throw bottleError('snapshot-missing', `${JSON.stringify(snapshotId)} is not a snapshot id.`, { slug })
  }
  return join(bottlePaths(home, slug).snapshots, `${snapshotId}.d`)
}

/** One small file per run, `<slug>.<runId>`: a single folder lists and tells of every run of this machine. */
export function indexDir(home: string): string {
  return join(home, 'icebox', 'host')
}

export function indexFile(home: string, slug: string, runId: string): string {
  return join(indexDir(home), `${slug}.${runId}`)
}

/** Reads a name of the index folder; null for anything else that lies there. Pure. */
export function parseIndexName(name: string): { readonly slug: string; readonly runId: string } | null {
  const [slug = '', runId = '', ...more] = name.split('.')
  return more.length === 0 && isSlug(slug) && RUN.test(runId) ? { slug, runId } : null
}
