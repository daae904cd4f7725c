import { readSync } from 'node:fs'
import { join } from 'node:path'
import type { Guest } from '../lib/guest.ts'
import { DiskFullError, type Strikes } from '../lib/knobs.ts'
import type { HandedOver } from '../lib/quick.ts'
import type { Call } from './clap.ts'
import { Failure } from './failure.ts'
import { writeAll } from './pack-file.ts'
import type { Features } from './versions.ts'

/** One call of the double: what it was asked and where everything lies. */
export interface Context {
  /** Folder of the double; nothing is kept elsewhere but what a call names. */
  readonly dir: string
  readonly features: Features
  readonly call: Call
  readonly strikes: Strikes
  /** Names whose guest doesn't answer although it runs. */
  readonly unreachable: ReadonlySet<string>
  /** No machine comes up in time, a helper neither. */
  readonly helperFails: boolean
  /** What was extracted from artifacts is gone from the cache. */
  readonly layerCacheLost: boolean
  readonly env: NodeJS.ProcessEnv
  /** Where a call's words go when it is answered by another process than its own. */
  readonly sink?: Sink
  /** Gives a command to the call's own process, which has its streams. */
  readonly handOver?: (command: HandedOver) => void
}

export interface Sink {
  readonly out: (bytes: Buffer) => void
  readonly err: (bytes: Buffer) => void
}

/** A line on stdout. A reader who went away ends the program as it ends the real one. */
export function say(context: Context, line: string): void {
  if (context.strikes.has('close-stdout')) brokenPipe(context)
  const bytes = Buffer.from(`${line}\n`)
  try {
    emit(context, 1, bytes)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
    brokenPipe(context)
  }
}

function brokenPipe(context: Context): never {
  tell(
    context,
    "\nthread 'main' panicked at library/std/src/io/stdio.rs:\nfailed printing to stdout: Broken pipe (os error 32)",
  )
  process.exit(101)
}

/** A line on stderr. */
export function tell(context: Context, line: string): void {
  try {
    emit(context, 2, Buffer.from(`${line}\n`))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  }
}

/** Bytes on stdout (1) or stderr (2), wherever those of this call are. */
export function emit(context: Context, to: 1 | 2, bytes: Buffer): void {
  if (!context.sink) writeAll(to, bytes)
  else if (to === 1) context.sink.out(bytes)
  else context.sink.err(bytes)
}

/** Writes what a fault lets through. @throws Failure when the disk is full */
export function strikingWrite(context: Context, operation: string): (file: number, bytes: Buffer) => void {
  return (file, bytes) => {
    try {
      for (let at = 0; at < bytes.length; ) {
        const room = context.strikes.beforeBytes(bytes.length - at)
        writeAll(file, bytes.subarray(at, at + room))
        at += room
      }
    } catch (error) {
      const isFull = error instanceof DiskFullError || (error as NodeJS.ErrnoException).code === 'ENOSPC'
      if (!isFull) throw error
      throw new Failure(`agent operation failed: ${operation}: No space left on device (os error 28)`)
    }
  }
}

/** One line from stdin, or null at its end. */
export function readLine(): string | null {
  const byte = Buffer.alloc(1)
  let line = ''
  for (;;) {
    let count = 0
    try {
      count = readSync(0, byte)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      continue
    }
    if (count === 0) return line === '' ? null : line
    if (byte[0] === 10) return line
    line += byte.toString('latin1')
  }
}

export const devicesDir = (dir: string): string => join(dir, 'dev')

/** The guest of a machine as the shared library knows it. */
export function guestOf(dir: string, vmDir: string): Guest {
  return { root: join(vmDir, 'rootfs'), runDir: join(vmDir, 'guest'), devDir: devicesDir(dir) }
}
