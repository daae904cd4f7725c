import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import type { ContainerClient } from './client.ts'
import { type ContainerEntry, decodeContainers } from './decode.ts'

/** Names that the engine takes. It has no short forms, so a name is the whole id. */
export const isContainerId = (text: string) => /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,62}$/.test(text)

/** Every container of the engine, in one call. @throws BottleError `engine-down`, `engine-missing` */
export async function listContainers(
  client: ContainerClient,
  signal: AbortSignal,
): Promise<readonly ContainerEntry[]> {
  return decodeContainers(await client.json(['list', '--all', '--format', 'json'], signal))
}

/** One container; null when there is none of that id. @throws BottleError */
export async function inspectContainer(
  client: ContainerClient,
  id: string,
  signal: AbortSignal,
): Promise<ContainerEntry | null> {
  if (!isContainerId(id)) return null
  try {
    // Older releases answer a missing one with an empty list, newer ones with an error.
    return (
      decodeContainers(await client.json(['inspect', id], signal)).find((entry) => entry.id === id) ?? null
    )
  } catch (thrown) {
    if (isBottleError(thrown) && thrown.code === 'not-found') return null
    throw thrown
  }
}

/** Removes a container and looks that it is gone; one that is not there is done. @throws BottleError */
export async function removeContainer(
  client: ContainerClient,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.run(['delete', '--force', id], signal)
  } catch (thrown) {
    // Gone in between is gone; one that is just stopping can't be deleted and is tried again by the caller.
    if (!(isBottleError(thrown) && thrown.code === 'not-found')) throw thrown
  }
  if (!(await listContainers(client, signal)).some((entry) => entry.id === id)) return
  throw bottleError('engine-failed', `container says that it deleted ${id}, but it is still there.`)
}
