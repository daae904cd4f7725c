import { posix } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'
import type { AgentPath } from '../agent-access.ts'
import type { RuntimeRef } from '../backend.ts'
import { type ContainerUser, findUser } from './container-files.ts'
import { readFacts } from './docker-facts.ts'
import type { Engine } from './engine.ts'
import { inspectContainer } from './remove-objects.ts'

/** Where an agent's files are, and what its container can do about them now. */
export interface Place {
  readonly home: string
  readonly workspace: string
  readonly user: ContainerUser
}

export interface Container extends Place {
  readonly id: string
  /** It runs and has a shell, so a program can be run in it as the agent's user. */
  readonly canRun: boolean
  readonly isRunning: boolean
}

/** Finds the places of a run, once each. */
export function createPlaces(
  engine: Engine,
): (ref: RuntimeRef, signal: AbortSignal) => Promise<Container | null> {
  const known = new Map<string, Place>()
  return async (ref, signal) => {
    const found = await inspectContainer(engine, ref.id, signal)
    if (!found) {
      known.delete(ref.id)
      return null
    }
    const facts = readFacts(ref)
    let place = known.get(ref.id)
    if (!place) {
      const { User, Env, WorkingDir } = found.Config
      const home = facts.agentHome ?? homeIn(Env ?? [])
      const user = await findUser(engine, ref.id, User, home, signal)
      place = { home: user.home, workspace: WorkingDir || '/', user }
      known.set(ref.id, place)
    }
    const { Running, Paused } = found.State
    return {
      ...place,
      id: ref.id,
      isRunning: Running && !Paused,
      canRun: Running && !Paused && facts.hasShell,
    }
  }
}

/** Pure. */
export function homeIn(env: readonly string[]): string | null {
  return env.find((line) => line.startsWith('HOME='))?.slice('HOME='.length) || null
}

/** The folder that a path starts from. */
export const baseIn = (container: Place, { base }: AgentPath): string =>
  base === 'home' ? container.home : container.workspace

/** A path inside the container. Pure. */
export const inside = (container: Place, path: AgentPath, parts: readonly string[]): string =>
  posix.join('/', baseIn(container, path), ...parts)

export function goneError(ref: RuntimeRef): Error {
  return bottleError('not-found', `The container ${ref.name} is gone.`, { slug: ref.slug })
}
