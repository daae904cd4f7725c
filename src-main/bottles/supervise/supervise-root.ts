import { toFailure } from '../../system/bottle-error.ts'
import type { ArtifactDeps } from '../artifact-deps.ts'
import type { Bottles } from '../services.ts'
import { ensureAnySupervisor } from './ensure-supervisor.ts'
import { type Lease, type SupervisorKind, takeLease, watchLease } from './lease.ts'
import { ownFiles, watchReplacement } from './own-files.ts'
import { PARTS, type Parts } from './parts.ts'
import { pause } from './pause.ts'
import { createSupervisor, type Supervisor } from './supervisor.ts'
import type { SupervisorDeps } from './supervisor-deps.ts'
import { type Clock, systemClock } from './wheel.ts'

export interface SuperviseOptions {
  readonly kind: SupervisorKind
  readonly signal: AbortSignal
  readonly warn: (error: unknown) => void
  /** Told when the lease was taken and every agent is under supervision, and each time it was lost. */
  readonly onChange?: ((generation: number | null) => void) | undefined
  /** A detached supervisor ends so many milliseconds after its last agent. */
  readonly lingerMs?: number | undefined
  /** Tests give their own. */
  readonly parts?: Partial<Parts> | undefined
  readonly clock?: Clock | undefined
  readonly random?: (() => number) | undefined
  /** True once the program's files are others than at the start; default: looks at them. */
  readonly isReplaced?: (() => Promise<boolean>) | undefined
}

const LINGER_MS = 60_000
/** Milliseconds before a lease that could not be taken, as with a full disk, is asked for again. */
const TAKE_AGAIN_MS = 5000

/**
 * Looks after the agents of a root while it holds the lease, and waits for the lease while another process has it. A
 * detached supervisor ends instead of waiting, when it has had no agent for a minute, and when the program was replaced,
 * leaving its agents to a new one. Resolves with how many agents
 * still run without supervision of this process.
 */
export async function superviseRoot(
  services: ArtifactDeps,
  bottles: Pick<Bottles, 'freeze' | 'restart' | 'watch' | 'waitForExit'>,
  options: SuperviseOptions,
): Promise<number> {
  const { root } = services
  const { signal, kind } = options
  const deps: SupervisorDeps = {
    services,
    bottles,
    warn: options.warn,
    parts: { ...PARTS, ...options.parts },
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  }
  let left = 0
  while (!signal.aborted) {
    const lease = await takeLease(root, kind).catch((thrown: unknown) => {
      // A detached one is started anew with the next agent; an app has nobody to start it.
      if (kind === 'detached') throw thrown
      options.warn(toFailure(thrown))
      return undefined
    })
    if (lease === undefined) {
      await pause(deps.clock, TAKE_AGAIN_MS, signal)
      continue
    }
    if (lease) left = await superviseWith(deps, lease, options)
    if (kind === 'detached') {
      if (left > 0 && !signal.aborted) await ensureAnySupervisor(services)
      return left
    }
    if (!signal.aborted) await leaseMayBeFree(deps, signal)
  }
  return left
}

/** Supervises until the lease is lost, the process ends, or a detached supervisor has nothing to do any more. */
async function superviseWith(deps: SupervisorDeps, lease: Lease, options: SuperviseOptions): Promise<number> {
  const { root } = deps.services
  const ending = new AbortController()
  const signal = AbortSignal.any([options.signal, ending.signal])
  const isReplaced = options.isReplaced ?? watchReplacement(ownFiles())
  const mayGoOn = async (): Promise<boolean> => {
    if (!(await lease.holds())) return false
    return options.kind !== 'detached' || !(await isReplaced())
  }
  const linger = options.kind === 'detached' ? (options.lingerMs ?? LINGER_MS) : null
  let timer: NodeJS.Timeout | undefined
  const onCount = (count: number): void => {
    clearTimeout(timer)
    if (linger !== null && count === 0 && !signal.aborted) timer = setTimeout(() => void endIfIdle(), linger)
  }
  const endIfIdle = async (): Promise<void> => {
    try {
      // Nobody can find the lease held and rely on it while this is decided.
      const isReleased = await lease.release(() => supervisor.isIdle())
      if (isReleased) ending.abort()
      else onCount(supervisor.count)
    } catch (thrown) {
      deps.warn(toFailure(thrown))
      onCount(supervisor.count)
    }
  }
  const supervisor: Supervisor = createSupervisor(deps, lease, signal, onCount)
  let isFollowing = true
  // Whoever follows no bottle any more must not keep the lease.
  const running = supervisor
    .run()
    .catch(deps.warn)
    .then(() => {
      isFollowing = signal.aborted
      ending.abort()
    })
  try {
    watchLease(
      root,
      () => {
        mayGoOn()
          .then((may) => may || ending.abort())
          .catch(deps.warn)
      },
      signal,
    )
    const isArmed = await supervisor.arm().then(() => !signal.aborted, notArmed(deps.warn))
    onCount(supervisor.count)
    options.onChange?.(lease.generation)
    await untilAborted(signal)
    // Before every bottle was looked at nobody knows: as if one needed somebody, who ends by himself where none does.
    return isArmed && isFollowing ? supervisor.count : Math.max(1, supervisor.count)
  } finally {
    clearTimeout(timer)
    ending.abort()
    await running
    await lease.release().catch(deps.warn)
    options.onChange?.(null)
  }
}

function notArmed(warn: (error: unknown) => void): (thrown: unknown) => boolean {
  return (thrown) => {
    warn(thrown)
    return false
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** Resolves when the lease changed hands, or when its holder may have died. */
async function leaseMayBeFree(deps: SupervisorDeps, signal: AbortSignal): Promise<void> {
  const heard = new AbortController()
  const both = AbortSignal.any([signal, heard.signal])
  watchLease(deps.services.root, () => heard.abort(), both)
  await untilAborted(both)
  heard.abort()
}
