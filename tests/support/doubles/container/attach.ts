import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { constants } from 'node:os'
import { signalGuest } from '../lib/guest.ts'
import type { Engine } from './engine.ts'
import { ContainerError } from './errors.ts'
import { type ContainerRecord, guestOf } from './record.ts'
import { logPath, startContainer } from './run-guest.ts'

/** The exit code of a child as a shell would tell it. */
export function endOf(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
  })
}

/** Starts a container with this program's own streams and waits for its end. Its log gets the output too. */
export async function attachTo(engine: Engine, record: ContainerRecord): Promise<number> {
  if (record.terminal && !process.stdin.isTTY)
    throw new ContainerError('invalidState', 'the input device is not a terminal')
  let signalled: NodeJS.Signals | null = null
  const guest = guestOf(engine, record.id)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // On a terminal in raw mode a key press is a byte for the guest, no signal for this program.
      if (record.terminal && signal === 'SIGINT') return
      signalled = signal
      signalGuest(guest, signal)
    })
  }
  const child = await startContainer(engine, record, 'attached')
  if (!child) throw new ContainerError('invalidState', `container ${record.id} is already running`)
  const log = openSync(logPath(engine, record.id), 'a')
  try {
    for (const [stream, file] of [[child.stdout, 1] as const, [child.stderr, 2] as const]) {
      stream?.on('data', (chunk: Buffer) => {
        writeSync(log, chunk)
        if (file === 1) engine.write(chunk)
        else engine.logBytes(chunk)
      })
    }
    const code = await endOf(child)
    return signalled === null ? code : 128 + constants.signals[signalled]
  } finally {
    closeSync(log)
  }
}
