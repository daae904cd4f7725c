const CTRL_P = 0x10
const CTRL_Q = 0x11

export interface Keys {
  /** What goes to the agent. */
  readonly forward: Uint8Array
  readonly isDetach: boolean
}

/**
 * Finds Ctrl-P Ctrl-Q in what is typed. A Ctrl-P is held back until the next key shows what was meant, as with
 * docker; everything else passes unchanged. What follows the two keys is dropped.
 */
export function createDetachKeys(): (chunk: Uint8Array) => Keys {
  let isHeld = false
  return (chunk) => {
    const forward: number[] = []
    for (const byte of chunk) {
      if (isHeld && byte === CTRL_Q) return { forward: Uint8Array.from(forward), isDetach: true }
      if (isHeld) forward.push(CTRL_P)
      isHeld = byte === CTRL_P
      if (!isHeld) forward.push(byte)
    }
    return { forward: Uint8Array.from(forward), isDetach: false }
  }
}
