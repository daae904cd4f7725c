import { bottleError } from '../../../system/bottle-error.ts'
import type { TarEntry } from '../../../workers/tar/entry.ts'
import { relocateLayer } from '../../../workers/tar/relocate.ts'
import {
  type ImageUser,
  imageUser,
  NO_ACCOUNTS,
  needsAccounts,
  readAccounts,
} from '../../images/image-user.ts'
import { placesOf, requireOwnWorkspace, type TreePlaces, toHostTrees } from '../../images/tree-places.ts'
import type { LayerFile, LoadRequest } from '../../portable.ts'

/** So many changed files are named in a record; of more the number is told. */
const NAMED = 50
const COUNTED = 100_000

/** What engines lay into every container: it says nothing of the bottle. */
const ENGINES_OWN =
  /^(dev|proc|sys|run\/icebox)(\/|$)|^(\.dockerenv|sbin\/docker-init|etc\/(hosts|hostname|resolv\.conf|mtab))$/

/** A container's image as layers of a host bottle's. */
export interface TwoTrees {
  readonly layers: readonly LayerFile[]
  /** What stays behind, as far as the layers were read by then. */
  leftBehind(): readonly string[]
}

/**
 * Of any image the two trees that a bottle of this machine has: its working folder and its user's home.
 * @throws BottleError `unsupported` where they can't be told from the rest
 */
export async function twoTrees(
  { image, snapshot }: LoadRequest,
  layers: readonly LayerFile[],
  signal: AbortSignal,
): Promise<TwoTrees> {
  const places = placesOf(image.config, (await userOf(image.config, layers, signal)).home)
  requireOwnWorkspace(places)
  const { baseLayers } = snapshot.facts
  const firstOwn = typeof baseLayers === 'number' ? baseLayers : layers.length
  const changed = new Set<string>()
  const relocation = { ...toHostTrees(places), withoutDevices: true }
  const note = (path: string, { type }: TarEntry) => {
    if (type === 'folder' || ENGINES_OWN.test(path) || changed.size >= COUNTED) return
    changed.add(path)
  }
  return {
    layers: layers.map((layer, at) => ({
      ...layer,
      open: (during) =>
        relocateLayer(
          () => layer.open(during),
          at < firstOwn ? relocation : { ...relocation, onLeft: note },
          during,
        ),
    })),
    leftBehind: () => [placesText(places), ...changedText([...changed])],
  }
}

async function userOf(
  config: LoadRequest['image']['config'],
  layers: readonly LayerFile[],
  signal: AbortSignal,
): Promise<ImageUser> {
  const accounts = needsAccounts(config, null) ? await readAccounts(layers, signal) : NO_ACCOUNTS
  const user = imageUser(config, accounts)
  if (user) return user
  throw bottleError('unsupported', `The image has no user ${JSON.stringify(config.User ?? '')}.`)
}

function placesText({ workspace, home }: TreePlaces): string {
  return home === null ? `files outside ${workspace}` : `files outside ${workspace} and ${home}`
}

/** Changed files by name, of many the number. Pure. */
export function changedText(paths: readonly string[]): readonly string[] {
  const sorted = [...paths].sort()
  const shown = sorted.slice(0, NAMED).map((path) => `/${Buffer.from(path, 'latin1').toString()}`)
  const more = sorted.length - shown.length
  return more > 0 ? [...shown, `${more} more files`] : shown
}
