import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Machines } from './capture-ports.ts'
import { LIST_SCRIPT } from './guest-scripts.ts'

/** Beside the snapshot's file until that was compared with it. */
export const LISTING = 'files.list'
/** More than this is not held in memory at once; the rest is compared by number only. */
const MOST = 400_000
/** Clocks of a machine and of this one may differ by a little. */
const SLACK_SECONDS = 5
const SYMLINK = 0xa000
const KIND = 0xf000

/** Writes down what a machine's own disk holds while nothing works in it. The number of files; null when it can't tell. */
export async function saveListing(
  machines: Machines,
  machine: string,
  path: string,
  signal: AbortSignal,
): Promise<number | null> {
  const handle = await open(path, 'w', 0o600)
  let lines = 0
  try {
    for await (const chunk of machines.stream(machine, ['sh', '-c', LIST_SCRIPT], signal)) {
      for (const byte of chunk) if (byte === 0x0a) lines++
      await handle.writeFile(chunk)
    }
  } finally {
    await handle.close()
  }
  return lines === 0 ? null : lines
}

export interface ListedFile {
  readonly isLink: boolean
  /** Seconds since the epoch. */
  readonly modified: number
  readonly bytes: number
}

/** One line of a listing; null for the rest of a name with a line break. Pure. */
export function parseListed(line: string): (ListedFile & { readonly name: string }) | null {
  const found = /^([0-9a-f]{3,5}) (\d+) (\d+) (\.\/.+)$/.exec(line)
  if (!found) return null
  const [, mode = '', modified, bytes, name = ''] = found
  return {
    isLink: (Number.parseInt(mode, 16) & KIND) === SYMLINK,
    modified: Number(modified),
    bytes: Number(bytes),
    name,
  }
}

/**
 * Whether a file of the frozen machine is in the other one. What was written by a boot after the freeze began differs
 * rightly. Pure.
 */
export function isSameFile(before: ListedFile, after: ListedFile | undefined, since: number): boolean {
  if (after === undefined) return before.modified >= since - SLACK_SECONDS
  if (before.isLink && after.isLink) return true
  if (before.bytes === after.bytes && before.modified === after.modified) return true
  return after.modified >= since - SLACK_SECONDS
}

/** Why a machine that was made of a snapshot lacks files of the frozen one, as a sentence; null when it lacks none. */
export async function listingProblem(
  machines: Machines,
  machine: string,
  saved: string,
  since: number,
  signal: AbortSignal,
): Promise<string | null> {
  const lines = async function* () {
    const reader = createInterface({ input: createReadStream(saved, 'latin1'), crlfDelay: 0 })
    yield* reader
  }
  const before = new Map<string, ListedFile>()
  for await (const line of lines()) {
    const file = before.size < MOST ? parseListed(line) : null
    if (file) before.set(file.name, file)
  }
  if (before.size === 0) return null
  let spoilt = 0
  let example: string | null = null
  const tell = (name: string) => {
    spoilt++
    example ??= name
  }
  for await (const line of linesOf(machines.stream(machine, ['sh', '-c', LIST_SCRIPT], signal))) {
    const after = parseListed(line)
    const file = after ? before.get(after.name) : undefined
    if (!after || !file) continue
    before.delete(after.name)
    if (!isSameFile(file, after, since)) tell(after.name)
  }
  for (const [name, file] of before) if (!isSameFile(file, undefined, since)) tell(name)
  if (spoilt === 0) return null
  return `${spoilt} of its files are missing or older in it, among them ${String(example).slice(1)}.`
}

async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of stream) {
    const pieces = (rest + Buffer.from(chunk).toString('latin1')).split('\n')
    rest = pieces.pop() ?? ''
    yield* pieces
  }
  if (rest) yield rest
}
