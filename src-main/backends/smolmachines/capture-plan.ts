import { bottleError } from '../../system/bottle-error.ts'
import { isAtLeast, type Version } from './features.ts'

/** What is known of a machine when a freeze begins. */
export interface CaptureScene {
  readonly slug: string
  /** As the engine says it. */
  readonly state: string
  /** Where it came from, as the engine says it; null for a machine made from a pack, or a bare one. */
  readonly image: string | null
  /** How many folders of this machine it has. */
  readonly mounts: number
  readonly ports: number
  readonly gpu: boolean
  readonly cuda: boolean
  /** It was made of another machine's memory and still shares with it. */
  readonly isClone: boolean
  /** Its memory can be branched: a wish at its start. */
  readonly forkable: boolean
}

export interface CaptureAbilities {
  readonly version: Version
  readonly checkpoint: boolean
  readonly includeWorkspace: boolean
  readonly localImages: boolean
  readonly packsLocalImages: boolean
}

/** Which way a freeze goes, and why, in words for a person. */
export interface CaptureWay {
  readonly kind: 'checkpoint' | 'pack' | 'guest-tar'
  readonly why: string
}

/**
 * The ways that a machine can be frozen, best first: the next is taken only when the engine refuses one with a reason
 * of its own. Pure.
 * @throws BottleError when there is none
 */
export function planCapture(
  scene: CaptureScene,
  can: CaptureAbilities,
  platform: NodeJS.Platform,
): readonly CaptureWay[] {
  requireFreezable(scene)
  const ways: CaptureWay[] = []
  if (scene.state === 'running') {
    const against = againstCheckpoint(scene, can, platform)
    if (against === null)
      ways.push({ kind: 'checkpoint', why: 'A checkpoint keeps the memory, and the agent goes on.' })
  }
  const against = againstPack(scene, can)
  if (against === null) ways.push({ kind: 'pack', why: packReason(scene, can, platform) })
  // Without archives as images a copy of the files could never be brought back.
  if (can.localImages) ways.push({ kind: 'guest-tar', why: against ?? 'smolvm refused to pack it.' })
  if (ways.length === 0) {
    throw bottleError('unsupported', `${against ?? 'It can’t be packed.'} A newer smolvm can do more.`, {
      slug: scene.slug,
    })
  }
  return ways
}

function requireFreezable({ slug, state }: CaptureScene): void {
  switch (state) {
    case 'running':
    case 'stopped':
      return
    case 'created':
      throw bottleError('not-found', `The machine of ${slug} was never started, so it holds nothing yet.`, {
        slug,
      })
    case 'frozen':
      throw bottleError(
        'busy',
        `The machine of ${slug} is the base of branches and stands still for good. Freeze a branch of it instead.`,
        { slug },
      )
    case 'paused':
      throw bottleError('busy', `The machine of ${slug} is paused. Resume it with smolvm first.`, { slug })
    default:
      // What can't be reached may still be writing to its disk.
      throw bottleError('busy', `The machine of ${slug} is ${state}, so its disk can't be trusted now.`, {
        slug,
      })
  }
}

/** Why there can be no checkpoint; null when nothing is against it. */
function againstCheckpoint(
  scene: CaptureScene,
  can: CaptureAbilities,
  platform: NodeJS.Platform,
): string | null {
  if (!can.checkpoint) return `smolvm ${can.version.join('.')} has no checkpoints.`
  if (scene.mounts > 0) return 'A machine with folders of this machine can’t be checkpointed.'
  if (scene.gpu || scene.cuda) return 'A machine with a GPU can’t be checkpointed.'
  if (platform === 'darwin' && !isAtLeast(can.version, [1, 20, 0]) && !scene.forkable)
    return `On a Mac, smolvm ${can.version.join('.')} checkpoints only machines that were started as branchable.`
  return null
}

/** Why there can be no pack; null when nothing is against it. */
function againstPack(scene: CaptureScene, can: CaptureAbilities): string | null {
  if (isLocal(scene) && !can.packsLocalImages)
    return `smolvm ${can.version.join('.')} can’t pack a machine made from an image of this machine.`
  if (scene.isClone && !isAtLeast(can.version, [1, 16, 1]))
    return `smolvm ${can.version.join('.')} can’t pack a machine that is a branch of another one.`
  return null
}

function packReason(scene: CaptureScene, can: CaptureAbilities, platform: NodeJS.Platform): string {
  if (scene.state !== 'running') return 'It is stopped already.'
  return againstCheckpoint(scene, can, platform) ?? 'smolvm refused to checkpoint it.'
}

/** An archive or a folder of this machine, as the engine names it. */
export function isLocal({ image }: Pick<CaptureScene, 'image'>): boolean {
  return image !== null && (/^local:/.test(image) || /^(\.{0,2}\/|-$)/.test(image))
}

/** What is asked before a running bottle is stopped. Pure. */
export function stopQuestion(slug: string, why: string): string {
  return `${why} To freeze ${slug}, its machine has to be stopped, packed and started again: the agent is interrupted and begins anew. Stop it now?`
}
