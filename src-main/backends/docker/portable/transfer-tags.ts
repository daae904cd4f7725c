import { randomBytes } from 'node:crypto'
import { identityOf, ownIdentity, type ProcessIdentity } from '../../../system/process-identity.ts'
import { sha256 } from '../../images/digest.ts'
import { type Engine, SHORT_MS } from '../engine.ts'
import { isMissing } from '../engine-errors.ts'
import { listImages } from './image-index.ts'
import { exchange, textOf } from './transport.ts'

const FOLDER = 'icebox-transfer'

/**
 * The repository of one transfer, below the registry's address. It names its root and its process, so that what a
 * dead process left is known.
 */
export async function transferRepository(rootId: string): Promise<string> {
  const own = await ownIdentity()
  return `${FOLDER}/${rootId}/${own.pid}-${markOf(own)}-${randomBytes(16).toString('hex')}`
}

const markOf = ({ startTime, bootId }: ProcessIdentity) =>
  sha256(`${startTime} ${bootId}`).slice('sha256:'.length, 'sha256:'.length + 12)

interface TransferTag {
  readonly rootId: string
  readonly pid: number
  readonly mark: string
}

/** Pure: what a transfer's tag tells; null for every other tag. */
export function readTransferTag(tag: string): TransferTag | null {
  const found = /^127\.0\.0\.1:\d+\/icebox-transfer\/([0-9a-z-]+)\/(\d+)-([0-9a-f]{12})-[0-9a-f]{32}:t$/.exec(
    tag,
  )
  if (!found) return null
  const [, rootId = '', pid, mark = ''] = found
  return { rootId, pid: Number(pid), mark }
}

/** Gives an image one more name, so that it can be pushed there. @throws BottleError */
export async function tagForTransfer(
  engine: Engine,
  imageId: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const path = `/images/${imageId}/tag?repo=${encodeURIComponent(name)}&tag=t`
  await textOf(await exchange(engine, 'tag the image', { method: 'POST', path }, signal))
}

/** Takes a transfer's name away again: never an image, and never another name of it. @throws BottleError */
export async function untagTransfer(engine: Engine, name: string): Promise<void> {
  if (!readTransferTag(`${name}:t`)) return
  // Without force and with noprune it can only be the name, as long as the snapshot has its own.
  const path = `/images/${name}:t?force=0&noprune=1`
  const late = AbortSignal.timeout(SHORT_MS)
  try {
    await textOf(await exchange(engine, 'remove a tag', { method: 'DELETE', path }, late))
  } catch (thrown) {
    if (!isMissing(thrown)) throw thrown
  }
}

/** Removes names that dead processes of this root left on the daemon. @throws BottleError */
export async function sweepTransferTags(engine: Engine, rootId: string, signal: AbortSignal): Promise<void> {
  for (const { RepoTags } of await listImages(engine, false, signal)) {
    for (const tag of RepoTags ?? []) {
      const owner = readTransferTag(tag)
      if (owner?.rootId !== rootId || (await isOwnerAlive(owner))) continue
      await untagTransfer(engine, tag.slice(0, -':t'.length))
    }
  }
}

async function isOwnerAlive({ pid, mark }: TransferTag): Promise<boolean> {
  const found = await identityOf(pid)
  return found !== undefined && markOf(found) === mark
}
