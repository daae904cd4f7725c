import { setTimeout as sleep } from 'node:timers/promises'
import { bottleError } from '../../system/bottle-error.ts'
import type { FreezeSubject } from '../freezer.ts'
import { LABEL, labelOf, RUN_DIR } from '../labels.ts'
import type { ContainerClient } from './client.ts'
import { inspectContainer } from './containers.ts'
import type { ContainerEntry } from './decode.ts'

const SETTLE_MS = 60_000
const LOOK_MS = 200

/**
 * The container that is being frozen, as the engine has it now; one that is just stopping is waited for.
 * @throws BottleError `not-found`, `busy`
 */
export async function requireContainer(
  client: ContainerClient,
  subject: Pick<FreezeSubject, 'slug' | 'runtime'>,
  signal: AbortSignal,
): Promise<ContainerEntry> {
  const until = Date.now() + SETTLE_MS
  let found = await inspectContainer(client, subject.runtime.id, signal)
  while (found?.state === 'stopping' && Date.now() < until) {
    await sleep(LOOK_MS, undefined, { signal })
    found = await inspectContainer(client, subject.runtime.id, signal)
  }
  if (found?.state === 'stopping') {
    throw bottleError('busy', `${subject.runtime.name} is stopping and does not come to an end. Try again.`, {
      slug: subject.slug,
    })
  }
  if (found) return found
  throw bottleError(
    'not-found',
    `There is no container ${subject.runtime.name} to freeze. See \`icebox list\`.`,
    { slug: subject.slug },
  )
}

/** True of a container that Icebox made for this state root: it is known to survive a stop. Pure. */
export const isOwn = (entry: ContainerEntry, rootId: string) => labelOf(entry.labels, LABEL.root) === rootId

/** Pure: what no export holds. Which of the first kind there are, the engine does not tell. */
export function leftOutOf(entry: ContainerEntry, unheld: readonly string[]): readonly string[] {
  const mounts = entry.mounts
    .filter(({ destination }) => destination !== RUN_DIR)
    .map(({ type, source, destination }) =>
      type === 'bind'
        ? `bind ${source} → ${destination}`
        : type === 'tmpfs'
          ? `tmpfs ${destination}`
          : `${type === 'volume' ? 'volume' : 'mount'} ${source} → ${destination}`,
    )
    .sort()
  return [...mounts, 'sockets, named pipes and device files', ...unheld.map((path) => `file ${path}`)]
}

/** Pure: what a person is asked before a running bottle is stopped. */
export function stopQuestion(slug: string, version: string): string {
  return `Freezing ${slug} has to stop it: container ${version} exports stopped containers only (releases from 1.2.1 on export running ones). Its agent ends, and is started again once its files are copied. Stop ${slug} now?`
}
