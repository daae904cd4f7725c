import { createHash } from 'node:crypto'

/** `sha256:…` of a text or of bytes. */
export const sha256 = (content: string | Uint8Array) =>
  `sha256:${createHash('sha256').update(content).digest('hex')}`
