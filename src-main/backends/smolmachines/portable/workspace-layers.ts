import { readTar } from '../../../workers/tar/read-tar.ts'
import { OPAQUE, plainPath, relocateLayer, WHITEOUT } from '../../../workers/tar/relocate.ts'
import { TAR_END } from '../../../workers/tar/writer.ts'

/** What an image has in this folder, the machine's own disk hides. */
const TOP = 'workspace'

export type OpenLayer = () => AsyncIterable<Uint8Array>

/**
 * The content of an image's `/workspace` as one tar, with what upper layers change and take away. Null when it has
 * nothing there. @throws BottleError `artifact-invalid`, `cancelled`
 */
export async function workspaceOf(
  layers: readonly OpenLayer[],
  signal: AbortSignal,
): Promise<AsyncGenerator<Uint8Array> | null> {
  const winners = new Map<string, number>()
  for (const [at, open] of layers.entries()) await survey(open(), at, winners)
  if ([...winners.keys()].every((path) => path === TOP)) return null
  return (async function* () {
    for (const [at, open] of layers.entries()) {
      const moved = relocateLayer(
        open,
        {
          place: (path) => (winners.get(path) === at ? path : null),
          marks: () => [],
          withoutDevices: true,
        },
        signal,
      )
      for await (const chunk of moved) if (chunk !== TAR_END) yield chunk
    }
    yield TAR_END
  })()
}

/** Which layer has the last word on each path. */
async function survey(
  layer: AsyncIterable<Uint8Array>,
  at: number,
  winners: Map<string, number>,
): Promise<void> {
  const drop = (path: string, below: number) => {
    for (const [known, from] of winners) {
      const isInside = known.startsWith(`${path}/`)
      if (isInside && from < below) winners.delete(known)
    }
  }
  await readTar(
    layer,
    ({ path: written, type }) => {
      const path = plainPath(written)
      const slash = path.lastIndexOf('/')
      const [folder, name] = [path.slice(0, Math.max(0, slash)), path.slice(slash + 1)]
      if (name === OPAQUE) drop(folder, at)
      else if (name.startsWith(WHITEOUT)) {
        const gone = plainPath(`${folder}/${name.slice(WHITEOUT.length)}`)
        drop(gone, at)
        if ((winners.get(gone) ?? at) < at) winners.delete(gone)
      } else if (path === TOP || path.startsWith(`${TOP}/`)) {
        if (type !== 'folder') drop(path, at)
        winners.set(path, at)
      }
      return 'skip'
    },
    { endOptional: true },
  )
}
