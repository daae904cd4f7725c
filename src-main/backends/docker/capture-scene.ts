import type { ContainerInspectInfo } from 'dockerode'
import type { Snapshot, VolumePart } from '../../../src-preload/contract/index.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { Captured } from '../backend.ts'
import type { FreezeSubject } from '../freezer.ts'
import { splitMounts } from './capture-volumes.ts'
import { type BaseFacts, baseFacts, type DockerFacts, readFacts } from './docker-facts.ts'
import type { Engine } from './engine.ts'
import { imageFacts, inspectImage } from './image-source.ts'
import { LABEL, labelOf } from './labels.ts'
import { inspectContainer } from './remove-objects.ts'

/** What a capture found before it began. */
export interface Scene {
  readonly found: ContainerInspectInfo
  readonly facts: DockerFacts
  readonly isRunning: boolean
  readonly wasPaused: boolean
  readonly leftOut: readonly string[]
}

/** Reads what the capture has to know of the container. @throws BottleError `not-found` */
export async function lookAround(
  engine: Engine,
  subject: FreezeSubject,
  signal: AbortSignal,
): Promise<Scene> {
  const found = await inspectContainer(engine, subject.runtime.id, signal)
  if (!found) {
    throw bottleError(
      'not-found',
      `There is no container ${subject.runtime.name} to freeze. See \`icebox list\`.`,
      {
        slug: subject.slug,
      },
    )
  }
  const facts = readFacts(subject.runtime)
  const isOurs = labelOf(found.Config.Labels, LABEL.root) !== null
  const sidecars = subject.runtime.sidecars.map(({ name }) => `sidecar ${name}`)
  return {
    found,
    facts: { ...facts, base: isOurs ? (facts.base ?? (await baseOf(engine, found, signal))) : null },
    isRunning: found.State.Running,
    wasPaused: found.State.Paused,
    leftOut: [...splitMounts(found).leftOut, ...sidecars],
  }
}

/** A record may have lost the facts, and without them the wrapper would stay in the image. */
async function baseOf(engine: Engine, found: ContainerInspectInfo, signal: AbortSignal): Promise<BaseFacts> {
  const image = await inspectImage(engine, found.Image, signal)
  if (image) return baseFacts(imageFacts(found.Config.Image, image))
  throw bottleError(
    'image-missing',
    `The image that ${found.Name.slice(1)} was made from is gone, so its command is unknown.`,
  )
}

/** The record as it goes into the image, so that a lost file can be rebuilt: all but what the commit itself decides. */
export function labelRecord(
  record: Snapshot,
  scene: Scene,
  volumes: readonly VolumePart[],
  isFlat: boolean,
): Snapshot {
  return {
    ...record,
    fidelity: volumes.length > 0 ? 'files+volumes' : 'files',
    leftOut: [...scene.leftOut],
    volumes: [...volumes],
    facts: sceneFacts(scene, isFlat),
  }
}

function sceneFacts({ found, facts, isRunning }: Scene, isFlat: boolean): Record<string, unknown> {
  const { base } = facts
  return {
    // Only a container that we made was looked into.
    hasShell: base ? facts.hasShell : null,
    homeKey: base ? facts.homeKey : null,
    containerId: found.Id,
    containerFinishedAt: isRunning ? null : found.State.FinishedAt,
    baseEntrypoint: base?.entrypoint ?? null,
    baseCmd: base?.cmd ?? null,
    baseWorkdir: base?.workdir ?? null,
    baseUser: base?.user ?? null,
    baseBytes: base?.bytes ?? null,
    // Flattened layers stand on nothing else any more.
    baseLayers: isFlat ? 0 : (base?.baseLayers ?? null),
  }
}

/** Pure: what the Freezer makes its record of. */
export function capturedFrom(
  reference: string,
  digest: string,
  bytes: number,
  layers: number,
  scene: Scene,
  extra: {
    readonly volumes: readonly VolumePart[]
    readonly pausedMs: number | null
    readonly fingerprint: string | null
    readonly isFlat: boolean
  },
): Captured {
  const partBytes = extra.volumes.reduce((sum, part) => sum + part.bytes, 0)
  const baseBytes = scene.facts.base?.bytes
  return {
    reference,
    digest,
    fidelity: extra.volumes.length > 0 ? 'files+volumes' : 'files',
    leftOut: scene.leftOut,
    bytes: bytes + partBytes,
    ownBytes: extra.isFlat
      ? bytes + partBytes
      : baseBytes === undefined
        ? null
        : Math.max(0, bytes - baseBytes) + partBytes,
    volumes: [...extra.volumes],
    facts: {
      ...sceneFacts(scene, extra.isFlat),
      layers,
      ...(extra.fingerprint ? { changesFingerprint: extra.fingerprint } : {}),
      ...(extra.pausedMs === null ? {} : { pausedMs: extra.pausedMs }),
    },
    notices: extra.isFlat
      ? [
          'The snapshot had too many layers for Docker, so it was flattened into one. It no longer shares space with older ones.',
        ]
      : [],
  }
}
