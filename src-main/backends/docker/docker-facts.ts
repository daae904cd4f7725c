import type { RuntimeRef } from '../backend.ts'
import type { ImageFacts } from './image-source.ts'

/** How one container of a run gets its files, for refilling and wiping. */
export interface DeliveryFacts {
  readonly runVolume: string
  readonly hasShell: boolean
  /** Names only. */
  readonly secretNames: readonly string[]
  /** False only when the run is known to have been given no secret; a record that was rebuilt can't know. */
  readonly mayHoldSecrets: boolean
}

/** What `RuntimeRef.facts` holds for Docker. */
export interface DockerFacts extends DeliveryFacts {
  readonly root: string
  readonly tty: boolean
  readonly imageId: string
  readonly imageReference: string
  /** Of the image that the run was launched from; a commit sets these back. Null for containers made elsewhere. */
  readonly base: BaseFacts | null
  readonly userOverridden: boolean
  readonly sidecars: Readonly<Record<string, DeliveryFacts>>
  readonly built: string | null
  /** Whose home was given which folders; null when none was. */
  readonly homeKey: string | null
  /** HOME where the definition sets one; null for that of the image or its user. */
  readonly agentHome: string | null
  /** Compose project of a bottle that bot-bottle made. */
  readonly composeProject: string | null
  readonly notices: readonly string[]
}

export interface BaseFacts {
  readonly entrypoint: readonly string[] | null
  readonly cmd: readonly string[] | null
  readonly workdir: string
  readonly user: string
  readonly layers: number
  readonly bytes: number
  /** Layers of the image that the bottle was first started from; null where a record does not tell. */
  readonly baseLayers?: number | null
}

export function baseFacts(image: ImageFacts): BaseFacts {
  const { entrypoint, cmd, workdir, user, layers, bytes, baseLayers } = image
  return { entrypoint, cmd, workdir, user, layers, bytes, baseLayers }
}

function readDelivery(delivery: Partial<DeliveryFacts>): DeliveryFacts {
  return {
    runVolume: delivery.runVolume ?? '',
    hasShell: delivery.hasShell ?? true,
    secretNames: delivery.secretNames ?? [],
    mayHoldSecrets: delivery.mayHoldSecrets ?? true,
  }
}

/** Reads facts back from a record, tolerating what an older version did not write. */
export function readFacts(ref: RuntimeRef): DockerFacts {
  const facts = ref.facts as Partial<DockerFacts>
  return {
    root: facts.root ?? '',
    tty: facts.tty ?? false,
    imageId: facts.imageId ?? '',
    imageReference: facts.imageReference ?? '',
    base: facts.base ?? null,
    userOverridden: facts.userOverridden ?? false,
    runVolume: facts.runVolume ?? '',
    hasShell: facts.hasShell ?? true,
    secretNames: facts.secretNames ?? [],
    mayHoldSecrets: facts.mayHoldSecrets ?? true,
    sidecars: Object.fromEntries(
      Object.entries(facts.sidecars ?? {}).map(([id, delivery]: [string, Partial<DeliveryFacts>]) => [
        id,
        readDelivery(delivery),
      ]),
    ),
    built: facts.built ?? null,
    homeKey: facts.homeKey ?? null,
    agentHome: facts.agentHome ?? null,
    composeProject: facts.composeProject ?? null,
    notices: facts.notices ?? [],
  }
}
