import { bottleError } from '../../system/bottle-error.ts'
import { containerName } from '../labels.ts'

/** The engine takes no longer names. */
const NAME_MAX = 63

/** Pure: what a run's container is called: as its bottle, unless the run before still is, or the name is too long. */
export function nameOf(slug: string, runId: string, previousName: string | null): string {
  const name = containerName(slug)
  return previousName === name || name.length > NAME_MAX ? runName(slug, runId) : name
}

/** Pure: the name of a run whose bottle's own name is still held by the run before it; the engine can't rename. */
export function runName(slug: string, runId: string): string {
  const end = `-${runId}`
  return `${containerName(slug).slice(0, NAME_MAX - end.length)}${end}`
}

/** Tag of an image that a run builds for itself, as the engine keeps it. */
export const buildTag = (slug: string, runId: string) =>
  `docker.io/library/${containerName(slug)}-build:${runId}`

/** Pure: `key=value` for the engine, which cuts or refuses values that hold `=` or are empty. @throws BottleError */
export function labelArgument(key: string, value: string): string {
  if (value !== '' && !value.includes('=')) return `${key}=${value}`
  throw bottleError('internal', `${JSON.stringify(value)} can't be the value of a label.`)
}
