import { tarError } from './entry.ts'

/** Records of one extended header, in their order; a key may come twice (GNU's sparse maps do). */
export type PaxRecords = readonly (readonly [string, string])[]

const NEWLINE = 0x0a
const SPACE = 0x20

/** Reads `LENGTH KEY=VALUE\n` records. Pure. @throws BottleError `artifact-invalid` */
export function readPax(body: Buffer): PaxRecords {
  const records: [string, string][] = []
  let at = 0
  while (at < body.length) {
    let space = at
    while (space < body.length && space - at < 8 && body[space] !== SPACE) space++
    const digits = body.toString('latin1', at, space)
    const length = /^[1-9]\d*$/.test(digits) ? Number(digits) : 0
    const end = at + length
    if (body[space] !== SPACE || length === 0 || end > body.length || body[end - 1] !== NEWLINE)
      throw damaged()
    const equals = body.indexOf(0x3d, space + 1)
    if (equals <= space + 1 || equals >= end) throw damaged()
    records.push([body.toString('latin1', space + 1, equals), body.toString('latin1', equals + 1, end - 1)])
    at = end
  }
  return records
}

/** One record with its own length in front, as bytes. */
export function paxRecord(key: string, value: string): Buffer {
  const rest = key.length + value.length + 3
  let length = rest + String(rest).length
  length = rest + String(length).length
  return Buffer.from(`${length} ${key}=${value}\n`, 'latin1')
}

/** A whole number of a record. @throws BottleError `artifact-invalid` */
export function paxInteger(value: string, what: string): number {
  const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
  if (!Number.isSafeInteger(number)) {
    throw tarError('number', `An extended tar header's ${what} is no sensible number.`)
  }
  return number
}

/** Seconds of a record, brought to one form: no sign but minus, no trailing zeros. @throws BottleError */
export function paxTime(value: string): string {
  const match = /^(-?)(\d{1,15})(?:\.(\d{0,20}))?$/.exec(value)
  if (!match) throw tarError('number', `An extended tar header's time is no number.`)
  const [, sign = '', whole = '', fraction = ''] = match
  const kept = fraction.replace(/0+$/, '')
  const plain = kept === '' ? `${Number(whole)}` : `${Number(whole)}.${kept}`
  return plain === '0' ? '0' : sign + plain
}

function damaged() {
  return tarError('extended-header', 'An extended tar header is damaged.')
}
