import { join } from 'node:path'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { isSlug, requireSlug } from '../../state/slug.ts'
import { isSnapshotId } from '../../state/snapshot-files.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { RunPaths } from '../local/start-runner.ts'

const RUN = /^[0-9a-zA-Z]{1,40}$/

/** The files of one run on this machine; all below `state/<slug>/run/<run>`, which only this user can enter. */
export interface SmolRunPaths extends RunPaths {
  /** The run's reference, as it was launched. */
  readonly record: string
  /** Exists from the moment at which the runner began the agent. */
  readonly started: string
  /** What the guest is given before the agent begins, secrets included; goes with the run's end. */
  readonly delivery: string
  /** While it is there, the end of the agent's `exec` is a freeze's doing and not its exit. */
  readonly hold: string
  /** The runner says with it that it waits for the end of a hold. */
  readonly held: string
}

/** @throws BottleError `invalid-slug`, since a slug from a record becomes part of a path */
export function stateFolder(home: string, slug: string): string {
  return join(home, 'state', requireSlug(slug))
}

export function runPaths(home: string, run: { readonly slug: string; readonly runId: string }): SmolRunPaths {
  if (!RUN.test(run.runId)) throw bottleError('internal', `${JSON.stringify(run.runId)} is not a run id.`)
  const dir = join(stateFolder(home, run.slug), 'run', run.runId)
  return {
    dir,
    record: join(dir, 'runtime.json'),
    exit: join(dir, 'exit.json'),
    started: join(dir, 'started'),
    runner: join(dir, 'runner.sh'),
    launch: join(dir, 'launch.sh'),
    log: join(dir, 'output.log'),
    delivery: join(dir, 'delivery.sh'),
    hold: join(dir, 'hold'),
    held: join(dir, 'held'),
  }
}

/** True for a run that can have files here; adopted and foreign machines have none. */
export function hasRunFolder(run: { readonly slug: string; readonly runId: string }): boolean {
  return isSlug(run.slug) && RUN.test(run.runId)
}

/** Folder of what a snapshot consists of. @throws BottleError `snapshot-missing` for an id that is none */
export function snapshotFolder(home: string, snapshot: Pick<Snapshot, 'slug' | 'id'>): string {
  if (!isSnapshotId(snapshot.id)) {
    throw bottleError('snapshot-missing', `${JSON.stringify(snapshot.id)} is not a snapshot id.`)
  }
  return join(stateFolder(home, snapshot.slug), 'snapshots', `${snapshot.id}.d`)
}

/** The files that a snapshot can consist of. */
export const ARTIFACTS = ['bottle.smolmachine', 'bottle.smolcheckpoint', 'image.tar'] as const
export type ArtifactName = (typeof ARTIFACTS)[number]

/**
 * Where a snapshot's file lies now: a bottle that came back from the trash under another name has it elsewhere than
 * its reference says. @throws BottleError `snapshot-missing` for a reference of another kind
 */
export function artifactPath(
  home: string,
  snapshot: Pick<Snapshot, 'slug' | 'id' | 'reference'>,
): { readonly path: string; readonly name: ArtifactName } {
  const name = ARTIFACTS.find((known) => snapshot.reference.endsWith(`/${known}`))
  if (!name) {
    throw bottleError(
      'snapshot-missing',
      `The snapshot ${snapshot.id} names ${JSON.stringify(snapshot.reference)}, which is no file of a machine.`,
      { slug: snapshot.slug },
    )
  }
  return { path: join(snapshotFolder(home, snapshot), name), name }
}
