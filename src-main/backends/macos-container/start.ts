import { join } from 'node:path'
import { readText } from '../../state/durable-file.ts'
import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import { endTerminal, makeRunFolder, startInteractive } from '../local/start-runner.ts'
import { TMUX_FIX } from '../local/terminal.ts'
import { terminalSocket } from '../local/terminal-socket.ts'
import { waitUntil } from '../local/wait-until.ts'
import { inspectContainer } from './containers.ts'
import type { ContainerContext } from './context.ts'
import { missingProgram } from './errors.ts'
import { hasBegun, type RunFolder, readExit, readStarts, runFolder } from './run-folder.ts'

/** A made container, and how it is to be started. */
export interface StartTarget {
  readonly id: string
  readonly slug: string
  readonly runId: string
  readonly tty: boolean
  readonly hasShell: boolean
}

export interface Started {
  /** Address of the terminal server; null for a headless run. */
  readonly socket: string | null
}

/** A container that ended before its agent began. */
const NEVER_BEGAN = 'The container ended before its agent began.'
/** How engines and systems say that a program, or the one that reads it, is not there. */
const NO_PROGRAM = /failed to find|no such file|not found|ENOENT|exec format/i
/** Files are looked at first, since asking the engine is a process. */
const FILE_POLL_MS = 250
const ENGINE_POLL_MS = 1000
const LOG_LINES = '20'

/**
 * Starts a stopped container as it was made, also one that ran before, and resolves once its agent has begun.
 * An interactive one runs in a terminal server, which outlives this process.
 * @throws BottleError when the agent does not begin; the container then stays as it is
 */
export async function startContainer(
  context: ContainerContext,
  target: StartTarget,
  signal: AbortSignal,
): Promise<Started> {
  const folder = runFolder(context.home, target.slug, target.runId)
  const before = (await readStarts(folder)) ?? ''
  const socket = target.tty ? await startInTerminal(context, target, folder, signal) : null
  if (!target.tty) await context.client.run(['start', target.id], signal)
  await requireBegun(context, target, before, signal)
  return { socket }
}

/** True for a failure that an image without a shell would have: its start script can't be run. */
export async function mayLackShell(
  context: ContainerContext,
  target: StartTarget,
  thrown: unknown,
): Promise<boolean> {
  // A name that is taken, a full disk or a call that was killed says nothing of the image.
  if (!isBottleError(thrown) || !['engine-failed', 'not-found'].includes(thrown.code)) return false
  if (thrown.message !== NEVER_BEGAN && !NO_PROGRAM.test(thrown.detail ?? '')) return false
  // The script tells that it runs as the first thing it does.
  return (await readStarts(runFolder(context.home, target.slug, target.runId))) === ''
}

async function startInTerminal(
  context: ContainerContext,
  target: StartTarget,
  folder: RunFolder,
  signal: AbortSignal,
): Promise<string> {
  const tmux = await context.tmux()
  const program = await context.client.program()
  if (!program) throw missingProgram()
  if (!tmux) throw bottleError('engine-missing', `An interactive bottle needs tmux. Install it: ${TMUX_FIX}`)
  const socket = await terminalSocket(context.home, target.slug, target.runId)
  await makeRunFolder(folder)
  const waiting = await startInteractive(
    folder,
    {
      argv: [program, 'start', '--attach', '--interactive', target.id],
      env: context.client.env,
      cwd: folder.dir,
      indexFile: join(folder.dir, 'index'),
    },
    tmux,
    socket,
    signal,
  )
  await waiting.go()
  return socket
}

/**
 * Resolves once the agent of a container that was just started has begun.
 * @param before the tally of starts before this one
 * @throws BottleError when it does not begin
 */
export async function requireBegun(
  context: ContainerContext,
  target: StartTarget,
  before: string,
  signal: AbortSignal,
): Promise<void> {
  const folder = runFolder(context.home, target.slug, target.runId)
  let askAt = target.hasShell ? performance.now() + ENGINE_POLL_MS : 0
  await waitUntil(target.hasShell ? [folder.guest] : [], FILE_POLL_MS, signal, async () => {
    if (target.hasShell) {
      if (hasBegun(await readStarts(folder), before)) return true
      if (performance.now() < askAt && (await readExit(folder)) === null) return undefined
    }
    // Asked before the file is read: what it says of a container that has ended is then the last word.
    const entry = await inspectContainer(context.client, target.id, signal)
    askAt = performance.now() + ENGINE_POLL_MS
    if (target.hasShell && hasBegun(await readStarts(folder), before)) return true
    if (entry?.state === 'running') return target.hasShell ? undefined : true
    // In a terminal the container is started by another process, which may be on its way still.
    if (target.tty && entry && (await isTerminalOpen(folder))) return undefined
    // Without a shell nothing tells whether a short run has been; the engine took the start.
    if (!target.hasShell && !target.tty) return true
    throw bottleError('engine-failed', NEVER_BEGAN, {
      slug: target.slug,
      detail: await lastOutput(context, target.id, signal),
    })
  })
  context.changed()
}

/** The runner writes its result once the terminal's program has ended. */
export async function isTerminalOpen(folder: RunFolder): Promise<boolean> {
  return ((await readText(folder.exit)) ?? 'gone').trim() === ''
}

async function lastOutput(context: ContainerContext, id: string, signal: AbortSignal): Promise<string> {
  const told = await context.client.run(['logs', '-n', LOG_LINES, id], signal).catch(() => null)
  return told?.stdout.slice(-1000) ?? ''
}

/** Ends the terminal server of an interactive run; a missing one is already gone. */
export async function closeTerminal(context: ContainerContext, socket: string | null): Promise<void> {
  if (socket) await endTerminal(await context.tmux(), socket)
}
