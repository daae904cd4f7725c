import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../../state/durable-file.ts'
import { removeTree } from '../../state/remove-tree.ts'
import { identityOf, ownIdentity, type ProcessIdentity } from '../../system/process-identity.ts'
import type { Staging } from './types.ts'

/** Inside the layout, because only there a finished file is sure to be renamed and not copied. */
const FOLDER = '.stage'

const NAME = /^([a-z0-9]+)\.([0-9]+)\.([0-9a-f]{16})\.[a-z0-9-]+\.[0-9a-f]+$/

/** Opaque, fixed in length, and the same for the whole life of a process. */
function mark({ startTime, bootId }: ProcessIdentity): string {
  return createHash('sha256').update(`${startTime}\n${bootId}`).digest('hex').slice(0, 16)
}

/**
 * Makes a folder for one operation. Who made it and when is in its name, so that there is no moment at which it has
 * no owner.
 */
export async function openStage(layout: string, what: string): Promise<Staging> {
  const own = await ownIdentity()
  const kind = what.toLowerCase().replace(/[^a-z0-9-]+/g, '-') || 'stage'
  const name = [Date.now().toString(36), own.pid, mark(own), kind, randomBytes(5).toString('hex')].join('.')
  const dir = join(layout, FOLDER, name)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  return { dir, release: () => removeTree(dir) }
}

export interface FoundStage {
  readonly dir: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly isAlive: boolean
}

/** All staging folders; what does not look like one has no living owner. */
export async function findStages(layout: string): Promise<readonly FoundStage[]> {
  const names = await readdir(join(layout, FOLDER)).catch((error: unknown) => {
    if (isMissing(error)) return [] as string[]
    throw error
  })
  return Promise.all(
    names.map(async (name) => {
      const [, started = '0', pid = '', owner] = NAME.exec(name) ?? []
      const found = owner === undefined ? undefined : await identityOf(Number(pid))
      const isAlive = found !== undefined && mark(found) === owner
      return { dir: join(layout, FOLDER, name), startedAt: Number.parseInt(started, 36), isAlive }
    }),
  )
}

/** Removes what dead processes left, and returns the folders of living ones. */
export async function sweepStages(layout: string): Promise<readonly FoundStage[]> {
  const stages = await findStages(layout)
  await Promise.all(stages.filter((stage) => !stage.isAlive).map((stage) => removeTree(stage.dir)))
  return stages.filter((stage) => stage.isAlive)
}
