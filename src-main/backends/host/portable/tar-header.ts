import { paxRecord } from '../../../workers/tar/pax.ts'
import type { TreeItem } from './list-tree.ts'

const BLOCK = 512
/** What the octal field of a size holds. */
const MAX_SIZE = 0o77777777777
const MAX_TIME = 0o77777777777
const TYPES: Readonly<Record<string, string>> = { f: '0', h: '1', l: '2', d: '5', p: '6' }

/** One entry of a layer, as its header says. */
export interface HeaderPlan {
  /** As in the layer; bytes held one per character. */
  readonly path: string
  /** As a tree item's, and h for one more name of a file. */
  readonly kind: string
  readonly mode: number
  readonly mtime: string
  readonly target: string
  /** Bytes that follow in the archive. */
  readonly stored: number
  /** The size of a file with holes, whose map comes before its data; null for all others. */
  readonly sparseSize: number | null
}

export function planOf(item: TreeItem, path: string): HeaderPlan {
  const { kind, mode, mtime, target } = item
  return { path, kind, mode, mtime, target, stored: kind === 'f' ? item.size : 0, sparseSize: null }
}

/** The header of an entry with its extended one in front, in pax form, the owner always 0:0. Pure. */
export function tarHeader(plan: HeaderPlan): Buffer {
  const isSparse = plan.sparseSize !== null
  const path = plan.kind === 'd' ? `${plan.path}/` : plan.path
  const records: Buffer[] = []
  if (isSparse) {
    records.push(paxRecord('GNU.sparse.major', '1'), paxRecord('GNU.sparse.minor', '0'))
    records.push(
      paxRecord('GNU.sparse.name', path),
      paxRecord('GNU.sparse.realsize', String(plan.sparseSize)),
    )
  } else if (!isPlain(path)) records.push(paxRecord('path', path))
  if (!isPlain(plan.target)) records.push(paxRecord('linkpath', plan.target))
  if (plan.stored > MAX_SIZE) records.push(paxRecord('size', String(plan.stored)))
  const whole = Math.trunc(Number(plan.mtime))
  const isWhole = /^\d+(\.0*)?$/.test(plan.mtime) && whole <= MAX_TIME
  if (!isWhole) records.push(paxRecord('mtime', plan.mtime))
  const name = isSparse ? 'GNUSparseFile.0/file' : path
  const own = block({ ...plan, path: name, type: TYPES[plan.kind] ?? '0', time: isWhole ? whole : 0 })
  if (records.length === 0) return own
  const body = Buffer.concat(records)
  const front = { path: 'PaxHeaders/entry', mode: 0o644, target: '', stored: body.length, type: 'x', time: 0 }
  return Buffer.concat([block(front), body, padding(body.length), own])
}

/** Zeros that fill the last block of so many bytes. Pure. */
export function padding(bytes: number): Buffer {
  return Buffer.alloc((BLOCK - (bytes % BLOCK)) % BLOCK)
}

/** The two empty blocks that end an archive. */
export const END = Buffer.alloc(2 * BLOCK)

/** True for what every reader finds in a plain header. */
function isPlain(text: string): boolean {
  if (text.length > 100) return false
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) >= 0x80) return false
  return true
}

interface BlockFields {
  readonly path: string
  readonly mode: number
  readonly target: string
  readonly stored: number
  readonly type: string
  readonly time: number
}

function block(fields: BlockFields): Buffer {
  const made = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, digits: number) =>
    made.write(value.toString(8).padStart(digits, '0'), at, 'latin1')
  made.write(fields.path.slice(0, 100), 0, 'latin1')
  octal(fields.mode, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  octal(Math.min(fields.stored, MAX_SIZE), 124, 11)
  octal(fields.time, 136, 11)
  made.write(fields.type, 156, 'latin1')
  made.write(fields.target.slice(0, 100), 157, 'latin1')
  made.write('ustar\x0000', 257, 'latin1')
  octal(0, 329, 7)
  octal(0, 337, 7)
  made.fill(' ', 148, 156)
  const sum = made.reduce((total, byte) => total + byte, 0)
  made.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return made
}
