import type { CaptureScene, CaptureWay } from './capture-plan.ts'

/** What a look into the guest found before anything was stopped. */
export interface GuestSurvey {
  /** Of `/tmp`, `/run` and `/dev/shm`: those that hold something of the bottle's. */
  readonly filledTmpfs: readonly string[]
  readonly hasWorkspace: boolean
  /** `uid:gid` of whom the image runs as, where that is not root. */
  readonly user: string | null
}

export interface LeftOutFacts {
  readonly way: CaptureWay['kind']
  readonly scene: Pick<CaptureScene, 'mounts' | 'ports'>
  readonly wasRunning: boolean
  readonly survey: GuestSurvey
  /** Folders of this machine by their place in the guest, as far as they are known. */
  readonly mountTargets: readonly string[]
  /** Labels beside Icebox's own. */
  readonly foreignLabels: readonly string[]
  /** The image runs as somebody else than root, and the pack forgets it. */
  readonly losesUser: string | null
  readonly hasEgressList: boolean
  readonly initCommands: number
  /** The guest's own tar can keep no extended attributes. */
  readonly losesXattrs: boolean
}

/** What a snapshot does not hold of this very machine: nothing that does not apply to it. Pure. */
export function leftOutOf(facts: LeftOutFacts): readonly string[] {
  const { way, scene, survey } = facts
  const isCheckpoint = way === 'checkpoint'
  return [
    ...(facts.wasRunning && !isCheckpoint ? ['memory and running processes'] : []),
    ...(isCheckpoint ? [] : survey.filledTmpfs.map((path) => `tmpfs ${path}`)),
    ...mounts(facts),
    ...(scene.ports > 0 ? [`${scene.ports} published ${scene.ports === 1 ? 'port' : 'ports'}`] : []),
    ...facts.foreignLabels.map((name) => `label ${name}`),
    ...(way === 'pack' && facts.losesUser ? [`the image's user ${facts.losesUser}`] : []),
    ...(facts.hasEgressList ? ['egress list'] : []),
    ...(facts.initCommands > 0 ? ['init commands'] : []),
    ...(way === 'guest-tar' && facts.losesXattrs ? ['extended attributes'] : []),
  ]
}

function mounts({ scene, mountTargets }: LeftOutFacts): readonly string[] {
  if (mountTargets.length > 0) return mountTargets.map((target) => `folder of this machine at ${target}`)
  if (scene.mounts === 0) return []
  return [`${scene.mounts} ${scene.mounts === 1 ? 'folder' : 'folders'} of this machine`]
}
