import { posix } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'
import type { LaunchPlan } from '../backend.ts'
import type { UnitPlan } from './container-config.ts'
import { findUser, putFiles, statInContainer } from './container-files.ts'
import type { Engine } from './engine.ts'
import { type PackEntry, packEntries, packTree } from './tar-pack.ts'

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
  const archive = packTree(folder, { owner: user.owner, under: posix.basename(real), signal })
  await putFiles(engine, id, posix.dirname(real), archive, signal)
}

/** Writes the plan's home files into an unstarted container, owned by the agent's user. */
export async function writeHomeFiles(
  engine: Engine,
  id: string,
  plan: LaunchPlan,
  unit: UnitPlan,
  signal: AbortSignal,
): Promise<void> {
  const names = Object.keys(plan.homeFiles).sort()
  if (names.length === 0) return
  const user = await findUser(engine, id, userOf(unit), plan.env.HOME ?? unit.image.home, signal)
  const hidden = unit.others.find((mount) => mount.type !== 'volume' && isWithin(user.home, mount.target))
  if (hidden) {
    throw bottleError(
      'manifest-invalid',
      `${hidden.target} is a mount, so nothing can be written into ${user.home} below it.`,
    )
  }
  const folders = new Set<string>()
  for (const name of names) {
    const clean = posix.normalize(name)
    if (clean.startsWith('../') || clean.startsWith('/') || clean === '..') {
      throw bottleError('manifest-invalid', `${name} leads out of the agent's home folder.`)
    }
    for (let dir = posix.dirname(clean); dir !== '.'; dir = posix.dirname(dir)) folders.add(dir)
  }
  const entries: PackEntry[] = [
    ...[...folders].sort().map((name): PackEntry => ({ type: 'directory', name, mode: 0o755 })),
    ...names.map((name): PackEntry => {
      return { type: 'file', name: posix.normalize(name), mode: 0o644, content: plan.homeFiles[name] ?? '' }
    }),
  ]
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
