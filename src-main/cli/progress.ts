import type { Progress } from '../../src-preload/contract/entities.ts'
import type { Face } from './face.ts'
import { formatBytes } from './units.ts'
import { cutText, oneLine } from './width.ts'

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const ASCII_FRAMES = ['-', '\\', '|', '/']
const FRAME_MS = 90
const CLEAR = '\r\u001b[K'

/** What a person reads of a progress report: the phase, and how far it is where that is known. */
export function progressText(progress: Progress): string {
  const phase = oneLine(progress.phase)
  if (progress.current === null) return phase
  if (progress.total === null || progress.total <= 0) return `${phase} ${formatBytes(progress.current)}`
  const percent = Math.min(100, Math.floor((progress.current / progress.total) * 100))
  return `${phase} ${percent} % of ${formatBytes(progress.total)}`
}

export interface ProgressLine {
  report(progress: Progress): void
  /** Wipes the line, so that something else can be written; the next report brings it back. */
  clear(): void
  /** Wipes the line for good: from here on the agent's own output is what there is to see. */
  mute(): void
}

/**
 * One line on stderr: a spinner on a terminal, else one line per new phase. Silent with `--quiet`, and with
 * `--json` away from a terminal, so that a script finds nothing but errors there.
 */
export function openProgress(face: Face): ProgressLine {
  if (face.quiet || (face.json && !face.stderr.isTerminal)) return { report() {}, clear() {}, mute() {} }
  return face.stderr.isTerminal && face.env.TERM !== 'dumb' ? spinner(face) : phases(face)
}

function phases(face: Face): ProgressLine {
  let last = ''
  let isMuted = false
  return {
    report(progress) {
      if (isMuted || progress.phase === last) return
      last = progress.phase
      void face.stderr.write(`${oneLine(progress.phase)}\n`)
    },
    clear() {},
    mute() {
      isMuted = true
    },
  }
}

function spinner(face: Face): ProgressLine {
  let text = ''
  let frame = 0
  let timer: NodeJS.Timeout | undefined
  let isMuted = false
  const frames = face.unicode ? FRAMES : ASCII_FRAMES
  const draw = () => {
    frame = (frame + 1) % frames.length
    const line = cutText(`${frames[frame]} ${text}`, Math.max(10, (face.stderr.width ?? 80) - 1))
    void face.stderr.write(`${CLEAR}${face.errorPaint('dim', line)}`)
  }
  const clear = () => {
    if (!timer) return
    clearInterval(timer)
    timer = undefined
    void face.stderr.write(CLEAR)
  }
  return {
    report(progress) {
      text = progressText(progress)
      if (timer || isMuted) return
      timer = setInterval(draw, FRAME_MS)
      timer.unref()
      draw()
    },
    clear,
    mute() {
      isMuted = true
      clear()
    },
  }
}
