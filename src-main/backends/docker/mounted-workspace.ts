import { posix } from 'node:path'
import type { RuntimeRef } from '../backend.ts'
import type { Engine } from './engine.ts'
import { inspectContainer } from './remove-objects.ts'

/** What a mount has to tell, as it was asked for: the engine may name the source as its own machine sees it. */
export interface AskedMount {
  readonly Type: string
  readonly Source: string
  readonly Target: string
  readonly ReadOnly?: boolean | undefined
}

/** The folder of this machine that a run works in; null for one inside its container. @throws BottleError */
export async function mountedWorkspace(
  engine: Engine,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<string | null> {
  const found = await inspectContainer(engine, ref.id, signal)
  const mounts = (found?.HostConfig.Mounts ?? []) as readonly AskedMount[]
  return found && folderOf(found.Config.WorkingDir || '/', mounts)
}

/** The nearest mount around a working folder counts, and only a bind that can be written to. Pure. */
export function folderOf(workdir: string, mounts: readonly AskedMount[]): string | null {
  const inside = ({ Target }: AskedMount) => posix.relative(posix.normalize(Target), posix.normalize(workdir))
  const [nearest] = mounts
    .filter((mount) => !/^\.\.(\/|$)/.test(inside(mount)))
    .sort((left, right) => right.Target.length - left.Target.length)
  if (nearest?.Type !== 'bind' || nearest.ReadOnly === true) return null
  return posix.join(nearest.Source, inside(nearest))
}
