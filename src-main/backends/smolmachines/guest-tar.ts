import { createHash } from 'node:crypto'
import { bottleError } from '../../system/bottle-error.ts'
import { readTar } from '../../workers/tar/read-tar.ts'
import { TAR_END, writeTarHeader } from '../../workers/tar/writer.ts'
import { HEAD_BYTES, parseHead, parseTrailer, type TarTrailer, TRAILER_BYTES } from './guest-tar-script.ts'

/** Folders that are packed in part are few; more than this is no sensible guest. */
const PART_MAX = 16 << 20

/**
 * Makes one plain tar of what `GUEST_TAR_SCRIPT` sends, and checks on the way that every byte is as the guest sent it.
 * `told` hears what the guest said of it, once all was given out.
 * @throws BottleError `engine-failed` when the stream broke off or was changed on its way
 */
export async function* guestTar(
  source: AsyncIterable<Uint8Array>,
  told: (trailer: TarTrailer) => void,
): AsyncGenerator<Uint8Array> {
  const reader = inPieces(source)
  const part = parseHead(await reader.exactly(HEAD_BYTES))
  if (part === null || part > PART_MAX) throw brokenOff('It did not begin as it should.')
  yield await partHeaders(await reader.exactly(part))
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of reader.allBut(TRAILER_BYTES)) {
    hash.update(chunk)
    bytes += chunk.length
    yield chunk
  }
  const trailer = parseTrailer(reader.rest())
  if (trailer === null) throw brokenOff('It has no end.')
  if (trailer.sha256 !== null && trailer.sha256 !== hash.digest('hex'))
    throw brokenOff('Its bytes were changed on their way.')
  if (bytes === 0) yield TAR_END
  told(trailer)
}

/** The small tar again, without its end, so that the other follows it as one. */
async function partHeaders(tar: Uint8Array): Promise<Uint8Array> {
  const heads: Uint8Array[] = []
  const once = (async function* () {
    yield tar
  })()
  await readTar(once, ({ path, type, mode, uid, gid, mtime, xattrs }) => {
    if (type === 'folder') heads.push(writeTarHeader({ path, type, mode, uid, gid, mtime, xattrs }))
    return 'skip'
  })
  return Buffer.concat(heads)
}

/** Cuts a stream where its parts end. */
function inPieces(source: AsyncIterable<Uint8Array>) {
  const chunks = source[Symbol.asyncIterator]()
  let held = Buffer.alloc(0)
  const more = async (): Promise<boolean> => {
    const { done, value } = await chunks.next()
    if (done) return false
    held = held.length === 0 ? Buffer.from(value) : Buffer.concat([held, value])
    return true
  }
  return {
    async exactly(bytes: number): Promise<Uint8Array> {
      while (held.length < bytes) if (!(await more())) throw brokenOff('It is too short.')
      const found = held.subarray(0, bytes)
      held = held.subarray(bytes)
      return found
    },
    async *allBut(bytes: number): AsyncGenerator<Uint8Array> {
      try {
        do {
          if (held.length <= bytes) continue
          const ready = held.subarray(0, held.length - bytes)
          held = held.subarray(held.length - bytes)
          yield ready
        } while (await more())
      } finally {
        await chunks.return?.()
      }
    },
    rest: (): Uint8Array => held,
  }
}

const brokenOff = (why: string) =>
  bottleError('engine-failed', `The machine did not give all its files: ${why}`, { detail: 'guest tar' })
