import type {
  ConfigChange,
  DiffEntry,
  DiffFolder,
  FileDiff,
  PackageChange,
  SnapshotDiff,
} from '../../src-preload/contract/artifacts.ts'
import type { Colour, Paint } from './style.ts'
import { formatTable } from './table.ts'
import { formatBytes } from './units.ts'
import { oneLine } from './width.ts'

interface Look {
  readonly paint: Paint
  readonly width: number | undefined
  /** Every path, however many. */
  readonly hasNames: boolean
}

/** Up to so many changed paths are shown without being asked for. */
const FEW = 40
const MOST_FOLDERS = 30

/** A difference for a person: sums, folders, then what changed in packages, config and volumes. */
export function diffText(found: SnapshotDiff, look: Look): string {
  const { paint } = look
  const parts = [`${paint('bold', oneLine(found.from))} → ${paint('bold', oneLine(found.to))}`]
  const { added, changed, removed, bytes } = found.totals
  const isSame =
    found.entries.length + found.packages.length + found.config.length + found.volumes.length === 0
  if (isSame) return `${parts[0]}\nNothing differs.`
  parts[0] += `\n${sums(paint, added, changed, removed)}, ${signed(bytes)}`
  const isShort = found.entries.length <= FEW && found.truncated === 0
  if (look.hasNames || isShort) {
    if (found.entries.length > 0) parts.push(found.entries.map((entry) => entryLine(entry, paint)).join('\n'))
    if (found.truncated > 0) parts.push(`and ${found.truncated} more`)
  } else parts.push(folderTable(found.folders, look))
  if (found.packages.length > 0) parts.push(section('Packages', found.packages.map(packageLine), paint))
  if (found.config.length > 0) parts.push(section('Config', found.config.map(configLine), paint))
  if (found.volumes.length > 0) {
    parts.push(
      section(
        'Volumes',
        found.volumes.map((entry) => entryLine(entry, paint)),
        paint,
      ),
    )
  }
  return parts.join('\n\n')
}

function sums(paint: Paint, added: number, changed: number, removed: number): string {
  return [
    paint('green', `${added} added`),
    paint('yellow', `${changed} changed`),
    paint('red', `${removed} removed`),
  ].join(', ')
}

/** `+310 MB`, `-2 kB`, `±0 B`. */
export function signed(bytes: number): string {
  return `${bytes > 0 ? '+' : bytes < 0 ? '-' : '±'}${formatBytes(Math.abs(bytes))}`
}

function folderTable(folders: readonly DiffFolder[], { paint, width }: Look): string {
  const largest = folders
    .toSorted((a, b) => Math.abs(b.bytes) - Math.abs(a.bytes) || (a.path < b.path ? -1 : 1))
    .slice(0, MOST_FOLDERS)
    .sort((a, b) => (a.path < b.path ? -1 : 1))
  const count = (value: number, colour: Colour) => (value === 0 ? '' : { text: String(value), colour })
  const table = formatTable(
    largest,
    [
      { title: 'FOLDER', cell: (row) => `/${row.path.replace(/^\//, '')}`, shrinkTo: 20 },
      { title: 'ADDED', cell: (row) => count(row.added, 'green'), align: 'right' },
      { title: 'CHANGED', cell: (row) => count(row.changed, 'yellow'), align: 'right' },
      { title: 'REMOVED', cell: (row) => count(row.removed, 'red'), align: 'right' },
      { title: 'SIZE', cell: (row) => signed(row.bytes), align: 'right' },
    ],
    { width, paint },
  )
  const more = folders.length - largest.length
  return `${table}\n${paint('dim', `${more > 0 ? `and ${more} folders more; ` : ''}--names lists every path`)}`
}

const LETTERS: Readonly<Record<DiffEntry['kind'], readonly [string, Colour]>> = {
  added: ['A', 'green'],
  changed: ['M', 'yellow'],
  removed: ['D', 'red'],
  metadata: ['m', 'dim'],
}

function entryLine(entry: DiffEntry, paint: Paint): string {
  const [letter, colour] = LETTERS[entry.kind]
  const mark = entry.type === 'folder' ? '/' : entry.type === 'link' ? '@' : ''
  const change = (entry.bytesAfter ?? 0) - (entry.bytesBefore ?? 0)
  const size = change === 0 ? '' : `  ${paint('dim', signed(change))}`
  return `${paint(colour, letter)} ${oneLine(entry.path)}${mark}${size}`
}

function packageLine({ manager, name, before, after }: PackageChange): string {
  return oneLine(`${manager} ${name} ${before ?? '(new)'} → ${after ?? '(gone)'}`)
}

function configLine({ key, before, after }: ConfigChange): string {
  return oneLine(`${key}: ${before ?? '(none)'} → ${after ?? '(none)'}`)
}

function section(title: string, lines: readonly string[], paint: Paint): string {
  return `${paint('dim', title)}\n${lines.map((line) => `  ${line}`).join('\n')}`
}

/** The difference of one file, coloured as `git diff` does; control characters of the file are made harmless. */
export function fileDiffText(file: FileDiff, paint: Paint): string {
  if (file.text === null) return `${oneLine(file.path)}: ${file.reason ?? 'there is no text to compare'}`
  if (file.text === '') return `${oneLine(file.path)} has the same content on both sides.`
  return file.text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => paintLine(harmless(line), paint))
    .join('\n')
}

function paintLine(line: string, paint: Paint): string {
  if (/^(\+\+\+|---)/.test(line)) return paint('bold', line)
  if (line.startsWith('@@')) return paint('cyan', line)
  if (line.startsWith('+')) return paint('green', line)
  return line.startsWith('-') ? paint('red', line) : line
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes; tabs stay.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

function harmless(line: string): string {
  return line.replace(CONTROL, '�')
}
