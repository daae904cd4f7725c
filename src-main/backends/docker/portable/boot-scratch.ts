import { isAlive, ownIdentity, type ProcessIdentity } from '../../../system/process-identity.ts'
import type { Engine } from '../engine.ts'
import { LABEL, labelOf } from '../labels.ts'
import { removeContainer, removeVolume } from '../remove-objects.ts'

/**
 * Labels of what a boot makes. Not an owner's: a list must never show it as a bottle's runtime. They name the process
 * that removes it, so that others leave it alone as long as that one lives.
 */
export async function bootLabels(rootId: string): Promise<Readonly<Record<string, string>>> {
  return { [LABEL.boot]: rootId, [LABEL.bootOwner]: JSON.stringify(await ownIdentity()) }
}

/** Removes what boots of dead processes of this root left. @throws BottleError */
export async function sweepBoots(engine: Engine, rootId: string, signal: AbortSignal): Promise<void> {
  const filters = { label: [`${LABEL.boot}=${rootId}`] }
  const [containers, { Volumes: volumes }] = await engine.call(
    'look for what a check left',
    signal,
    (docker, abortSignal) =>
      Promise.all([
        docker.listContainers({ all: true, filters, abortSignal }),
        docker.listVolumes({ filters, abortSignal }),
      ]),
  )
  for (const { Id, Labels } of containers)
    if (await isAbandoned(Labels)) await removeContainer(engine, Id, signal)
  for (const { Name, Labels } of volumes ?? [])
    if (await isAbandoned(Labels)) await removeVolume(engine, Name, signal)
}

async function isAbandoned(labels: Readonly<Record<string, string>> | null): Promise<boolean> {
  const owner = parseOwner(labelOf(labels, LABEL.bootOwner))
  return owner === null || !(await isAlive(owner))
}

function parseOwner(text: string | null): ProcessIdentity | null {
  try {
    const value = JSON.parse(text ?? 'null') as Partial<ProcessIdentity> | null
    if (typeof value?.pid !== 'number' || typeof value.startTime !== 'string') return null
    return typeof value.bootId === 'string'
      ? { pid: value.pid, startTime: value.startTime, bootId: value.bootId }
      : null
  } catch {
    return null
  }
}
