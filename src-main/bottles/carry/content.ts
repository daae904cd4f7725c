import { join } from 'node:path'
import type { Snapshot, VolumePart } from '../../../src-preload/contract/index.ts'
import { packLayer } from '../../artifacts/export/pack-layer.ts'
import type { StoredLayer, StoredSnapshot } from '../../artifacts/store/types.ts'
import {
  type Accounts,
  imageUser,
  NO_ACCOUNTS,
  needsAccounts,
  readAccounts,
} from '../../backends/images/image-user.ts'
import { runConfig } from '../../backends/images/run-config.ts'
import {
  DEFAULT_WORKSPACE,
  fromHostTrees,
  placesOf,
  requireOwnWorkspace,
  type TreePlaces,
} from '../../backends/images/tree-places.ts'
import type { LoadRequest, RunConfig } from '../../backends/portable.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { relocateLayer } from '../../workers/tar/relocate.ts'
import type { ArtifactDeps } from '../artifact-deps.ts'
import { withCollected } from '../collect-bottle.ts'
import type { OperationContext } from '../services.ts'
import { type Base, withBase } from './base.ts'
import { foldVolumes } from './fold-volumes.ts'
import { layerFilesOf, PASSING_CODEC, type PassingTools, toolsOf, withPassingTools } from './passing-tools.ts'
import { type ContainerWishes, type Crossing, wishedConfig } from './plan-crossing.ts'

/** A home where neither image nor accounts name one. */
const DEFAULT_HOME = '/home/agent'

/** What the other backend is given. */
export interface CarriedContent {
  readonly image: LoadRequest['image']
  readonly layers: LoadRequest['layers']
  /** Volumes that stay volumes, with the files that hold them now. */
  readonly parts: readonly { readonly part: VolumePart; readonly file: string }[]
  readonly leftOut: readonly string[]
  /** What the record tells the backend. */
  readonly facts: Readonly<Record<string, unknown>>
}

export interface ContentRequest {
  readonly deps: ArtifactDeps
  readonly crossing: Crossing
  readonly wishes: ContainerWishes
  /** The bottle's own image, where files of this machine are laid over it. */
  readonly base: () => Promise<Base>
  readonly context: OperationContext
}

type Use<T> = (content: CarriedContent) => Promise<T>

/** Reads a snapshot and makes of it what its new backend needs. What lies in the store for it goes again. */
export function withContent<T>(request: ContentRequest, use: Use<T>): Promise<T> {
  return request.crossing.route.kind === 'layer' ? withTrees(request, use) : withImage(request, use)
}

async function withImage<T>({ deps, crossing, wishes, context }: ContentRequest, use: Use<T>): Promise<T> {
  const { source, to, route } = crossing
  const workers = await deps.workers()
  return withCollected(deps, source, COLLECTED, context, async ({ stored }, collected) => {
    const tools = toolsOf(collected, workers, context)
    const hasVolumes = keepsVolumes(to.name)
    const folded = hasVolumes ? [] : await foldVolumes(tools, stored.volumes, context.signal)
    const layers = [...stored.layers, ...folded]
    const config = runConfig(stored.config)
    return use({
      image: {
        platform: stored.platform,
        config: route.kind === 'trees' ? wishedConfig(config, wishes) : config,
        createdAt: stored.createdAt,
        diffIds: layers.map(({ diffId }) => diffId),
      },
      layers: layerFilesOf(layers, tools),
      parts: hasVolumes ? partsOf(deps, source, () => true) : [],
      leftOut: [],
      facts: { ...shellOf(source), baseLayers: stored.baseLayers },
    })
  })
}

const COLLECTED = { codec: PASSING_CODEC, alsoWrittenTo: [], what: 'carry', isPassing: true } as const

function withTrees<T>(request: ContentRequest, use: Use<T>): Promise<T> {
  const { deps, crossing, wishes, context } = request
  const { signal } = context
  return withBase(request, (base) =>
    withPassingTools(deps, context, async (tools) => {
      const portable = await crossing.to.portable()
      const { image, snapshot } = base
      const diffIds = image.diffIds ?? []
      const config = runConfig(image.config)
      const mustRead =
        needsAccounts(config, wishes.user) ||
        (!keepsVolumes(crossing.to.name) && snapshot.volumes.length > 0) ||
        (await portable.heldLayers(diffIds, signal)) < diffIds.length
      const finish = async (stored: StoredSnapshot | null, below: readonly StoredLayer[]) => {
        const files = layerFilesOf([...(stored?.layers ?? []), ...below], tools)
        const given = diffIds.flatMap((diffId) => files.get(diffId) ?? [])
        const accounts = needsAccounts(config, wishes.user) ? await readAccounts(given, signal) : NO_ACCOUNTS
        const plan = planTrees(config, wishes, accounts)
        const trees = await packTrees(crossing, plan, tools, signal)
        const all = [...diffIds, ...below.map(({ diffId }) => diffId), trees.diffId]
        return use({
          image: {
            platform: image.platform,
            config: plan.config,
            createdAt: crossing.source.createdAt,
            diffIds: all,
          },
          layers: new Map([...files, ...layerFilesOf([trees], tools)]),
          parts: keepsVolumes(crossing.to.name)
            ? partsOf(deps, snapshot, ({ destination }) => !isInTrees(destination, plan.places))
            : [],
          leftOut: plan.places.home === null ? ['the home folder of this machine’s bottle'] : [],
          facts: { ...shellOf(snapshot), baseLayers: image.baseLayers },
        })
      }
      if (!mustRead) return finish(null, [])
      return withCollected(deps, snapshot, COLLECTED, context, async ({ stored }) => {
        const isFolded = !keepsVolumes(crossing.to.name)
        return finish(stored, isFolded ? await foldVolumes(tools, stored.volumes, signal) : [])
      })
    }),
  )
}

interface TreesPlan {
  readonly places: TreePlaces
  readonly owner: { readonly uid: number; readonly gid: number }
  readonly config: RunConfig
}

/**
 * Where the two trees lie in a container, and whose they are. An image that runs in no folder of its own, or whose
 * user has no home, gets one. Pure. @throws BottleError `unsupported`
 */
export function planTrees(config: RunConfig, wishes: ContainerWishes, accounts: Accounts): TreesPlan {
  const user = imageUser(config, accounts, wishes.user)
  if (!user) {
    const name = wishes.user ?? config.User ?? ''
    throw bottleError(
      'unsupported',
      `The image has no user ${JSON.stringify(name)} whose the files could be.`,
    )
  }
  const own = config.WorkingDir && config.WorkingDir !== '/' ? config.WorkingDir : DEFAULT_WORKSPACE
  const told = wishes.home ?? user.home
  const home = told === null || told === '/' ? DEFAULT_HOME : told
  const places = placesOf({ WorkingDir: wishes.workdir ?? own }, home)
  requireOwnWorkspace(places)
  return {
    places,
    owner: { uid: user.uid, gid: user.gid },
    config: {
      ...config,
      WorkingDir: own,
      ...(home === told
        ? {}
        : { Env: [...(config.Env ?? []).filter((line) => !line.startsWith('HOME=')), `HOME=${home}`] }),
    },
  }
}

async function packTrees(
  { source, from }: Crossing,
  { places, owner }: TreesPlan,
  tools: PassingTools,
  signal: AbortSignal,
): Promise<StoredLayer> {
  const relocation = { ...fromHostTrees(places), owner }
  const made: StoredLayer[] = []
  await (await from.portable()).readLayers(
    source,
    null,
    async ({ content }) => {
      let isRead = false
      const open = () => {
        if (isRead) {
          throw bottleError(
            'unsupported',
            'A file of the workspace has a second name in the home folder, which has no place there.',
          )
        }
        isRead = true
        return content
      }
      const { layer } = await packLayer(tools, relocateLayer(open, relocation, signal), () => true, signal)
      if (!layer) throw bottleError('internal', 'The files of this machine were not packed.')
      made.push(layer)
      return layer.diffId
    },
    signal,
  )
  const [layer] = made
  if (layer && made.length === 1) return layer
  throw bottleError('internal', 'The files of this machine were not packed.')
}

/** Backends that fill a run's volumes from a snapshot's. */
const keepsVolumes = (backend: string): boolean => backend === 'docker'

function isInTrees(path: string, { workspace, home }: TreePlaces): boolean {
  return [workspace, home].some((root) => root !== null && (path === root || path.startsWith(`${root}/`)))
}

function partsOf(
  deps: ArtifactDeps,
  { slug, id, volumes }: Snapshot,
  isWanted: (part: VolumePart) => boolean,
): CarriedContent['parts'] {
  const folder = deps.root.path('state', slug, 'snapshots', `${id}.d`)
  return volumes.filter(isWanted).map((part) => ({ part, file: join(folder, part.file) }))
}

function shellOf({ facts }: Snapshot): Readonly<Record<string, unknown>> {
  return typeof facts.hasShell === 'boolean' ? { hasShell: facts.hasShell } : {}
}
