import { printable } from '../../workers/printable.ts'
import { createTarDecoder } from '../../workers/tar/decoder.ts'
import type { TarEntry } from '../../workers/tar/entry.ts'
import {
  CREDENTIAL_FILE_MAX,
  type CredentialRule,
  credentialName,
  credentialRule,
} from './credential-files.ts'
import { createFinder, type Hit, type Needle } from './finder.ts'
import { isPackageFile } from './rules.ts'

/** A secret in a tar, and where. */
export interface TarFinding {
  /** Path inside the tar, printable, free of secrets. */
  readonly path: string
  readonly rule: string
  readonly action: 'removed' | 'replaced'
}

/** What has to change in a tar's bytes so that the findings are gone. */
export interface TarEdits {
  /** Whole entries: from the end of the one before to its own end; its own header lies at `header`. */
  readonly cuts: readonly { readonly start: number; readonly header: number; readonly end: number }[]
  readonly fills: readonly { readonly offset: number; readonly length: number }[]
}

export interface TarSearch {
  readonly findings: readonly TarFinding[]
  readonly edits: TarEdits
}

interface Place {
  readonly entry: TarEntry
  readonly path: string
  /** End of the entry before; null when that is not known. */
  readonly start: number | null
  readonly end: number
  isCut: boolean
}

const BLOCK = 512

/** Watches a tar go by: finds secrets in it and tells which bytes they are. */
export interface TarWatch {
  push(chunk: Uint8Array): void
  /** @throws BottleError `artifact-invalid` for a broken tar */
  finish(): TarSearch
}

/** `withFiles`: known credential files are looked for too. */
export function createTarWatch(needles: readonly Needle[], withFiles: boolean): TarWatch {
  const decoder = createTarDecoder({ endOptional: true })
  const finder = createFinder(needles)
  const findings: TarFinding[] = []
  const cuts: TarEdits['cuts'][number][] = []
  const fills: TarEdits['fills'][number][] = []
  /** Entries in which something may still be found, in their order. */
  let places: Place[] = []
  const links: Place[] = []
  let early: Hit[] = []
  /** Paths of entries that go, so that hard links to them go too. */
  const gone = new Set<string>()
  let candidate: { readonly place: Place; readonly rule: CredentialRule; readonly chunks: Buffer[] } | null =
    null
  let known: number | null = 0

  function onEntry(entry: TarEntry): void {
    const path = entry.path.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '')
    const content = entry.type === 'file' ? Math.ceil(entry.storedSize / BLOCK) * BLOCK : 0
    const place: Place = { entry, path, start: known, end: entry.offset + BLOCK + content, isCut: false }
    // An old sparse file has more header blocks than are told, so its end is the next one's beginning.
    known = entry.isSparse ? null : place.end
    places.push(place)
    if (entry.type === 'hardlink') links.push(place)
    const rule = withFiles && entry.type === 'file' && entry.size > 0 ? credentialRule(path) : null
    if (rule && rule.content === null) cutOut(place, credentialName(rule, path))
    const isWanted = rule?.content && entry.size <= CREDENTIAL_FILE_MAX
    candidate = isWanted && rule ? { place, rule, chunks: [] } : null
    if (!candidate) decoder.skip()
  }

  function onContent(): void {
    if (!candidate) return
    const { place, rule, chunks } = candidate
    if (rule.content?.test(Buffer.concat(chunks).toString('latin1')))
      cutOut(place, credentialName(rule, place.path))
    candidate = null
  }

  function cutOut(place: Place, rule: string, shown = printable(place.path)): void {
    findings.push({ path: shown, rule, action: place.start === null ? 'replaced' : 'removed' })
    if (place.isCut) return
    place.isCut = true
    gone.add(place.path)
    const { start, end, entry } = place
    if (start !== null && !entry.isSparse) cuts.push({ start, header: entry.offset, end })
    // Where its own beginning or end is not certain, the content goes and the entry stays.
    else if (end > entry.offset + BLOCK)
      fills.push({ offset: entry.offset + BLOCK, length: end - entry.offset - BLOCK })
  }

  function onHit(hit: Hit): void {
    const place = ownerOf(places, hit.offset)
    if (!place) {
      // In a long header whose entry is still to come.
      early.push(hit)
      return
    }
    if (hit.isCommonInPackages && isPackageFile(place.path)) return
    if (hit.offset < place.entry.offset + BLOCK) {
      // In a name or an attribute: it can't be changed there without making another file of it.
      const folder = place.path.slice(0, place.path.lastIndexOf('/') + 1)
      cutOut(place, hit.rule, isSafe(folder) ? `${printable(folder)}…` : '…')
      return
    }
    if (place.isCut) {
      findings.push({ path: printable(place.path), rule: hit.rule, action: 'removed' })
      return
    }
    findings.push({ path: printable(place.path), rule: hit.rule, action: 'replaced' })
    fills.push({ offset: hit.offset, length: Math.min(hit.length, place.end - hit.offset) })
  }

  /** The folder's name may hold the secret as well as the file's. */
  function isSafe(folder: string): boolean {
    const inName = createFinder(needles, 4096)
    return inName.push(Buffer.from(folder, 'latin1')).length + inName.finish().length === 0
  }

  function take(hits: readonly Hit[]): void {
    const all = [...early, ...hits]
    early = []
    for (const hit of all.sort((a, b) => a.offset - b.offset)) onHit(hit)
    const settled = finder.settled()
    const first = places.findIndex((place) => place.end > settled)
    if (first > 1000) places = places.slice(first)
  }

  return {
    push(chunk) {
      decoder.feed(chunk)
      for (let event = decoder.next(); event; event = decoder.next()) {
        if (event.kind === 'entry') onEntry(event.entry)
        else if (event.kind === 'data') candidate?.chunks.push(Buffer.from(event.bytes))
        else if (event.kind === 'done') onContent()
      }
      take(finder.push(chunk))
    },
    finish() {
      decoder.finish()
      take(finder.finish())
      // A link to an entry that went would point nowhere.
      for (const link of links) {
        const target = link.entry.link.replace(/^(?:\.?\/)+/, '')
        if (gone.has(target)) cutOut(link, 'a link to a removed file')
      }
      cuts.sort((a, b) => a.start - b.start)
      fills.sort((a, b) => a.offset - b.offset)
      return { findings, edits: { cuts, fills } }
    },
  }
}

/** The entry that a position belongs to, headers before its own included. */
function ownerOf(places: readonly Place[], offset: number): Place | null {
  let low = 0
  let high = places.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((places[middle]?.end ?? 0) <= offset) low = middle + 1
    else high = middle
  }
  return places[low] ?? null
}
