import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { SESSION_MODES } from '../agents/lifecycle.ts'
import { requireSessionId } from '../agents/sessions/plan-session.ts'
import { BACKENDS, type BuiltBackend, requireBackendName } from '../backends/registry.ts'
import type { StartRequest } from '../bottles/services.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { Face } from './face.ts'
import { nonEmpty, usageError } from './usage.ts'

/** The flags that start, resume and, in part, fork have in common, as the parser gives them. */
export interface RunFlags {
  readonly headless?: boolean
  readonly prompt?: string
  readonly backend?: string
  readonly cwd?: string
  readonly copyCwd?: boolean
  readonly secret?: readonly string[]
  readonly allowMissingSecrets?: boolean
  readonly unenforcedEgress?: boolean
  readonly force?: boolean
  readonly foreground?: boolean
  readonly session?: string
  readonly resumeId?: string
  /** False with --no-preflight. */
  readonly preflight?: boolean
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** Refuses what a command can't do with a flag that others have, rather than pretend. @throws BottleError `unsupported` */
export function refuseUnsupported(
  flags: Readonly<Record<string, unknown>>,
  reasons: Readonly<Record<string, string>>,
): void {
  for (const [key, reason] of Object.entries(reasons)) {
    if (flags[key] !== undefined && flags[key] !== false) throw bottleError('unsupported', reason)
  }
}

/** What --session and --resume-id say together. @throws BottleError `usage` */
export function sessionFlags(
  flags: Pick<RunFlags, 'session' | 'resumeId'>,
): Pick<StartRequest, 'session' | 'resumeId'> {
  const session = SESSION_MODES.find((mode) => mode === flags.session)
  if (flags.session !== undefined && session === undefined) {
    throw usageError(
      `--session takes one of ${SESSION_MODES.join(', ')}, not ${JSON.stringify(flags.session.slice(0, 40))}.`,
    )
  }
  if (flags.resumeId === undefined) return { session }
  const resumeId = requireSessionId(nonEmpty('--resume-id', flags.resumeId))
  if (session !== undefined && session !== 'resume')
    throw usageError(`--resume-id goes with --session resume, not with ${session}.`)
  return { session: 'resume', resumeId }
}

/** The backend by name; undefined when not given. @throws BottleError `unknown-backend` */
export function backendFlag(name: string | undefined): BuiltBackend | undefined {
  if (name === undefined) return undefined
  if (name === '') throw usageError(`--backend is empty. Use one of ${BACKENDS.join(', ')}.`)
  return requireBackendName(name)
}

/** The working folder, absolute. @throws BottleError `not-found` when it is not a folder */
export async function cwdFlag(face: Face, given: string | undefined): Promise<string> {
  const path = resolve(face.cwd, given ?? '.')
  if (given === '') throw usageError('--cwd is empty.')
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error)
  if (found instanceof Error) {
    if (found.code === 'ENOENT' || found.code === 'ENOTDIR')
      throw bottleError('not-found', `There is no folder ${path}.`)
    throw bottleError('permission', `The folder ${path} can't be read.`, {
      detail: found.message,
      cause: found,
    })
  }
  if (!found.isDirectory()) throw bottleError('not-found', `${path} is not a folder.`)
  return path
}

/** Names only: a value on the command line would stay in the shell's history. @throws BottleError `usage` */
export function secretNames(given: readonly string[] | undefined): readonly string[] | undefined {
  for (const name of given ?? []) {
    if (name.includes('=')) {
      throw usageError(
        '--secret takes a name, not NAME=value, which would stay in the history of your shell. Set it in the environment, or keep it with `icebox secret set NAME`.',
      )
    }
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw usageError(`--secret takes a name such as API_KEY, not ${JSON.stringify(name.slice(0, 60))}.`)
    }
  }
  return given
}

/** A label that leaves something to make a slug of. @throws BottleError `usage` */
export function labelFlag(label: string | undefined): string | undefined {
  if (label === undefined) return undefined
  const text = nonEmpty('--label', label)
  if (text.length > 200) throw usageError('--label is longer than 200 characters.')
  if (!/[a-z0-9]/i.test(text))
    throw usageError('--label needs at least one letter a-z or digit, for the slug.')
  return text
}

/** @throws BottleError `usage` */
export function colorFlag(color: string | undefined): string | undefined {
  if (color === undefined || /^(#[0-9a-f]{3}|#[0-9a-f]{6}|[a-z]{2,20})$/i.test(color)) return color
  throw usageError(
    `--color takes a name such as blue, or #rrggbb, not ${JSON.stringify(color.slice(0, 40))}.`,
  )
}

/** How much a prompt may have: what the contract takes from every face. */
const PROMPT_MAX = 200_000

/** The prompt; `-` reads it from stdin. @throws BottleError `usage` when empty, too long or missing with --headless */
export async function promptFlag(
  face: Face,
  flags: Pick<RunFlags, 'headless' | 'prompt'>,
): Promise<string | undefined> {
  const { prompt } = flags
  if (prompt === undefined) {
    if (flags.headless)
      throw usageError('--headless needs --prompt TEXT, or --prompt - to read it from stdin.')
    return undefined
  }
  const text = nonEmpty('--prompt', prompt === '-' ? await readStdin(face.signal) : prompt)
  if (text.length > PROMPT_MAX) throw usageError(`--prompt is longer than ${PROMPT_MAX} characters.`)
  return text
}

/** All of stdin as text. Bounded, since it may be anything. */
export async function readStdin(signal: AbortSignal): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  const abort = () => process.stdin.destroy()
  signal.addEventListener('abort', abort, { once: true })
  try {
    for await (const chunk of process.stdin) {
      const part = Buffer.from(chunk)
      parts.push(part)
      bytes += part.length
      if (bytes > PROMPT_MAX * 4) throw usageError('What came on stdin is too long.')
    }
  } catch (thrown) {
    if (signal.aborted) throw bottleError('cancelled')
    throw thrown
  } finally {
    signal.removeEventListener('abort', abort)
  }
  if (signal.aborted) throw bottleError('cancelled')
  return Buffer.concat(parts).toString('utf8')
}
