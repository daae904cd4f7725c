import type { RuntimeRef } from '../backend.ts'

/** What `RuntimeRef.facts` holds for Apple's container. */
export interface ContainerFacts {
  readonly root: string
  readonly tty: boolean
  /** False: the agent is the container's own command, and nothing writes down how it ended. */
  readonly hasShell: boolean
  /** Address of the terminal server that holds an interactive run; null for a headless one. */
  readonly socket: string | null
  /** Normalised, as the container names it. */
  readonly imageReference: string
  readonly imageDigest: string
  /** Tag of an image that this run built for itself. */
  readonly built: string | null
  readonly notices: readonly string[]
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Reads facts back from a record, tolerating what an older version did not write. Pure. */
export function readFacts(ref: RuntimeRef): ContainerFacts {
  const { facts } = ref
  return {
    root: text(facts.root),
    tty: facts.tty === true,
    hasShell: facts.hasShell !== false,
    socket: text(facts.socket) || null,
    imageReference: text(facts.imageReference),
    imageDigest: text(facts.imageDigest),
    built: text(facts.built) || null,
    notices: Array.isArray(facts.notices) ? facts.notices.map(text).filter(Boolean) : [],
  }
}
