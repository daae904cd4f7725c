export interface Codec {
  /** @throws DOMException for what the structured clone algorithm refuses */
  encode(value: unknown): string
  decode(text: string): unknown
}

/**
 * Structured clone as text, in both directions. Self-contained, since the page gets it as source: what is plain stays
 * JSON, everything else is an array that begins with a tag.
 */
export function makeCodec(): Codec {
  type Node = unknown
  type Hex = { toBase64(): string }
  const toBase64 = (bytes: Uint8Array): string =>
    typeof Buffer === 'function'
      ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
      : (bytes as unknown as Hex).toBase64()
  const fromBase64 = (text: string): Uint8Array<ArrayBuffer> =>
    typeof Buffer === 'function'
      ? Uint8Array.from(Buffer.from(text, 'base64'))
      : (Uint8Array as unknown as { fromBase64(text: string): Uint8Array<ArrayBuffer> }).fromBase64(text)

  const refuse = (what: string): never => {
    throw new DOMException(`${what} could not be cloned.`, 'DataCloneError')
  }
  const writeObject = (value: object, seen: Map<object, number>): Node => {
    const before = seen.get(value)
    if (before !== undefined) return ['ref', before]
    seen.set(value, seen.size)
    const all = (items: Iterable<unknown>): Node[] => [...items].map((item) => write(item, seen))
    if (Array.isArray(value)) return ['a', ...all(value)]
    if (value instanceof Map) return ['m', ...all([...value].flat(1))]
    if (value instanceof Set) return ['s', ...all(value)]
    if (value instanceof Date) return ['d', Number.isNaN(value.getTime()) ? null : value.getTime()]
    if (value instanceof RegExp) return ['x', value.source, value.flags]
    if (value instanceof Error) return ['e', value.name, value.message, value.stack ?? '']
    if (value instanceof ArrayBuffer) return ['b', 'ArrayBuffer', toBase64(new Uint8Array(value))]
    if (ArrayBuffer.isView(value)) {
      const bytes = new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength)
      return ['b', Object.prototype.toString.call(value).slice(8, -1), toBase64(bytes)]
    }
    const proto: unknown = Object.getPrototypeOf(value)
    if (proto !== Object.prototype && proto !== null) return refuse(Object.prototype.toString.call(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, write(item, seen)]))
  }
  const write = (value: unknown, seen: Map<object, number>): Node => {
    switch (typeof value) {
      case 'undefined':
        return ['u']
      case 'bigint':
        return ['i', String(value)]
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0)
          ? value
          : ['n', Object.is(value, -0) ? '-0' : String(value)]
      case 'string':
      case 'boolean':
        return value
      case 'object':
        return value === null ? null : writeObject(value, seen)
      default:
        return refuse(String(value))
    }
  }

  const readError = (node: readonly string[]): Error => {
    const kinds: Record<string, ErrorConstructor> = {
      EvalError,
      RangeError,
      ReferenceError,
      SyntaxError,
      TypeError,
      URIError,
    }
    const error = new (kinds[node[1] ?? ''] ?? Error)(node[2])
    if (node[3]) error.stack = node[3]
    return error
  }
  const readBytes = (kind: string, text: string): ArrayBuffer | ArrayBufferView => {
    const bytes = fromBase64(text)
    if (kind === 'ArrayBuffer') return bytes.buffer
    const views = globalThis as unknown as Record<string, new (buffer: ArrayBuffer) => ArrayBufferView>
    const View = views[kind]
    return View ? new View(bytes.buffer) : bytes
  }
  const readTagged = (node: readonly unknown[], seen: unknown[]): unknown => {
    const keep = <T>(value: T): T => {
      seen.push(value)
      return value
    }
    const rest = (): unknown[] => node.slice(1).map((item) => read(item, seen))
    switch (node[0]) {
      case 'u':
        return undefined
      case 'n':
        return Number(node[1])
      case 'i':
        return BigInt(String(node[1]))
      case 'ref':
        return seen[Number(node[1])]
      case 'a': {
        const list: unknown[] = keep([])
        for (const item of node.slice(1)) list.push(read(item, seen))
        return list
      }
      case 'm': {
        const map = keep(new Map<unknown, unknown>())
        const items = rest()
        for (let at = 0; at < items.length; at += 2) map.set(items[at], items[at + 1])
        return map
      }
      case 's': {
        const set = keep(new Set<unknown>())
        for (const item of rest()) set.add(item)
        return set
      }
      case 'd':
        return keep(new Date(node[1] === null ? Number.NaN : Number(node[1])))
      case 'x':
        return keep(new RegExp(String(node[1]), String(node[2])))
      case 'e':
        return keep(readError(node as readonly string[]))
      case 'b':
        return keep(readBytes(String(node[1]), String(node[2])))
      default:
        throw new Error(`unknown tag ${String(node[0])}`)
    }
  }
  const read = (node: Node, seen: unknown[]): unknown => {
    if (typeof node !== 'object' || node === null) return node
    if (Array.isArray(node)) return readTagged(node, seen)
    const record = node as Record<string, unknown>
    seen.push(record)
    // In place: the parsed text is nobody else's, and `__proto__` stays an own property.
    for (const key of Object.keys(record)) record[key] = read(record[key], seen)
    return record
  }

  return {
    encode: (value) => JSON.stringify(write(structuredClone(value), new Map())),
    decode: (text) => read(JSON.parse(text), []),
  }
}
