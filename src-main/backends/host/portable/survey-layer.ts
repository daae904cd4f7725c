import { lstat, readdir, rm } from 'node:fs/promises'
import { bottleError } from '../../../system/bottle-error.ts'
import { createTarDecoder } from '../../../workers/tar/decoder.ts'
import { toTreePath } from './image-paths.ts'

/** What a layer does to what lies below it; paths as on this machine, bytes held one per character. */
export interface LayerSurvey {
  /** Gone with everything in them. */
  readonly removed: string[]
  /** Folders that lose what lower layers put into them. */
  readonly emptied: string[]
  /** Folders that its entries lie in. */
  readonly folders: Set<string>
  /** Entries that are no folders, which replace what has their name. */
  readonly others: Set<string>
}

const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'
const EDGES = /^(?:\.?\/)+|\/+$/g
const TREES_IN_IMAGE = /^(workspace|home\/agent)(\/|$)/

export const emptySurvey = (): LayerSurvey => ({
  removed: [],
  emptied: [],
  folders: new Set(),
  others: new Set(),
})

export function notOurs() {
  return bottleError(
    'unsupported',
    'This image is not that of a host bottle, and a container can’t be resumed on the host. Import it where Docker runs.',
  )
}

/**
 * Passes a layer on and notes into `survey` what its headers say.
 * @throws BottleError `unsupported` at the first entry outside of a bottle's two trees
 */
export async function* surveyed(
  content: AsyncIterable<Uint8Array>,
  survey: LayerSurvey,
): AsyncGenerator<Uint8Array> {
  const decoder = createTarDecoder({ endOptional: true })
  for await (const chunk of content) {
    decoder.feed(chunk)
    for (let event = decoder.next(); event; event = decoder.next()) {
      if (event.kind !== 'entry') continue
      note(event.entry.path, event.entry.type === 'folder', survey)
      decoder.skip()
    }
    yield chunk
  }
  decoder.finish()
}

function note(told: string, isFolder: boolean, survey: LayerSurvey): void {
  const image = told.replace(EDGES, '')
  if (image === '' || image === '.' || (image === 'home' && isFolder)) return
  if (!TREES_IN_IMAGE.test(image)) throw notOurs()
  const path = toTreePath(image)
  const slash = path.lastIndexOf('/')
  const folder = slash < 0 ? '' : path.slice(0, slash)
  if (folder !== '') survey.folders.add(folder)
  // By the name in the layer: a real file of such a name has one more dot there.
  const name = image.slice(image.lastIndexOf('/') + 1)
  if (name === OPAQUE) survey.emptied.push(folder)
  else if (name.startsWith(WHITEOUT)) survey.removed.push(`${folder}/${name.slice(WHITEOUT.length)}`)
  else if (!isFolder) survey.others.add(path)
}

/**
 * Does to the lower layers what a layer's whiteouts say, before its own entries come.
 * @throws BottleError `artifact-invalid` for an entry that lies behind a link of a lower layer
 */
export async function clearTheWay(target: string, survey: LayerSurvey): Promise<void> {
  const at = (path: string): Buffer => Buffer.concat([Buffer.from(`${target}/`), Buffer.from(path, 'latin1')])
  const remove = (path: Buffer): Promise<void> => rm(path, { recursive: true, force: true })
  for (const folder of survey.folders) await requireNoLink(folder, at)
  for (const path of survey.removed) await remove(at(path))
  for (const folder of survey.emptied) {
    const names = await readdir(at(folder), 'buffer').catch(() => [])
    for (const name of names) await remove(Buffer.concat([at(folder), Buffer.from('/'), name]))
  }
  for (const path of survey.others) {
    const found = await lstat(at(path)).catch(() => null)
    if (found?.isDirectory()) await remove(at(path))
  }
}

async function requireNoLink(folder: string, at: (path: string) => Buffer): Promise<void> {
  const parts = folder.split('/')
  for (let length = 1; length <= parts.length; length++) {
    const path = parts.slice(0, length).join('/')
    const found = await lstat(at(path)).catch(() => null)
    if (!found?.isSymbolicLink()) continue
    throw bottleError(
      'artifact-invalid',
      `An entry of a layer lies behind the link ${JSON.stringify(Buffer.from(path, 'latin1').toString())}.`,
    )
  }
}
