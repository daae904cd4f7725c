import { randomInt } from 'node:crypto'
import { bottleError } from '../system/bottle-error.ts'

const PATTERN = /^[a-z0-9]+(-[a-z0-9]+)*$/
/** Longest new slug: with `bot-bottle-` in front it must fit a DNS label of 63. Source: state-and-artifacts.md. */
export const SLUG_MAX = 52
/** Longest legacy slug that is still read: what a file name can hold. */
const LEGACY_MAX = 200

const BASE36 = '0123456789abcdefghijklmnopqrstuvwxyz'

/** `length` random base36 characters. */
export function randomBase36(length: number): string {
  let text = ''
  for (let i = 0; i < length; i++) text += BASE36[randomInt(36)]
  return text
}

export function isSlug(text: string): boolean {
  // The API is called from plain JavaScript too.
  return typeof text === 'string' && text.length <= LEGACY_MAX && PATTERN.test(text)
}

/**
 * Checks a slug before it reaches a path, a name or a command.
 * @throws BottleError `invalid-slug`
 */
export function requireSlug(text: string): string {
  if (isSlug(text)) return text
  const given = String(text)
  const shown = JSON.stringify(given.length > 60 ? `${given.slice(0, 60)}…` : given)
  throw bottleError(
    'invalid-slug',
    `${shown} is not a bottle name. Names are lower-case letters and digits with single hyphens between, such as web-1.`,
  )
}

/**
 * The slug of a label: lower-case, every other run of characters one hyphen, none at the ends; may be empty.
 * Source: bot-bottle.md §3.
 */
export function slugify(text: string): string {
  return trimSlug(
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, ''),
    SLUG_MAX,
  )
}

function trimSlug(text: string, length: number): string {
  return text.slice(0, length).replace(/-+$/, '')
}

/** `web`, `web-2`, `web-3`…, shortened so that the suffix fits. */
export function numberedSlug(base: string, number: number): string {
  if (number <= 1) return base
  const suffix = `-${number}`
  return trimSlug(base, SLUG_MAX - suffix.length) + suffix
}

/** A slug for an agent without a label: its name and five random characters. Source: bot-bottle.md §3. */
export function randomSlug(agentName: string): string {
  const base = trimSlug(slugify(agentName), SLUG_MAX - 6)
  return base ? `${base}-${randomBase36(5)}` : `bottle-${randomBase36(5)}`
}
