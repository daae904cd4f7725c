import { appendFileSync, existsSync, mkdirSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { makeDeviceFolder } from '../lib/guest.ts'
import { readKnobs, type Strikes } from '../lib/knobs.ts'
import { pause } from '../lib/process-id.ts'
import { readJson, withLock, writeJson } from '../lib/state.ts'
import { connectionError, ExitWith } from './errors.ts'
import { type Gates, gatesOf } from './versions.ts'

/** What `config.json` of an installed double says; the further keys are the test's. */
export interface DoubleConfig {
  readonly version: string
  /** `stopped`: nobody has started the service yet. Default: it runs. */
  readonly service?: 'running' | 'stopped'
  /** False: the service asks for a kernel at its first start. */
  readonly kernel?: boolean
}

interface SystemState {
  readonly running: boolean
  readonly kernel: boolean
}

/** The engine behind one call. */
export interface Engine {
  readonly dir: string
  readonly version: string
  readonly gates: Gates
  readonly strikes: Strikes
  /** A line for stdout, told when the verb is done. */
  print(line: string): void
  /** Bytes for stdout at once. */
  write(data: string | Uint8Array): void
  /** A line for stderr at once: logs and progress. */
  log(line: string): void
  /** Bytes for stderr at once. */
  logBytes(data: Uint8Array): void
  /** Tells what was printed. */
  flush(): void
  system(): SystemState
  setSystem(state: SystemState): void
  isUp(): boolean
  /** @throws ContainerError when the service doesn't answer */
  needService(): void
  /** Absolute path in the double's state. */
  path(...parts: readonly string[]): string
  locked<T>(name: string, work: () => T): T
}

/** Where the two streams of a call go. */
export interface Sink {
  out(data: Uint8Array): void
  err(data: Uint8Array): void
}

const STREAMS: Sink = { out: (data) => writeAll(1, data), err: (data) => writeAll(2, data) }

/** Opens the state of a double for one call. */
export function openEngine(dir: string, strikes: Strikes, sink: Sink = STREAMS): Engine {
  const config = readJson<DoubleConfig>(join(dir, 'config.json'), { version: '1.2.2' })
  const path = (...parts: readonly string[]) => join(dir, 'state', ...parts)
  if (!existsSync(path('dev/shm'))) {
    for (const folder of ['containers', 'making', 'trash', 'locks', 'images/blobs', 'images/unpacked'])
      mkdirSync(path(folder), { recursive: true })
    makeDeviceFolder(path('dev'))
  }
  const first = { running: config.service !== 'stopped', kernel: config.kernel !== false }
  const system = () => readJson<SystemState>(path('system.json'), first)
  const isUp = () => system().running && readKnobs(dir).serviceDown !== true
  const lines: string[] = []
  const write = (data: string | Uint8Array) => {
    if (strikes.has('close-stdout')) throw new ExitWith(141)
    sink.out(typeof data === 'string' ? Buffer.from(data) : data)
  }
  return {
    dir,
    version: config.version,
    gates: gatesOf(config.version),
    strikes,
    print(line) {
      lines.push(`${line}\n`)
    },
    write,
    log: (line) => sink.err(Buffer.from(`${line}\n`)),
    logBytes: (data) => sink.err(data),
    flush() {
      if (lines.length > 0) write(lines.splice(0).join(''))
    },
    system,
    setSystem: (state) => writeJson(path('system.json'), state),
    isUp,
    needService() {
      if (!isUp()) throw connectionError()
    },
    path,
    locked: (name, work) => withLock(path('locks', name), work),
  }
}

/** Writes everything, also to a slow reader. A reader that went away ends the program as SIGPIPE does. */
function writeAll(file: number, data: Uint8Array): void {
  for (let at = 0; at < data.length; ) {
    try {
      at += writeSync(file, data, at)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') throw new ExitWith(141)
      if (code !== 'EAGAIN') throw error
      pause(2)
    }
  }
}

/** Notes a call for the tests. */
export function recordCall(dir: string, argv: readonly string[], pid: number): void {
  appendFileSync(join(dir, 'calls.jsonl'), `${JSON.stringify({ argv, pid })}\n`)
}

/** Everything that stdin gives. */
export function readStdin(): Buffer {
  const chunks: Buffer[] = []
  for (;;) {
    const chunk = Buffer.alloc(1 << 20)
    try {
      const count = readSync(0, chunk)
      if (count === 0) return Buffer.concat(chunks)
      chunks.push(chunk.subarray(0, count))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EOF') return Buffer.concat(chunks)
      if (code !== 'EAGAIN') throw error
      pause(2)
    }
  }
}
