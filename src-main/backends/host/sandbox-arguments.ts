import { dirname } from 'node:path'
import { SANDBOX_STATUS_FD } from '../local/runner-script.ts'
import type { Isolation } from './isolation.ts'
import type { PrivatePlace } from './private-places.ts'

/** What an agent may see and change. All paths absolute, links resolved. */
export interface SandboxPlan {
  /** Hidden wholly, but for the two folders below it that follow. */
  readonly stateRoot: string
  readonly workspace: string
  readonly home: string
  /** Where the agent starts. */
  readonly cwd: string
  readonly hidden: readonly PrivatePlace[]
  readonly hasNetwork: boolean
}

/** What programs need of `/run` to find names and themselves; the rest holds sockets of engines and keyrings. */
const RUN_PARTS = [
  '/run/systemd/resolve',
  '/run/resolvconf',
  '/run/NetworkManager/resolv.conf',
  '/run/nscd',
  '/run/current-system',
  '/run/wrappers',
]

/** The command line that goes in front of the agent's own; empty without a sandbox. Pure. */
export function sandboxCommand(isolation: Isolation, plan: SandboxPlan): readonly string[] {
  if (isolation.program === null) return []
  return isolation.kind === 'bwrap'
    ? [isolation.program, '--json-status-fd', String(SANDBOX_STATUS_FD), ...bwrapArguments(plan), '--']
    : [isolation.program, '-p', sandboxProfile(plan)]
}

/**
 * True when bwrap gave up before the agent began: it copies all mounts of the machine one by one, and one that goes
 * meanwhile (a container that ends) makes it fail. Pure.
 * @param status what it wrote to its status file: its child, and the child's exit code if that ever ran
 */
export function sandboxGaveUp(exitCode: number | null, status: string): boolean {
  return exitCode === 1 && status.includes('"child-pid"') && !status.includes('"exit-code"')
}

/**
 * Everything read-only, private places and the state root hidden, the bottle's own two folders writable; own
 * processes, own /tmp, no capabilities. Processes outlive Icebox: nothing dies with a parent. Pure.
 */
export function bwrapArguments(plan: SandboxPlan): readonly string[] {
  return [
    ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc'],
    ...['/tmp', '/var/tmp', '/run'].flatMap((folder) => ['--tmpfs', folder]),
    ...RUN_PARTS.flatMap((part) => ['--ro-bind-try', part, part]),
    ...plan.hidden
      .filter((place) => place.path !== plan.stateRoot)
      .flatMap(({ path, isFolder }) => (isFolder ? ['--tmpfs', path] : ['--ro-bind', '/dev/null', path])),
    ...['--tmpfs', plan.stateRoot],
    ...[plan.workspace, plan.home].flatMap((folder) => ['--bind', folder, folder]),
    ...['--remount-ro', plan.stateRoot],
    ...['--unshare-pid', '--unshare-ipc', ...(plan.hasNetwork ? [] : ['--unshare-net'])],
    ...['--cap-drop', 'ALL', '--chdir', plan.cwd],
  ]
}

/** The same promise for macOS, where later rules win. Pure. */
export function sandboxProfile(plan: SandboxPlan): string {
  const own = [plan.workspace, plan.home].map(subpath).join(' ')
  const hidden = plan.hidden.map(({ path, isFolder }) => (isFolder ? subpath(path) : literal(path))).join(' ')
  return [
    '(version 1)',
    '(allow default)',
    '(deny file-write*)',
    `(allow file-write* ${own} ${['/private/tmp', '/private/var/tmp', '/private/var/folders'].map(subpath).join(' ')})`,
    '(allow file-write* (regex #"^/dev/(null|zero|tty.*|ptmx|fd/.*|dtracehelper)$"))',
    ...(hidden ? [`(deny file-read* file-write* ${hidden})`] : []),
    `(deny file-read* file-write* ${subpath(plan.stateRoot)})`,
    `(allow file-read* file-write* ${own})`,
    // Programs walk down to their folder, so the names on the way, and only they, must be visible.
    `(allow file-read-metadata ${ancestors(plan.workspace).map(literal).join(' ')})`,
    ...(plan.hasNetwork ? [] : ['(deny network*)']),
    '(deny process-info* (target others))',
    '(allow process-info* (target same-sandbox))',
    '',
  ].join('\n')
}

function ancestors(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [path] : [...ancestors(parent), path]
}

const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`
const subpath = (path: string): string => `(subpath ${quoted(path)})`
const literal = (path: string): string => `(literal ${quoted(path)})`
