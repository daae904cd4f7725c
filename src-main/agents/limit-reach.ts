import { isAbsolute, relative } from 'node:path'
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
 * somebody else may have written. Files below `folder` stay within reach; null for none. Pure.
 */
export function limitReach(agent: AgentDefinition, folder: string | null): Limited {
  const { lifecycle, ownBottle, envTemplates = {}, copyFrom, skipsPermissions, ...plain } = agent
  const isWithin = (path: string): boolean => folder !== null && isInside(path, folder)
  const mounts = ownBottle?.mounts.filter((mount) => mount.type !== 'bind' || isWithin(mount.source)) ?? []
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

/** True for a path below the folder, as far as the text of the two tells. */
function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way !== '' && way !== '..' && !way.startsWith('../') && !isAbsolute(way)
}
