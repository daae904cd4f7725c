import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readJsonObject, writeDurable } from '../../state/durable-file.ts'
import { randomBase36 } from '../../state/slug.ts'
import { isAlive, ownIdentity, type ProcessIdentity } from '../../system/process-identity.ts'
import type { Machines } from './capture-ports.ts'
import type { MachineSource } from './grammar.ts'

/** Milliseconds for taking a helper away, whatever became of its caller. */
const LATE_MS = 600_000
/** Of machines that only look into a snapshot; never a bottle's name. */
const PREFIX = 'icebox-helper-'

/** One record per helper, written before it is made: what a dead process left is known by name. */
const recordsIn = (home: string): string => join(home, 'icebox', 'smolmachines-helpers')

/**
 * Makes a machine of a snapshot's file, without network, starts it, and removes it again whatever happens.
 * `isStarted: false` leaves it as it was made.
 * @throws BottleError
 */
export async function withHelper<T>(
  machines: Machines,
  home: string,
  source: MachineSource,
  options: { readonly slug: string; readonly isStarted: boolean },
  signal: AbortSignal,
  use: (name: string) => Promise<T>,
): Promise<T> {
  await sweepHelpers(machines, home, signal).catch(() => undefined)
  const name = `${PREFIX}${randomBase36(10)}`
  await mkdir(recordsIn(home), { recursive: true, mode: 0o700 })
  const record = join(recordsIn(home), `${name}.json`)
  await writeDurable(record, JSON.stringify(await ownIdentity()))
  try {
    await machines.createHelper(name, source, options.slug, signal)
    if (options.isStarted) await machines.start(name, signal)
    return await use(name)
  } finally {
    const late = AbortSignal.timeout(LATE_MS)
    // What can't be removed now keeps its record, and the next look takes it away.
    const isGone = await machines.remove(name, late).then(
      () => true,
      () => false,
    )
    if (isGone) await rm(record, { force: true })
  }
}

/** Removes the helpers of processes that died. No call of the engine when there are none. */
export async function sweepHelpers(machines: Machines, home: string, signal: AbortSignal): Promise<void> {
  const folder = recordsIn(home)
  const names = await readdir(folder).catch(() => [])
  for (const file of names) {
    const name = file.replace(/\.json$/, '')
    if (!name.startsWith(PREFIX) || (await isOwned(join(folder, file)))) continue
    await machines.remove(name, signal)
    await rm(join(folder, file), { force: true })
  }
}

async function isOwned(file: string): Promise<boolean> {
  const read = await readJsonObject(file)
  if (read.kind !== 'ok') return false
  const { pid, startTime, bootId } = read.value as Partial<ProcessIdentity>
  if (typeof pid !== 'number' || typeof startTime !== 'string' || typeof bootId !== 'string') return false
  return isAlive({ pid, startTime, bootId })
}
