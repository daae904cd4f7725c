import type { Icebox } from '../icebox.ts'
import { bottleError } from '../system/bottle-error.ts'
import { createDetachKeys } from './detach-keys.ts'
import type { Face } from './face.ts'
import { usageError } from './usage.ts'

const CTRL_C = 0x03
/** Terminals keep titles on a stack; those that don't ignore these. Source: xterm, ctlseqs. */
const PUSH_TITLE = '\u001b[22;2t'
const POP_TITLE = '\u001b[23;2t'
const FALLBACK_SIZE = { cols: 80, rows: 24 }

/** @throws BottleError `usage` when there is no terminal to connect */
export function requireTerminal(face: Face, instead: string): void {
  const shown = face.json ? face.stderr : face.stdout
  if (process.stdin.isTTY !== true || !shown.isTerminal)
    throw usageError(`There is no terminal here. ${instead}`)
}

function terminalSize(): { cols: number; rows: number } {
  const stream = process.stdout.isTTY ? process.stdout : process.stderr
  const cols = stream.columns
  const rows = stream.rows
  return cols > 0 && rows > 0 ? { cols, rows } : FALLBACK_SIZE
}

/**
 * Connects this terminal to a bottle's agent until the agent ends, the user detaches with Ctrl-P Ctrl-Q, or a
 * signal comes. The terminal is always put back as it was.
 */
export async function connectTerminal(
  face: Face,
  icebox: Icebox,
  slug: string,
  options: { readonly readOnly: boolean },
): Promise<'ended' | 'detached'> {
  const leaving = new AbortController()
  const signal = AbortSignal.any([face.signal, leaving.signal])
  const channel = await icebox.bottles.attach(slug, terminalSize(), signal)
  const shown = face.json ? face.stderr : face.stdout
  const { stdin } = process
  let isDetached = false
  const detach = () => {
    isDetached = true
    channel.detach()
    leaving.abort()
  }
  const keys = createDetachKeys()
  const onInput = (chunk: Buffer) => {
    const { forward, isDetach } = keys(chunk)
    if (!options.readOnly && forward.length > 0) channel.write(forward)
    // A watcher's Ctrl-C can only mean the watching.
    if (isDetach || (options.readOnly && forward.includes(CTRL_C))) detach()
  }
  const onResize = () => {
    const { cols, rows } = terminalSize()
    // The next resize or the channel's end tells the same; a size that is off by one moment harms nobody.
    channel.resize(cols, rows).catch(() => {})
  }
  await face.say(`Connected to ${slug}. Ctrl-P Ctrl-Q leaves; the agent goes on.`)
  // An agent may take the whole screen at once; the title goes on saying how to leave.
  await shown.write(`${PUSH_TITLE}\u001b]2;${slug}: Ctrl-P Ctrl-Q leaves\u0007`)
  stdin.setRawMode(true)
  stdin.on('data', onInput)
  stdin.resume()
  process.on('SIGWINCH', onResize)
  try {
    for await (const chunk of channel.data) {
      await shown.write(chunk)
      if (signal.aborted) break
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown
  } finally {
    process.off('SIGWINCH', onResize)
    stdin.off('data', onInput)
    stdin.setRawMode(false)
    stdin.pause()
    if (!isDetached) channel.detach()
    await shown.write(POP_TITLE)
  }
  if (face.signal.aborted) throw bottleError('cancelled', undefined, { slug })
  return isDetached ? 'detached' : 'ended'
}

/** Connects and tells how the agent ended: null when it goes on without this terminal. */
export async function connectUntilExit(face: Face, icebox: Icebox, slug: string): Promise<number | null> {
  const end = await connectTerminal(face, icebox, slug, { readOnly: false })
  if (end === 'detached') {
    await face.say(`Left ${slug}; the agent goes on. \`icebox attach ${slug}\` comes back.`)
    return null
  }
  return icebox.bottles.waitForExit(slug, face.signal)
}
