import { posix } from 'node:path'
import { isSlug } from '../../state/slug.ts'
import { isSnapshotId } from '../../state/snapshot-files.ts'
import type { SnapshotFacts } from '../facts.ts'
import { hasControls, invalid, shown } from './invalid.ts'

/** What a definition, an agent or a bottle may be called: safe in a path, a label and a message. */
const NAME = /^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
const SECRET = /^[A-Za-z_][A-Za-z0-9_]{0,199}$/
const COLOR = /^[A-Za-z0-9#(),.%\s-]*$/
const DEFINITIONS_MAX = 100
/** Milliseconds by which another machine's clock may be ahead. */
const CLOCK_SKEW = 24 * 60 * 60 * 1000

/**
 * Checks what facts say beyond their shape: they come from anywhere and end up in paths, labels and on terminals.
 * Free text is made harmless; names that can't be names are refused.
 * @throws BottleError `artifact-invalid`
 */
export function checkFacts(facts: SnapshotFacts, now: Date): SnapshotFacts {
  const { bottle, snapshot, definitions } = facts
  if (!isSlug(bottle.slug)) throw invalid(`its facts call the bottle ${shown(bottle.slug)}.`)
  if (bottle.agent !== '') requireAgentName('agent', bottle.agent)
  if (!/^[a-z0-9-]{0,60}$/.test(bottle.provider)) requireName('provider', bottle.provider)
  if (!COLOR.test(bottle.color)) throw invalid(`its facts name the colour ${shown(bottle.color)}.`)
  for (const name of bottle.bottleNames) requireName('bottle', name)
  for (const name of bottle.secretNames) {
    if (!SECRET.test(name)) throw invalid(`its facts name a secret ${shown(name)}.`)
  }
  if (snapshot.parent !== null && !/^[\w.@-]{0,300}$/.test(snapshot.parent)) {
    throw invalid(`its facts name the parent ${shown(snapshot.parent)}.`)
  }
  if (!isSnapshotId(snapshot.id)) throw invalid(`its facts name the snapshot ${shown(snapshot.id)}.`)
  const created = Date.parse(snapshot.createdAt)
  if (!Number.isFinite(created)) throw invalid(`its facts say it was made at ${shown(snapshot.createdAt)}.`)
  const names = [...Object.keys(definitions.agents), ...Object.keys(definitions.bottles)]
  if (names.length > DEFINITIONS_MAX) throw invalid(`its facts bring ${names.length} definitions.`)
  for (const name of Object.keys(definitions.agents)) requireAgentName('definition', name)
  for (const name of Object.keys(definitions.bottles)) requireName('definition', name)
  checkVolumes(facts.volumes)
  return {
    ...facts,
    snapshot: {
      ...snapshot,
      createdAt: new Date(Math.min(created, now.getTime() + CLOCK_SKEW)).toISOString(),
      note: plain(snapshot.note),
      label: plain(snapshot.label),
      leftOut: snapshot.leftOut.map(plain),
    },
    bottle: { ...bottle, label: plain(bottle.label) },
  }
}

function requireName(what: string, name: string): void {
  if (!NAME.test(name)) throw invalid(`its facts name the ${what} ${shown(name)}.`)
}

/** As any name, and nothing that would be taken for the path of a definition's file. */
function requireAgentName(what: string, name: string): void {
  requireName(what, name)
  if (/\.ya?ml$/i.test(name)) throw invalid(`its facts name the ${what} ${shown(name)}.`)
}

function checkVolumes(volumes: SnapshotFacts['volumes']): void {
  const seen = new Set<string>()
  for (const { destination, name, bytes } of volumes) {
    const isPlain = destination.startsWith('/') && posix.normalize(destination) === destination
    if (!isPlain || destination.endsWith('/') || hasControls(destination)) {
      throw invalid(`its facts put a volume at ${shown(destination)}.`)
    }
    if (seen.has(destination)) throw invalid(`its facts put two volumes at ${shown(destination)}.`)
    seen.add(destination)
    if (name !== '' && !/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) {
      throw invalid(`its facts name a volume ${shown(name)}.`)
    }
    if (!Number.isSafeInteger(bytes)) throw invalid(`its facts give a volume ${bytes} bytes.`)
  }
}

/** Free text without what would move a terminal's cursor or turn its direction. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu, '\uFFFD')
}
