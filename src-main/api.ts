import { resolve } from 'node:path'
import type { BackendName, Snapshot } from '../src-preload/contract/index.ts'
import { requireBackendName } from './backends/registry.ts'
import type { OperationContext } from './bottles/services.ts'
import type { Icebox } from './icebox.ts'
import { bottleError, toBottleError } from './system/bottle-error.ts'

export type { ErrorCode } from '../src-preload/contract/errors.ts'
export { BottleError } from './system/bottle-error.ts'

/** What every call takes. */
interface CallOptions {
  /** State root; default `$ICEBOX_HOME`, else `~/.bot-bottle`. */
  readonly home?: string
  /** Backend name; default: the bottle's own, for a new bottle what its definition says. */
  readonly backend?: string
  readonly signal?: AbortSignal
  /** Sentences for a person that don't stop the call; default: dropped. */
  readonly onNotice?: (text: string) => void
  /**
   * Asked before a running bottle is stopped for its freeze, where the engine can't freeze it otherwise. Without it,
   * or when it answers false, nothing changes and the call fails with `cancelled`.
   */
  readonly confirm?: (question: string) => boolean | Promise<boolean>
}

export interface StartOptions extends CallOptions {
  /** What the agent is to do; must not be empty. */
  readonly prompt: string
  /** Bottle definitions, merged in order; an empty list means not given. */
  readonly bottles?: readonly string[]
  readonly label?: string
  readonly color?: string
  /** How the conversation relates to earlier ones; default: what the definition says. */
  readonly session?: 'continue-or-new' | 'continue' | 'new' | 'resume'
  /** The conversation to go on with, for `resume`. */
  readonly resumeId?: string
  /** A bottle that has the label is stopped, frozen and put into the trash first. */
  readonly force?: boolean
  /** Launches without asking the engine first whether it can. */
  readonly noPreflight?: boolean
  /** Copy `cwd` into the working folder. */
  readonly copyCwd?: boolean
  /** For the sidecar named `forge` and nobody else; never written anywhere. */
  readonly forgeEnv?: Readonly<Record<string, string>>
  /** Folder whose project agents count; default: the process's working folder. */
  readonly cwd?: string
  /** Values of secrets by name, before environment and keychain; never written anywhere. */
  readonly secrets?: Readonly<Record<string, string>>
}

export interface ResumeOptions extends CallOptions {
  readonly prompt: string
  readonly forgeEnv?: Readonly<Record<string, string>>
  /** How the conversation relates to earlier ones; default: it goes on. */
  readonly session?: 'continue-or-new' | 'continue' | 'new' | 'resume'
  readonly resumeId?: string
  /** Stops the bottle first if it runs. */
  readonly force?: boolean
  /** Start anew from the definition when there is nothing to resume from; else that is an error. */
  readonly rebuildOk?: boolean
  readonly secrets?: Readonly<Record<string, string>>
}

export interface FreezeOptions extends CallOptions {
  readonly note?: string
}

const opened = new Map<string, Promise<Icebox>>()

/** One core per state root and engine: a program that makes many calls opens them once. */
function openOnce(home: string | undefined): Promise<Icebox> {
  const { ICEBOX_HOME, DOCKER_HOST, DOCKER_CONTEXT } = process.env
  const key = JSON.stringify([home ?? ICEBOX_HOME ?? null, DOCKER_HOST ?? null, DOCKER_CONTEXT ?? null])
  const known = opened.get(key)
  if (known) return known
  const opening = import('./icebox.ts').then(({ createIcebox }) => createIcebox({ home }))
  opened.set(key, opening)
  // A root that could not be opened may be mended before the next call.
  opening.catch(() => opened.delete(key))
  return opening
}

async function open(options: CallOptions): Promise<{ icebox: Icebox; context: OperationContext }> {
  if (options.backend) requireBackendName(options.backend)
  const icebox = await openOnce(options.home)
  return {
    icebox,
    context: {
      signal: options.signal ?? new AbortController().signal,
      progress: () => undefined,
      notice: options.onNotice ?? (() => undefined),
      // A program can't be asked: what would need an answer is declined and reported as `cancelled`.
      confirm: async () => false,
      confirmStop: async (question) => (await options.confirm?.(question)) === true,
    },
  }
}

async function guarded<T>(slug: string | undefined, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (thrown) {
    throw toBottleError(thrown, slug)
  }
}

function requireSuccess(slug: string, exitCode: number | null): void {
  if (exitCode === 0) return
  const code = exitCode ?? 1
  const said = exitCode === null ? 'ended without an exit code' : `exited with code ${exitCode}`
  throw bottleError(
    'agent-exited',
    `The agent of ${slug} ${said}. Its work is kept; ${slug} can be frozen and resumed.`,
    {
      slug,
      exitCode: code,
    },
  )
}

/**
 * Launches a new bottle and waits until its agent has ended; one that its definition keeps running is not waited for. The bottle stays: freeze, resume or destroy it by
 * the slug that is returned. Source: seed 000, `start_headless`.
 * @throws BottleError with `code`; when the agent fails, `agent-exited` with its `exitCode` and the `slug`.
 */
export function startHeadless(agent: string, options: StartOptions): Promise<string> {
  return guarded(undefined, async () => {
    const { icebox, context } = await open(options)
    const { slug, exitCode, isDetached } = await icebox.bottles.start(
      {
        agent,
        mode: 'headless',
        prompt: options.prompt,
        bottles: options.bottles,
        label: options.label,
        color: options.color,
        backend: options.backend as BackendName | undefined,
        cwd: resolve(options.cwd ?? process.cwd()),
        copyCwd: options.copyCwd,
        forgeEnv: options.forgeEnv,
        secrets: options.secrets,
        session: options.session,
        resumeId: options.resumeId,
        force: options.force,
        noPreflight: options.noPreflight,
      },
      context,
    )
    if (!isDetached) requireSuccess(slug, exitCode)
    return slug
  })
}

/**
 * Resumes a bottle with a new prompt and waits until its agent has ended. Work that was not frozen is frozen
 * first. Source: seed 000, `resume_headless`.
 * @throws BottleError `not-found`, `busy`, `snapshot-missing`, `agent-exited`, …
 */
export function resumeHeadless(slug: string, options: ResumeOptions): Promise<void> {
  return guarded(slug, async () => {
    const { icebox, context } = await open(options)
    const { exitCode, isDetached } = await icebox.bottles.resume(
      {
        slug,
        mode: 'headless',
        prompt: options.prompt,
        backend: options.backend as BackendName | undefined,
        forgeEnv: options.forgeEnv,
        rebuildOk: options.rebuildOk,
        secrets: options.secrets,
        session: options.session,
        resumeId: options.resumeId,
        force: options.force,
      },
      context,
    )
    if (!isDetached) requireSuccess(slug, exitCode)
  })
}

/**
 * Freezes a bottle, running or stopped, to a resumable snapshot. One that has not changed keeps its snapshot.
 * Source: seed 000, `freeze`.
 * @throws BottleError `not-found`, `busy`, `engine-down`, `disk-full`, `cancelled`, …
 */
export function freeze(slug: string, options: FreezeOptions = {}): Promise<Snapshot> {
  return guarded(slug, async () => {
    const { icebox, context } = await open(options)
    const { snapshot } = await icebox.bottles.freeze(
      { slug, backend: options.backend as BackendName | undefined, note: options.note },
      context,
    )
    return snapshot
  })
}

/**
 * Removes a bottle's runtimes; its state and snapshots wait in the trash. Doing it again is no error.
 * Source: seed 000, `destroy`.
 * @throws BottleError `engine-down` when the runtime can't be reached; the state is then kept.
 */
export function destroy(slug: string, options: CallOptions = {}): Promise<void> {
  return guarded(slug, async () => {
    const { icebox, context } = await open(options)
    await icebox.bottles.destroy({ slug, backend: options.backend as BackendName | undefined }, context)
  })
}
