/** What one message of a page may hold, in characters, bytes and entries together; as on the socket of a browser. */
export const MAX_MESSAGE = 1_048_576
const MAX_DEPTH = 32

/** True when a value is small enough to be looked at closer. It stops counting as soon as it is not. Pure. */
export function isWithinSize(value: unknown, most: number = MAX_MESSAGE): boolean {
  let left = most
  const spend = (each: unknown, depth: number): boolean => {
    left -= 1
    if (typeof each === 'string') left -= each.length
    else if (ArrayBuffer.isView(each) || each instanceof ArrayBuffer) left -= each.byteLength
    else if (typeof each === 'object' && each !== null)
      return left >= 0 && depth < MAX_DEPTH && spendAll(each, depth)
    return left >= 0
  }
  const spendAll = (holder: object, depth: number): boolean => {
    if (holder instanceof Map || holder instanceof Set) return false
    // Holes too: whoever reads an array goes by its length.
    if (Array.isArray(holder)) left -= holder.length
    for (const key in holder) {
      left -= key.length
      if (!spend((holder as Readonly<Record<string, unknown>>)[key], depth + 1)) return false
    }
    return true
  }
  return spend(value, 0)
}
