import { realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { MountPlan } from '../backends/backend.ts'
import type { AgentDefinition, BottleLayer } from './definitions.ts'
import { DEFAULT_LIFECYCLE } from './lifecycle.ts'

/** An agent that may not reach out of its bottle, and what was taken from it, in words. */
export interface Limited {
  readonly agent: AgentDefinition
  readonly dropped: readonly string[]
}

/**
 * Takes from an agent what would act on this machine or read of it: hooks, files of variables, values of the
 * environment, folders, secrets, flags of the program, and the choice to run without a container. For definitions that
 * somebody else may have written. Only paths in `allowed` stay within reach. Pure.
 */
export function limitReach(agent: AgentDefinition, allowed: ReadonlySet<string> = new Set()): Limited {
  const { lifecycle, ownBottle, envTemplates = {}, copyFrom, skipsPermissions, ...plain } = agent
  const isWithin = (path: string): boolean => allowed.has(path)
  const mounts = ownBottle?.mounts.filter((mount) => isOwnMount(mount, isWithin)) ?? []
  const envFiles = lifecycle.envFiles.filter(isWithin)
  const keepsCopy = copyFrom !== undefined && isWithin(copyFrom)
  const secrets = (ownBottle?.secrets ?? []).filter((name) => !Object.hasOwn(envTemplates, name))
  const isSkip = skipsPermissions === true || ownBottle?.provider?.permissions === 'skip'
  const dropped = [
    ...(Object.values(lifecycle.hooks).some((entries) => entries.length > 0) ? ['hooks'] : []),
    ...(envFiles.length < lifecycle.envFiles.length ? ['env files'] : []),
    ...(Object.keys(envTemplates).length > 0
      ? [`env from this machine (${Object.keys(envTemplates).join(', ')})`]
      : []),
    ...(secrets.length > 0 ? ['secrets'] : []),
    ...(ownBottle && mounts.length < ownBottle.mounts.length ? ['container.volumes'] : []),
    ...(copyFrom !== undefined && !keepsCopy ? ['workdir'] : []),
    ...(lifecycle.args.length > 0 || isSkip ? ['claude.flags and channels'] : []),
    ...(lifecycle.pythonVenv.length > 0 ? ['python-venv'] : []),
    ...(ownBottle?.backend === 'host' ? ['container.runtime: none'] : []),
  ]
  return {
    agent: {
      ...plain,
      lifecycle: { ...lifecycle, hooks: DEFAULT_LIFECYCLE.hooks, args: [], pythonVenv: [], envFiles },
      ...(ownBottle ? { ownBottle: limitBottle(ownBottle, mounts) } : {}),
      ...(keepsCopy ? { copyFrom } : {}),
    },
    dropped,
  }
}

/** Memory, a volume of the bottle's own, or a folder within reach; an external volume may hold anybody's files. */
function isOwnMount(mount: MountPlan, isWithin: (path: string) => boolean): boolean {
  switch (mount.type) {
    case 'tmpfs':
      return true
    case 'volume':
      return !mount.external
    case 'bind':
      return isWithin(mount.source)
  }
}

function limitBottle(bottle: BottleLayer, mounts: BottleLayer['mounts']): BottleLayer {
  const { backend, ...rest } = bottle
  return {
    ...rest,
    ...(backend === undefined || backend === 'host' ? {} : { backend }),
    secrets: [],
    mounts,
    provider: bottle.provider ? { ...bottle.provider, permissions: null } : null,
  }
}

/** Those paths of the definition that lie below the folder, links followed: a repository can hold links as well. */
export async function pathsWithin(
  agent: AgentDefinition,
  folder: string | null,
): Promise<ReadonlySet<string>> {
  const top = folder === null ? null : await realpath(folder).catch(() => null)
  if (top === null) return new Set()
  const binds = agent.ownBottle?.mounts.filter(({ type }) => type === 'bind') ?? []
  const copied = agent.copyFrom === undefined ? [] : [agent.copyFrom]
  const paths = [...binds.map(({ source }) => source), ...agent.lifecycle.envFiles, ...copied]
  const inside = await Promise.all(
    paths.map(async (path) => {
      const real = await realpath(path).catch(() => null)
      return real === top || real?.startsWith(join(top, sep)) ? [path] : []
    }),
  )
  return new Set(inside.flat())
}
