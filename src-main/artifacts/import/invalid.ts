import { type BottleError, bottleError } from '../../system/bottle-error.ts'

/** The error for an archive that is damaged or unsafe; the reason names the entry. */
export function invalid(reason: string, cause?: unknown): BottleError {
  const extras = cause instanceof Error ? { cause, detail: cause.message.slice(0, 500) } : {}
  return bottleError('artifact-invalid', `The artifact is refused: ${reason} Nothing of it was kept.`, extras)
}

/** Text from an archive as a message may show it: quoted, without control characters, not too long. Pure. */
export function shown(text: string): string {
  const short = text.length > 100 ? `${text.slice(0, 100)}…` : text
  return JSON.stringify(short.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD'))
}

/** A digest as a message shows it. Pure. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12)
}

export function hasControls(text: string): boolean {
  return /\p{Cc}/u.test(text)
}
