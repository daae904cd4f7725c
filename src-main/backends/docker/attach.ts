import type { Duplex } from 'node:stream'
import { bottleError } from '../../system/bottle-error.ts'
import type { RuntimeRef, TerminalChannel } from '../backend.ts'
import { type Engine, whileOpening } from './engine.ts'
import { inspectContainer } from './remove-objects.ts'
import { type Size, setSize } from './terminal-size.ts'

// The engine swallows its detach keys; these three in a row are typed by nobody.
export const DETACH_KEYS = 'ctrl-^,ctrl-_,ctrl-^'

/**
 * The agent's own terminal when it has one; otherwise a shell beside the agent.
 * @throws BottleError `not-found` when it does not run
 */
export async function attachTerminal(
  engine: Engine,
  home: string,
  ref: RuntimeRef,
  size: Size,
  signal: AbortSignal,
): Promise<TerminalChannel> {
  const found = await inspectContainer(engine, ref.id, signal)
  if (!found?.State.Running) throw bottleError('not-found', `${ref.name} is not running.`, { slug: ref.slug })
  return found.Config.Tty
    ? attachAgent(engine, home, ref, size, signal)
    : openShell(engine, ref, size, signal)
}

async function attachAgent(
  engine: Engine,
  home: string,
  ref: RuntimeRef,
  size: Size,
  signal: AbortSignal,
): Promise<TerminalChannel> {
  // No time limit on the connection itself: it lives as long as the terminal.
  const stream = await engine.call(`attach to ${ref.name}`, signal, (docker, bounded) =>
    whileOpening(bounded, (abortSignal) =>
      docker.getContainer(ref.id).attach({
        stream: true,
        stdin: true,
        stdout: true,
        stderr: true,
        hijack: true,
        detachKeys: DETACH_KEYS,
        abortSignal,
      }),
    ),
  )
  const resize = (cols: number, rows: number) => setSize(engine, home, ref, { cols, rows }, signal)
  // Two sizes, so that a full-screen program repaints for the newcomer even if its size stays.
  await resize(size.cols, Math.max(1, size.rows - 1)).catch(() => {})
  await resize(size.cols, size.rows).catch(() => {})
  return channel(stream as Duplex, resize, signal)
}

async function openShell(
  engine: Engine,
  ref: RuntimeRef,
  size: Size,
  signal: AbortSignal,
): Promise<TerminalChannel> {
  const shell = await engine.call(`open a shell in ${ref.name}`, signal, (docker, abortSignal) =>
    docker.getContainer(ref.id).exec({
      Cmd: ['/bin/sh'],
      Tty: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      abortSignal,
    }),
  )
  const stream = await engine.call(`open a shell in ${ref.name}`, signal, (_docker, bounded) =>
    whileOpening(bounded, (abortSignal) =>
      shell.start({ hijack: true, stdin: true, Tty: true, abortSignal }),
    ),
  )
  const resize = async (cols: number, rows: number) => {
    await engine.call('resize the terminal', signal, (_docker, abortSignal) =>
      shell.resize({ h: rows, w: cols, abortSignal }),
    )
  }
  await resize(size.cols, size.rows).catch(() => {})
  return channel(stream, resize, signal)
}

function channel(stream: Duplex, resize: TerminalChannel['resize'], signal: AbortSignal): TerminalChannel {
  const leave = () => void stream.destroy()
  if (signal.aborted) leave()
  else signal.addEventListener('abort', leave, { once: true })
  stream.once('close', () => signal.removeEventListener('abort', leave))
  // An error ends the data like a close does; without a listener it would end the process.
  stream.on('error', leave)
  return {
    data: bytesOf(stream),
    write: (data) => void (stream.writable && stream.write(data)),
    resize,
    detach: leave,
  }
}

async function* bytesOf(stream: Duplex): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield chunk as Uint8Array
  } catch {
    // Cut off by either side: the terminal just ends.
  }
}
