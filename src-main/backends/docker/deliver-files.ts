import { posix } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'
import type { LaunchPlan } from '../backend.ts'
import { homeEntries } from '../guest/home-files.ts'
import type { PackEntry } from '../guest/pack-entry.ts'
import { packEntries, packTree } from '../guest/tar-pack.ts'
import type { UnitPlan } from './container-config.ts'
import { findUser, putFiles, statInContainer } from './container-files.ts'
import type { Engine } from './engine.ts'

const userOf = (unit: UnitPlan) => unit.user ?? unit.image.user

/** Copies a folder of this machine into the working folder of an unstarted container, owned by the agent's user. */
export async function copyFolderIn(
  engine: Engine,
  id: string,
  folder: string,
  unit: UnitPlan,
  signal: AbortSignal,
): Promise<void> {
  const workdir = unit.workdir ?? '/'
  const hidden = unit.others.find((mount) => mount.type !== 'volume' && isWithin(workdir, mount.target))
  if (hidden) {
    throw bottleError(
      'manifest-invalid',
      `${hidden.target} is a mount, so nothing can be copied into ${workdir} below it.`,
    )
  }
  const [place, user] = await Promise.all([
    statInContainer(engine, id, workdir, signal),
    findUser(engine, id, userOf(unit), unit.image.home, signal),
  ])
  const real = place?.path ?? workdir
  const archive = await packTree(folder, { owner: user.owner, under: posix.basename(real), signal })
  await putFiles(engine, id, posix.dirname(real), archive, signal)
}

/** How a run gets its home files. */
export interface HomeDelivery {
  /** By the start script, at no cost of its own, where it is sure to be able to; else by the engine before start. */
  readonly isByScript: boolean
  /** Whose home has what; a snapshot keeps it, so that its resumes know what that user can write. */
  readonly key: string | null
}

/**
 * Pure: the start script runs as the agent's user, who must be able to write: root can, and so can a user whose
 * folders an earlier launch made. It must not write through a mount of this machine.
 */
export function planHome(plan: LaunchPlan, unit: UnitPlan, hasShell: boolean): HomeDelivery {
  const names = homeEntries(plan.homeFiles).map((entry) => entry.name)
  if (names.length === 0) return { isByScript: false, key: null }
  const tops = [...new Set(names.map((name) => name.split('/')[0] ?? ''))].sort()
  const key = JSON.stringify([userOf(unit), plan.env.HOME ?? unit.image.home, tops])
  const isRoot = ['', '0', 'root'].includes(userOf(unit).split(':')[0] ?? '')
  const known = plan.image.kind === 'snapshot' ? plan.image.snapshot.facts.homeKey : null
  const isNested = homeEntries(plan.homeFiles).every(
    ({ type, name }) => type !== 'file' || name.includes('/'),
  )
  const hasMounts = unit.others.some((mount) => mount.type !== 'volume')
  return { isByScript: hasShell && !hasMounts && (isRoot || (isNested && known === key)), key }
}

/** Writes the plan's home files into an unstarted container, owned by the agent's user. */
export async function writeHomeFiles(
  engine: Engine,
  id: string,
  plan: LaunchPlan,
  unit: UnitPlan,
  signal: AbortSignal,
): Promise<void> {
  const entries = homeEntries(plan.homeFiles)
  if (entries.length === 0) return
  const user = await findUser(engine, id, userOf(unit), plan.env.HOME ?? unit.image.home, signal)
  const hidden = unit.others.find((mount) => mount.type !== 'volume' && isWithin(user.home, mount.target))
  if (hidden) {
    throw bottleError(
      'manifest-invalid',
      `${hidden.target} is a mount, so nothing can be written into ${user.home} below it.`,
    )
  }
  if (await statInContainer(engine, id, user.home, signal)) {
    await putFiles(engine, id, user.home, await packEntries(entries, user.owner), signal)
    return
  }
  const top = user.home.replace(/^\/+/, '')
  const under = entries.map((entry): PackEntry => ({ ...entry, name: `${top}/${entry.name}` }))
  const self: PackEntry = { type: 'directory', name: top, mode: 0o755 }
  await putFiles(engine, id, '/', await packEntries([self, ...under], user.owner), signal)
}

function isWithin(path: string, folder: string): boolean {
  const top = posix.normalize(folder).replace(/(.)\/+$/, '$1')
  return path === top || path.startsWith(top === '/' ? '/' : `${top}/`)
}
