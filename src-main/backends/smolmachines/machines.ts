import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withLock } from '../../state/lock.ts'
import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import { CHANGE_MS, COPY_MS } from './client.ts'
import type { SmolContext } from './context.ts'
import { type Machine, parseMachines } from './decode.ts'
import { faultOf } from './errors.ts'
import {
  createArgs,
  deleteArgs,
  listArgs,
  type MachineSpec,
  startArgs,
  stopArgs,
  withoutNetworkArgs,
} from './grammar.ts'
import {
  type Owner,
  type OwnerRecord,
  ownerOf,
  readOwner,
  readOwners,
  removeOwner,
  writeOwner,
} from './owners.ts'

/** No slug has this name. */
const CREATE_LOCK = '_smolmachines'
const LOCKED_TRIES = 30
const LOCKED_PAUSE_MS = 200
/** How often a machine that was told to go is looked for. */
const GONE_LOOKS = 40
const GONE_PAUSE_MS = 250

/** A machine and whose it is. */
export interface OwnedMachine {
  readonly machine: Machine
  /** Null for one without a mark. */
  readonly owner: Owner | null
}

/** Every machine of this user, in one call of the engine. @throws BottleError `engine-missing`, … */
export async function listMachines(
  context: SmolContext,
  signal: AbortSignal,
): Promise<readonly OwnedMachine[]> {
  const [machines, owners] = await Promise.all([askMachines(context, signal), readOwners(context.home)])
  return machines.map((machine) => ({ machine, owner: ownerOf(machine, owners.get(machine.name)) }))
}

async function askMachines(context: SmolContext, signal: AbortSignal): Promise<readonly Machine[]> {
  try {
    return parseMachines((await context.client.run('list its machines', listArgs, { signal })).stdout)
  } catch (thrown) {
    // Another program of the same name answers with anything; then that is what there is to say.
    if (isBottleError(thrown) && thrown.code === 'engine-failed') await context.client.features(signal)
    throw thrown
  }
}

/** One machine by its exact name, or null. @throws BottleError */
export async function findMachine(
  context: SmolContext,
  name: string,
  signal: AbortSignal,
): Promise<OwnedMachine | null> {
  return (await listMachines(context, signal)).find(({ machine }) => machine.name === name) ?? null
}

/**
 * Makes a machine. Its record is written before, creates never meet, and what the engine's own records refuse for a
 * moment is tried again. @throws BottleError `exists`, `snapshot-missing`, `policy-unenforceable`, …
 */
export async function createMachine(
  context: SmolContext,
  owner: Owner,
  spec: MachineSpec,
  signal: AbortSignal,
): Promise<void> {
  const features = await context.client.features(signal)
  const record: OwnerRecord = {
    ...{ root: owner.root, slug: owner.slug, runId: owner.runId, role: owner.role, name: spec.name },
    writtenAt: new Date().toISOString(),
    createdAt: null,
  }
  const root = {
    dir: context.home,
    id: context.rootId,
    path: (...parts: readonly string[]) => join(context.home, ...parts),
  }
  const options = { operation: 'make a machine', waitMs: COPY_MS, signal }
  return withLock(root, CREATE_LOCK, options, async () => {
    const former = await readOwner(context.home, spec.name)
    await writeOwner(context.home, record)
    try {
      await createPatiently(context, createArgs(features, spec), signal)
    } catch (thrown) {
      // A machine of that name is not this run's because it wanted one.
      if (faultOf(thrown) === 'exists') {
        if (former) await writeOwner(context.home, former)
        else await removeOwner(context.home, spec.name)
        throw bottleError('exists', `There is a machine ${spec.name} already, and it is not this run's.`, {
          ...{ slug: owner.slug, cause: thrown },
        })
      }
      throw thrown
    }
    // Labels tell whose it is, and a network that was asked for is there: then there is nothing to look up.
    if (features.labels && spec.network) return
    const made = await findMachine(context, spec.name, signal)
    if (!made) throw bottleError('engine-failed', `smolvm made ${spec.name}, and it is not in its list.`)
    await writeOwner(context.home, { ...record, createdAt: made.machine.createdAt })
    if (made.machine.hasNetwork && !spec.network) await unplug(context, spec.name, signal)
  })
}

async function createPatiently(
  context: SmolContext,
  args: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (let left = LOCKED_TRIES; ; left--) {
    try {
      await context.client.run('make a machine', args, { signal, timeout: COPY_MS })
      return
    } catch (thrown) {
      if (faultOf(thrown) !== 'locked' || left === 0) throw thrown
      await sleep(LOCKED_PAUSE_MS, undefined, { signal })
    }
  }
}

/** A pack brings its own network along; what was asked for is what counts. */
async function unplug(context: SmolContext, name: string, signal: AbortSignal): Promise<void> {
  const features = await context.client.features(signal)
  const args = withoutNetworkArgs(features, name)
  await context.client.run('take the network from a machine', args, { signal })
  const now = await findMachine(context, name, signal)
  if (now && !now.machine.hasNetwork) return
  throw bottleError(
    'policy-unenforceable',
    `This bottle must not reach the network, and smolvm ${features.versionText} gives its machine one. Start it once with --unenforced-egress, or on another backend.`,
  )
}

/** Starts a machine; one that runs is left as it is. @throws BottleError */
export async function startMachine(context: SmolContext, name: string, signal: AbortSignal): Promise<void> {
  for (let left = LOCKED_TRIES; ; left--) {
    try {
      await context.client.run('start the machine', startArgs(name), { signal, timeout: CHANGE_MS })
      return
    } catch (thrown) {
      if (faultOf(thrown) !== 'locked' || left === 0) throw thrown
      await sleep(LOCKED_PAUSE_MS, undefined, { signal })
    }
  }
}

/** Stops a machine; its disks stay. A missing or stopped one is done. @throws BottleError */
export async function stopMachine(context: SmolContext, name: string, signal: AbortSignal): Promise<void> {
  try {
    await context.client.run('stop the machine', stopArgs(name), { signal, timeout: CHANGE_MS })
  } catch (thrown) {
    if (faultOf(thrown) !== 'not-found') throw thrown
  }
}

/**
 * Deletes a machine and looks whether it is gone: smolvm ends with 0 also when it did nothing. True when nothing of
 * that name is left. @throws BottleError
 */
export async function deleteMachine(
  context: SmolContext,
  name: string,
  signal: AbortSignal,
): Promise<boolean> {
  const features = await context.client.features(signal)
  try {
    await context.client.run('remove the machine', deleteArgs(features, name), { signal, timeout: CHANGE_MS })
  } catch (thrown) {
    if (faultOf(thrown) !== 'not-found') throw thrown
  }
  for (let look = 0; look < GONE_LOOKS; look++) {
    if (!(await findMachine(context, name, signal))) {
      await removeOwner(context.home, name)
      return true
    }
    await sleep(GONE_PAUSE_MS, undefined, { signal })
  }
  return false
}
