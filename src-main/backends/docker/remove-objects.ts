import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerInspectInfo } from 'dockerode'
import { bottleError, toFailure } from '../../system/bottle-error.ts'
import { type Engine, LONG_MS, SHORT_MS } from './engine.ts'
import { isMissing, statusOf } from './engine-errors.ts'

const GONE_MS = 30_000

/** The inspection of a container, or null when there is none. @throws BottleError */
export async function inspectContainer(
  engine: Engine,
  nameOrId: string,
  signal: AbortSignal,
): Promise<ContainerInspectInfo | null> {
  try {
    // Not through the library: it describes each request for its log, which takes longer than the answer.
    const path = `/containers/${encodeURIComponent(nameOrId)}/json`
    return await engine.get<ContainerInspectInfo>(`look at container ${nameOrId}`, path, signal, SHORT_MS)
  } catch (thrown) {
    if (isMissing(thrown)) return null
    throw thrown
  }
}

/**
 * Removes a container, running or not, and returns once it is gone; false when it already was. Its volumes stay.
 * @throws BottleError
 */
export async function removeContainer(engine: Engine, id: string, signal: AbortSignal): Promise<boolean> {
  const until = Date.now() + GONE_MS
  for (let isFirst = true; ; isFirst = false) {
    try {
      const path = `/containers/${encodeURIComponent(id)}?force=true&v=false`
      const what = `remove container ${id.slice(0, 12)}`
      await engine.send(what, { method: 'DELETE', path }, signal, LONG_MS)
    } catch (thrown) {
      if (isMissing(thrown)) return !isFirst
      // Another client removes it at this moment: wait for that one.
      if (statusOf(thrown) !== 409 || Date.now() > until) throw thrown
    }
    if (!(await inspectContainer(engine, id, signal))) return true
    if (Date.now() > until) throw bottleError('engine-failed', `Docker has not removed the container ${id}.`)
    await sleep(100, undefined, { signal })
  }
}

/** Removes a volume; false when it is missing already. @throws BottleError, among others while a container uses it */
export async function removeVolume(engine: Engine, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    const path = `/volumes/${encodeURIComponent(name)}`
    await engine.send(`remove volume ${name}`, { method: 'DELETE', path }, signal, LONG_MS)
    return true
  } catch (thrown) {
    if (!isMissing(thrown)) throw thrown
    return false
  }
}

/** Removes a network; false when it is missing already. A container that just went may still hold it for a moment. */
export async function removeNetwork(engine: Engine, id: string, signal: AbortSignal): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    try {
      await engine.call(`remove network ${id}`, signal, (docker, abortSignal) =>
        docker.getNetwork(id).remove({ abortSignal }),
      )
      return true
    } catch (thrown) {
      if (isMissing(thrown)) return false
      if (attempt >= 20 || !/active endpoints/i.test(toFailure(thrown).detail ?? '')) throw thrown
      await sleep(100, undefined, { signal })
    }
  }
}

/** Removes one image reference; false when it is missing already, and an image that is used elsewhere just loses the name. */
export async function removeTag(engine: Engine, reference: string, signal: AbortSignal): Promise<boolean> {
  try {
    // Its layers' files are deleted one by one, which may take minutes.
    await engine.call(
      `remove image ${reference}`,
      signal,
      (docker, abortSignal) => docker.getImage(reference).remove({ force: true, abortSignal } as object),
      LONG_MS,
    )
    return true
  } catch (thrown) {
    if (!isMissing(thrown)) throw thrown
    return false
  }
}
