import { mkdir, mkdtemp, readdir, realpath } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { bottleError } from '../../../system/bottle-error.ts'
import { findProgram, searchPath } from '../../local/find-program.ts'
import { SANDBOX_STATUS_FD } from '../../local/runner-script.ts'
import type { BootRequest, BootResult } from '../../portable.ts'
import { canShareBlocks, cloneTrees, deleteTree, requireSpace } from '../clone-trees.ts'
import type { HostContext } from '../host-context.ts'
import type { Isolation } from '../isolation.ts'
import { requireSnapshotTrees, TREES } from '../live-trees.ts'
import { privatePlacesOf } from '../private-places.ts'
import { sandboxCommand, sandboxGaveUp } from '../sandbox-arguments.ts'
import { treeManifest } from '../tree-manifest.ts'
import { runCheck } from './run-check.ts'

/** Followed by the id of the process that uses it. */
const PREFIX = 'boot-'
/** A mount of the machine that goes while the sandbox is made ends it; the next one may be luckier. */
const SANDBOX_TRIES = 6

/**
 * Proves that a snapshot can be resumed: its trees are those that were frozen, they can be copied, and a check, if
 * there is one, passes in the copy inside the sandbox and without network. Everything is removed again.
 * @throws BottleError `snapshot-missing`, `corrupt-state`; `policy-unenforceable` for a check where the network can't be taken away
 */
export async function bootSnapshot(
  context: HostContext,
  request: BootRequest,
  signal: AbortSignal,
): Promise<BootResult> {
  const { snapshot, check } = request
  const source = await requireSnapshotTrees(context.home, snapshot)
  const isolation = check ? await requireIsolation(context, signal) : null
  const places = join(context.home, 'icebox')
  await mkdir(places, { recursive: true, mode: 0o700 })
  if (!(await canShareBlocks(places))) await requireSpace(places, snapshot.bytes)
  await sweep(places)
  const scratch = await mkdtemp(join(places, `${PREFIX}${process.pid}-`))
  try {
    const sources = TREES.map((tree) => join(source, tree))
    await cloneTrees(sources, scratch, signal)
    const manifest = await treeManifest(scratch, TREES, signal)
    if (snapshot.digest && manifest.digest !== snapshot.digest) {
      throw bottleError(
        'corrupt-state',
        `The files of ${snapshot.slug}@${snapshot.id} are not those that were frozen. Choose another snapshot.`,
        { slug: snapshot.slug, detail: `${manifest.entries} entries in ${source}` },
      )
    }
    if (!check || !isolation) return { check: null, exitCode: null, output: '' }
    return await checkIn(context, await realpath(scratch), isolation, check, request.timeoutSeconds, signal)
  } finally {
    await deleteTree(scratch)
  }
}

/** Removes what a process that died in the middle left behind. */
async function sweep(places: string): Promise<void> {
  for (const name of await readdir(places)) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN
    if (Number.isNaN(pid) || isThere(pid)) continue
    await deleteTree(join(places, name))
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

async function requireIsolation(context: HostContext, signal: AbortSignal): Promise<Isolation> {
  const isolation = await context.isolation(signal)
  if (isolation.program !== null && isolation.hasNetwork) return isolation
  throw bottleError(
    'policy-unenforceable',
    `A check runs without network, which can't be had here. ${isolation.reason ?? 'The sandbox can’t take the network away.'}`,
    { detail: isolation.fix ?? undefined },
  )
}

async function checkIn(
  context: HostContext,
  scratch: string,
  isolation: Isolation,
  check: readonly string[],
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<BootResult> {
  const [workspace, home] = TREES.map((tree) => join(scratch, tree))
  const [name, ...rest] = check
  if (!workspace || !home || !name) throw bottleError('manifest-invalid', 'The check names no program.')
  const path = searchPath(context.env)
  const sandbox = sandboxCommand(isolation, {
    stateRoot: await realpath(context.home),
    workspace,
    home,
    cwd: workspace,
    hidden: await privatePlacesOf(context.env.HOME || homedir()),
    hasNetwork: false,
  })
  const [program = '', ...words] = sandbox
  // A check ends with whoever asked for it, unlike an agent.
  const bound = isolation.kind === 'bwrap' ? ['--die-with-parent'] : []
  const argv = [
    ...bound,
    ...words,
    name.includes('/') ? name : ((await findProgram(name, path)) ?? name),
    ...rest,
  ]
  const env = {
    PATH: path,
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    HOME: home,
    TMPDIR: isolation.kind === 'bwrap' ? '/tmp' : (context.env.TMPDIR ?? '/tmp'),
  }
  const statusFd = isolation.kind === 'bwrap' ? { statusFd: SANDBOX_STATUS_FD } : {}
  for (let tries = 1; ; tries++) {
    const plan = { program, argv, env, cwd: workspace, timeoutSeconds, ...statusFd }
    const { exitCode, output, status } = await runCheck(plan, signal)
    if (tries === SANDBOX_TRIES || !sandboxGaveUp(exitCode, status))
      return { check: check.join(' '), exitCode, output }
  }
}
