import type { Difference } from '../../src-preload/contract/entities.ts'
import { bottleError } from '../system/bottle-error.ts'
import { confirm } from './ask.ts'
import type { Face } from './face.ts'

/** Asks once at a terminal, after all that is different; elsewhere, and with `--yes`, nobody is asked. */
export function agreeAt(
  face: Face,
  backend: string | undefined,
  isYes: boolean | undefined,
): ((differences: readonly Difference[]) => Promise<boolean>) | undefined {
  if (!face.canAsk || isYes === true) return undefined
  return async (differences) => {
    for (const { text } of differences) await face.warn(text)
    return confirm(face, `Go on on ${backend ?? 'the other backend'}?`, false)
  }
}

/** A dry run fails where the real one would. @throws BottleError `unsupported` with all that stands against it */
export function requirePossible(slug: string, backend: string, differences: readonly Difference[]): void {
  const blocking = differences.filter(({ blocks }) => blocks)
  if (blocking.length === 0) return
  const texts = blocking.map(({ text }) => text).join(' ')
  throw bottleError('unsupported', `${slug} can't go on on ${backend}. ${texts}`, { slug })
}
