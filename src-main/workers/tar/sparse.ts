import { tarError } from './entry.ts'
import { readNumber } from './fields.ts'
import { type PaxRecords, paxInteger } from './pax.ts'

const MAX_PIECES = 1_000_000

/** Where stored data lies in a sparse file: offset and length, by turns. */
export type SparseMap = number[]

/** Pieces of an old GNU header or of one of its continuation blocks. */
export function readOldPieces(block: Buffer, at: number, count: number, map: SparseMap): void {
  for (let index = 0; index < count; index++) {
    const from = at + index * 24
    if (block[from] === 0 && block[from + 12] === 0) return
    map.push(readNumber(block, from, 12, 'sparse offset'), readNumber(block, from + 12, 12, 'sparse length'))
    if (map.length > 2 * MAX_PIECES) throw bad('has too many pieces')
  }
}

/** The map of pax forms 0.0 and 0.1; null when the records hold none (form 1.0 has it before the data). */
export function readPaxMap(records: PaxRecords): SparseMap | null {
  const map: SparseMap = []
  let isThere = false
  for (const [key, value] of records) {
    if (key === 'GNU.sparse.numblocks') isThere = true
    else if (key === 'GNU.sparse.map') {
      isThere = true
      if (value !== '') for (const part of value.split(',')) map.push(paxInteger(part, 'sparse map'))
    } else if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
      isThere = true
      const isOffset = key === 'GNU.sparse.offset'
      if ((map.length % 2 === 0) !== isOffset) throw bad('has a map out of order')
      map.push(paxInteger(value, 'sparse map'))
    }
  }
  return isThere ? map : null
}

/** Reads form 1.0's map, decimal lines in 512-byte blocks before the data; null as long as blocks are missing. */
export function readMapText(text: string): SparseMap | null {
  const first = text.indexOf('\n')
  if (first === -1) {
    if (text.length >= 512) throw bad('has a damaged map')
    return null
  }
  const count = paxInteger(text.slice(0, first), 'sparse map')
  if (count > MAX_PIECES) throw bad('has too many pieces')
  const lines = text.split('\n')
  // The last part is what follows the last newline.
  if (lines.length - 2 < count * 2) return null
  return lines.slice(1, 1 + count * 2).map((line) => paxInteger(line, 'sparse map'))
}

/** A sparse file's content as runs: a positive number is stored bytes, a negative one a hole. */
export function runsOf(map: SparseMap, realSize: number, storedSize: number): number[] {
  if (map.length % 2 !== 0) throw bad('has half a piece')
  const runs: number[] = []
  let at = 0
  let stored = 0
  for (let index = 0; index < map.length; index += 2) {
    const offset = map[index] ?? 0
    const length = map[index + 1] ?? 0
    if (offset < at || length < 0 || !Number.isSafeInteger(offset + length) || offset + length > realSize) {
      throw bad('has pieces that overlap or lie outside')
    }
    if (offset > at) runs.push(at - offset)
    if (length > 0) runs.push(length)
    at = offset + length
    stored += length
  }
  if (stored !== storedSize) throw bad('has a map that does not fit its data')
  if (realSize > at) runs.push(at - realSize)
  return runs
}

function bad(what: string) {
  return tarError('sparse', `A sparse file in the tar ${what}.`)
}
