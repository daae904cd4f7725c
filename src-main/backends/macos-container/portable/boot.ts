import { randomBytes } from 'node:crypto'
import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import { bottleError, isBottleError } from '../../../system/bottle-error.ts'
import { faultPoint } from '../../../system/fault.ts'
import { isAlive, ownIdentity, type ProcessIdentity } from '../../../system/process-identity.ts'
import { type BootCommand, bootCommand } from '../../images/boot-command.ts'
import { LABEL, labelOf } from '../../labels.ts'
import type { BootRequest, BootResult } from '../../portable.ts'
import { type ContainerClient, requireRelease } from '../client.ts'
import { inspectContainer, listContainers, removeContainer } from '../containers.ts'
import { callError } from '../errors.ts'
import { platformText, readImageConfig } from '../image-config.ts'
import { fullReference } from '../images.ts'
import { labelArgument } from '../names.ts'
import { withScratch } from '../scratch.ts'
import { requireImage } from './require-image.ts'

const TAIL_BYTES = 4096
/** As `timeout` and shells say it. */
const TIMED_OUT = 124
const NOT_STARTED = 126
const LATE_MS = 120_000
const START_MS = 60_000

/**
 * Boots a snapshot in a container of its own, runs the check there, and removes it again, whatever happens. Without
 * network where the release knows that; where it does not, only the mere start is tried, which needs none. A check
 * that fails, does not start or does not end is a result; only what keeps it from being run is an error.
 * @throws BottleError `snapshot-missing`, `policy-unenforceable`, …
 */
export async function bootSnapshot(
  client: ContainerClient,
  home: string,
  request: BootRequest,
  signal: AbortSignal,
): Promise<BootResult> {
  const { snapshot, rootId } = request
  await requireRelease(client, signal)
  await sweepBoots(client, rootId, signal).catch(() => {})
  const { image, variant } = await requireImage(client, snapshot, signal)
  const imageName = { reference: image.reference, digest: image.digest, platform: variant.platform }
  const known = await withScratch(home, (dir) => readImageConfig(client, home, imageName, dir, signal))
  const command = bootCommand(
    request.check,
    known?.config ?? variant.config,
    snapshot.facts.hasShell !== false,
  )
  const name = `icebox-boot-${randomBytes(5).toString('hex')}`
  const labels = {
    [LABEL.boot]: rootId,
    [LABEL.bootOwner]: Buffer.from(JSON.stringify(await ownIdentity())).toString('base64url'),
  }
  const options = [
    ...Object.entries(labels).flatMap(([key, value]) => ['--label', labelArgument(key, value)]),
    ...['--platform', platformText(variant.platform)],
  ]
  try {
    await create(client, name, options, snapshot, command, signal)
    faultPoint('verify:after-create')
    return await run(client, name, command, request.timeoutSeconds, signal)
  } finally {
    // What a dead engine kept is swept by the next check.
    const late = AbortSignal.timeout(LATE_MS)
    await removeContainer(client, name, late).catch(() => {})
  }
}

async function create(
  client: ContainerClient,
  name: string,
  options: readonly string[],
  snapshot: Snapshot,
  { argv, shown }: BootCommand,
  signal: AbortSignal,
): Promise<void> {
  const [program, ...rest] = argv ?? []
  const args = (network: readonly string[]) => [
    'create',
    ...['--name', name],
    ...options,
    ...network,
    ...(program === undefined ? [] : ['--entrypoint', program]),
    fullReference(snapshot.reference),
    ...rest,
  ]
  try {
    await client.run(args(['--network', 'none']), signal)
  } catch (thrown) {
    if (!isBottleError(thrown) || !/network/i.test(thrown.detail ?? '')) throw thrown
    if (shown !== null || argv === null) {
      throw bottleError(
        'policy-unenforceable',
        `A check runs without network, which this release of Apple's container can't take away. Verify ${snapshot.slug}@${snapshot.id} without a check, or export it and verify it on docker.`,
        { slug: snapshot.slug, detail: thrown.detail, cause: thrown },
      )
    }
    // All that runs is a shell that ends at once.
    await client.run(args([]), signal)
  }
}

async function run(
  client: ContainerClient,
  name: string,
  command: BootCommand,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<BootResult> {
  if (!command.argv) return justStart(client, name, signal)
  const timeout = timeoutSeconds * 1000
  const limit = AbortSignal.timeout(timeout)
  try {
    const ended = await client.run(['start', '--attach', name], AbortSignal.any([signal, limit]), {
      okCodes: 'any',
      timeout: timeout + START_MS,
    })
    const output = tailOf([ended.stdout, ended.stderr].filter(Boolean).join('\n'))
    const isRefused =
      ended.exitCode !== 0 && /^Error: /m.test(ended.stderr) && !(await hasRun(client, name, signal))
    if (isRefused) requireRefusal(ended)
    return { check: command.shown, exitCode: isRefused ? NOT_STARTED : ended.exitCode, output }
  } catch (thrown) {
    if (!limit.aborted || signal.aborted) throw thrown
    const logs = await client.run(['logs', name], signal, { okCodes: 'any' })
    const note = `It did not end within ${timeoutSeconds} s and was stopped.`
    return {
      check: command.shown,
      exitCode: TIMED_OUT,
      output: tailOf(logs.stdout ? `${logs.stdout}\n${note}` : note),
    }
  }
}

/** The image's own command: that the engine could start it is all that there is to prove. */
async function justStart(client: ContainerClient, name: string, signal: AbortSignal): Promise<BootResult> {
  const started = await client.run(['start', name], signal, { okCodes: 'any' })
  if (started.exitCode === 0) return { check: null, exitCode: null, output: '' }
  requireRefusal(started)
  return { check: null, exitCode: NOT_STARTED, output: tailOf(started.stderr || started.stdout) }
}

/** A start that the engine refuses says something of the snapshot; an engine that is away does not. @throws BottleError */
function requireRefusal({ exitCode, stderr }: { readonly exitCode: number; readonly stderr: string }): void {
  const failed = callError({ verb: 'start', exitCode, stderr })
  if (failed.code !== 'engine-failed' && failed.code !== 'not-found') throw failed
}

async function hasRun(client: ContainerClient, name: string, signal: AbortSignal): Promise<boolean> {
  const found = await inspectContainer(client, name, signal)
  return found !== null && found.startedAt !== null
}

/** Removes what boots of dead processes of this root left. @throws BottleError */
async function sweepBoots(client: ContainerClient, rootId: string, signal: AbortSignal): Promise<void> {
  for (const { id, labels } of await listContainers(client, signal)) {
    if (labelOf(labels, LABEL.boot) !== rootId) continue
    const owner = parseOwner(labelOf(labels, LABEL.bootOwner))
    if (owner === null || !(await isAlive(owner))) await removeContainer(client, id, signal)
  }
}

function parseOwner(text: string | null): ProcessIdentity | null {
  try {
    const value = JSON.parse(Buffer.from(text ?? '', 'base64url').toString()) as Partial<ProcessIdentity>
    if (typeof value?.pid !== 'number' || typeof value.startTime !== 'string') return null
    const { pid, startTime, bootId } = value
    return typeof bootId === 'string' ? { pid, startTime, bootId } : null
  } catch {
    return null
  }
}

/** At most so many bytes, cut between letters. */
function tailOf(text: string): string {
  const bytes = Buffer.from(text.trimEnd())
  if (bytes.length <= TAIL_BYTES) return bytes.toString('utf8')
  let from = bytes.length - TAIL_BYTES
  while (((bytes[from] ?? 0) & 0xc0) === 0x80) from++
  return bytes.subarray(from).toString('utf8')
}
