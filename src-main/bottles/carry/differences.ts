import type { Difference, EngineReport, Snapshot } from '../../../src-preload/contract/index.ts'
import type { MountPlan } from '../../backends/backend.ts'
import type { Platform } from '../../backends/portable.ts'
import { bottleError } from '../../system/bottle-error.ts'

/** What the bottle's definition wants of any backend. */
export interface Wishes {
  readonly network: 'default' | 'none' | 'unenforced'
  readonly user: string | null
  readonly mounts: readonly MountPlan[]
  readonly hasResources: boolean
  readonly sidecars: readonly string[]
  readonly forgeEnvNames: readonly string[]
  readonly hasSecrets: boolean
}

export interface DifferenceInput {
  readonly source: Pick<Snapshot, 'slug' | 'id' | 'backend' | 'fidelity' | 'volumes' | 'facts'>
  readonly from: EngineReport
  readonly to: EngineReport
  /** Of the image; null for the files of this machine, which need none. */
  readonly platform: Platform | null
  /** Of this machine. */
  readonly here: Platform & { readonly system: string }
  readonly wishes: Wishes
  /** Where a container has the two trees; null when it is not known before it starts. */
  readonly places: { readonly workspace: string | null; readonly home: string | null } | null
  /** From the host: what its files are laid over, as a person reads it; null when there is nothing. */
  readonly over: { readonly kind: 'snapshot' | 'image'; readonly name: string } | null
  /** The container's snapshot that these files came from is gone. */
  readonly isOriginLost: boolean
  /** The same content is there already: nothing has to be carried. */
  readonly isReady: boolean
}

/** Engines that run images of other processors too. */
const TRANSLATES: Readonly<Record<string, (architecture: string) => boolean>> = {
  docker: () => true,
  'macos-container': (architecture) => architecture === 'amd64',
}

type Rule = (input: DifferenceInput) => readonly Difference[]

/** Everything that is not the same where the bottle goes, what stands against it first. Pure. */
export function findDifferences(input: DifferenceInput): readonly Difference[] {
  const found = RULES.flatMap((rule) => rule(input))
  return [...found.filter(({ blocks }) => blocks), ...found.filter(({ blocks }) => !blocks)]
}

/** @throws BottleError with every sentence that stands against it */
export function requireNoBlock(slug: string, target: string, differences: readonly Difference[]): void {
  const blocking = differences.filter(({ blocks }) => blocks)
  if (blocking.length === 0) return
  const code = blocking.every(({ about }) => about === 'engine') ? 'engine-down' : 'unsupported'
  throw bottleError(code, `${slug} can't go on on ${target}. ${blocking.map(({ text }) => text).join(' ')}`, {
    slug,
  })
}

const one = (about: Difference['about'], text: string, blocks = false): readonly Difference[] => [
  { about, text, blocks },
]
const NONE: readonly Difference[] = []

const isHost = (report: EngineReport): boolean => report.name === 'host'

const RULES: readonly Rule[] = [
  // Engine.
  ({ to }) => {
    if (to.state === 'ready' || to.state === 'unknown') return NONE
    const why = to.reason ?? (to.state === 'missing' ? 'It is not installed.' : 'It does not answer.')
    return one('engine', `${to.title} can't be used. ${why}${to.fix ? ` Try: ${to.fix}` : ''}`, true)
  },
  // Architecture.
  ({ platform, here, to }) => {
    if (!platform || to.remote || platform.architecture === here.architecture) return NONE
    if (isHost(to))
      return one(
        'architecture',
        `Its programs are for ${platform.architecture}, this machine is ${here.architecture}: what was built inside has to be built again.`,
      )
    const blocks = !TRANSLATES[to.name]?.(platform.architecture)
    return one(
      'architecture',
      `The image is for ${platform.architecture}, ${to.title} is ${here.architecture}${blocks ? ' and runs no others.' : ': it runs slowly, if at all.'}`,
      blocks,
    )
  },
  ({ platform, here, to }) =>
    platform && isHost(to) && here.system !== 'linux'
      ? one('architecture', 'Programs that were built inside are for Linux and do not run on this machine.')
      : NONE,
  // Isolation.
  ({ from, to }) => {
    if (!isHost(to))
      return isHost(from) ? one('isolation', `The agent runs in ${to.title}, not on this machine.`) : NONE
    return to.capabilities.isolation === false
      ? one('isolation', 'The agent runs on this machine itself and is NOT isolated.')
      : one('isolation', 'The agent runs on this machine itself, in the system’s own sandbox.')
  },
  // Files.
  ({ places, to, source, isReady }) => {
    if (!isHost(to) || isReady) return NONE
    if (places?.workspace === '/' || !places?.workspace)
      return one(
        'files',
        'The working folder of the container is /, so nothing tells which files are the work. Give the bottle a `workdir`.',
        true,
      )
    const what = places.home === null ? places.workspace : `${places.workspace} and ${places.home}`
    const rest = `Everything else stays in ${source.slug}@${source.id} and is there again when the bottle goes back.`
    const home = places.home === null ? ' The home folder begins empty.' : ''
    return one('files', `Only ${what} come along.${home} ${rest}`)
  },
  // What the files of this machine are laid over.
  ({ from, to, over, isOriginLost, isReady }) => {
    if (!isHost(from) || isHost(to) || isReady) return NONE
    const lost = isOriginLost
      ? one(
          'image',
          'The container’s snapshot that its files came from is gone, and so is what was installed there.',
        )
      : NONE
    if (!over)
      return [
        ...lost,
        ...one(
          'image',
          'The bottle names no image that its files could be laid over. Give it an `image`.',
          true,
        ),
      ]
    const what = over.kind === 'snapshot' ? `the container of ${over.name}` : `the image ${over.name}`
    return [...lost, ...one('image', `Its workspace and home are laid over ${what}.`)]
  },
  ({ to }) =>
    to.capabilities.localImages === false
      ? one(
          'image',
          `${to.title} takes images from registries only, so a snapshot can't be carried there.`,
          true,
        )
      : NONE,
  // Mounts.
  ({ wishes: { mounts }, to }) => {
    if (mounts.length === 0) return NONE
    const shown = mounts.map(({ type, source, target }) =>
      source ? `${source} → ${target}` : `${type} ${target}`,
    )
    if (isHost(to)) return one('mounts', `These mounts are not there: ${shown.join(', ')}.`)
    if (to.remote && mounts.some(({ type }) => type === 'bind'))
      return one(
        'mounts',
        `${to.title} is on another machine, so folders of this one can't be mounted: ${shown.join(', ')}.`,
        true,
      )
    if (to.capabilities.mounts === false)
      return one('mounts', `${to.title} can't have these mounts: ${shown.join(', ')}.`, true)
    return NONE
  },
  // Network.
  ({ wishes: { network }, to }) => {
    if (network !== 'none') return NONE
    const can = to.capabilities.networkSandbox ?? to.capabilities.noNetwork
    return can === false
      ? one('network', `This bottle must not reach the network, and ${to.title} can't ensure that.`, true)
      : NONE
  },
  // User.
  ({ wishes: { user }, to, from }) => {
    if (isHost(to)) return one('user', 'All files belong to you, whoever owned them before.')
    if (isHost(from)) return one('user', `All its files belong to ${user ?? 'the user of the image'}.`)
    return user !== null && to.capabilities.user === false
      ? one('user', `${to.title} can't run it as ${user}; it runs as root.`)
      : NONE
  },
  // Shell.
  ({ source, to, wishes }) => {
    if (source.facts.hasShell !== false || isHost(to)) return NONE
    if (to.capabilities.needsShell === true)
      return one('no-shell', `The image has no shell, which ${to.title} needs.`, true)
    return wishes.hasSecrets && to.name !== 'docker'
      ? one('no-shell', `The image has no shell, so ${to.title} can't give it secrets.`, true)
      : one('no-shell', 'The image has no shell: its command and plain variables are visible in its config.')
  },
  // Volumes.
  ({ source: { volumes }, to, places }) => {
    if (volumes.length === 0 || to.name === 'docker') return NONE
    const names = volumes.map(({ destination }) => destination)
    if (!isHost(to)) return one('volumes', `These volumes become plain folders: ${names.join(', ')}.`)
    const roots = [places?.workspace, places?.home].filter((root) => typeof root === 'string')
    const isIn = (path: string) => roots.some((root) => path === root || path.startsWith(`${root}/`))
    const left = names.filter((path) => !isIn(path))
    return left.length > 0 ? one('volumes', `These volumes stay behind: ${left.join(', ')}.`) : NONE
  },
  // Memory.
  ({ source, from }) =>
    source.fidelity === 'files+memory'
      ? one('memory', `Its files come along; its memory, as ${from.title} keeps it, does not.`)
      : NONE,
  // Sidecars and resources.
  ({ wishes: { sidecars }, to }) =>
    sidecars.length > 0 && (isHost(to) || to.capabilities.sidecars === false)
      ? one(
          'sidecars',
          `${to.title} has no sidecars: ${sidecars.join(', ')} ${isHost(to) ? 'will not be there' : 'can’t be had there'}.`,
          !isHost(to),
        )
      : NONE,
  ({ wishes: { hasResources }, to }) =>
    hasResources && isHost(to)
      ? one('resources', 'Its limits of processors and memory do not hold on this machine.')
      : NONE,
  ({ wishes: { forgeEnvNames }, to }) =>
    forgeEnvNames.length > 0 && (isHost(to) || to.capabilities.sidecars === false)
      ? one(
          'forge',
          `It was started with forge values (${forgeEnvNames.join(', ')}), and ${to.title} has no sidecar to give them to.`,
          true,
        )
      : NONE,
]
