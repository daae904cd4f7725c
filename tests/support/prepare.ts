import { access, constants, mkdtemp, readdir, readFile, statfs } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { runChild } from './child.ts'
import { engineAnswers, type OwnDaemon, removeTree, startOwnDaemon } from './docker-daemon.ts'

/** Where Debian puts the JSON schemas of the OCI image specification. */
export const OCI_SCHEMAS = '/usr/share/gocode/src/github.com/opencontainers/image-spec/schema'

/** Something that a suite needs: any of `programs`, or a file, from the Debian package named. */
export interface Need {
  readonly programs: readonly string[]
  /** Absolute paths, any of which will do. */
  readonly files?: readonly string[]
  readonly debian: readonly string[]
  readonly elsewhere: string
}

const DOCKER: Need = {
  programs: ['docker'],
  debian: ['docker.io'],
  elsewhere: 'Docker (a running engine and its command)',
}
/** What starts the engine of a run where none answers: a machine may have the command alone. */
const DOCKERD: Need = {
  programs: ['dockerd'],
  debian: ['docker.io'],
  elsewhere: 'a Docker engine that answers',
}
const TMUX: Need = { programs: ['tmux'], debian: ['tmux'], elsewhere: 'tmux' }
const SCREEN: Need = { programs: ['screen'], debian: ['screen'], elsewhere: 'GNU screen' }
const SKOPEO: Need = { programs: ['skopeo'], debian: ['skopeo'], elsewhere: 'skopeo' }
const BUSYBOX: Need = { programs: ['busybox'], debian: ['busybox-static'], elsewhere: 'a static busybox' }
const BWRAP: Need = { programs: ['bwrap'], debian: ['bubblewrap'], elsewhere: 'bubblewrap' }
const CHROMIUM: Need = {
  programs: ['chromium', 'chromium-browser', 'google-chrome'],
  debian: ['chromium', 'fonts-liberation'],
  elsewhere: 'Chromium',
}

const PODMAN: Need = { programs: ['podman'], debian: ['podman'], elsewhere: 'podman' }
const UMOCI: Need = { programs: ['umoci'], debian: ['umoci'], elsewhere: 'umoci' }
const REGISTRY: Need = {
  programs: ['docker-registry', 'registry'],
  debian: ['docker-registry'],
  elsewhere: 'the registry of the distribution project',
}
const ZSTD: Need = { programs: ['zstd'], debian: ['zstd'], elsewhere: 'zstd' }
const GNU_TAR: Need = { programs: ['tar'], debian: ['tar'], elsewhere: 'GNU tar' }
const SSH: Need = { programs: ['ssh'], debian: ['openssh-client'], elsewhere: 'ssh' }
const SSHD: Need = { programs: ['sshd'], debian: ['openssh-server'], elsewhere: 'sshd of OpenSSH' }
const UNSHARE: Need = { programs: ['unshare'], debian: ['util-linux'], elsewhere: 'unshare of util-linux' }
const CHROOT: Need = { programs: ['chroot'], debian: ['coreutils'], elsewhere: 'chroot' }
const SCHEMAS: Need = {
  programs: [],
  files: [join(OCI_SCHEMAS, 'image-manifest-schema.json')],
  debian: ['golang-github-opencontainers-image-spec-dev'],
  elsewhere: `the JSON schemas of the OCI image specification (in ${OCI_SCHEMAS})`,
}

/** What each suite needs on the machine; a suite without an entry needs only what `npm ci` brings. */
const NEEDS: Readonly<Record<string, readonly Need[]>> = {
  engine: [
    DOCKER,
    TMUX,
    SCREEN,
    SKOPEO,
    BUSYBOX,
    BWRAP,
    PODMAN,
    UMOCI,
    REGISTRY,
    ZSTD,
    GNU_TAR,
    SCHEMAS,
    SSH,
    SSHD,
  ],
  // The guests of the doubles are real processes on file systems of their own; trips between backends use Docker too.
  doubles: [DOCKER, TMUX, BUSYBOX, BWRAP, GNU_TAR, UNSHARE, CHROOT],
  e2e: [DOCKER, BUSYBOX, BWRAP, CHROMIUM],
  // On a Mac the specs run on Electron itself, and the system has its own sandbox.
  desktop: process.platform === 'darwin' ? [TMUX] : [BWRAP, TMUX, CHROMIUM],
  faults: [DOCKER, BUSYBOX, BWRAP],
}

/** True for a suite whose tests use a Docker engine. */
export function needsEngine(suite: string): boolean {
  return NEEDS[suite]?.includes(DOCKER) ?? false
}

/** Absolute path of a program on the PATH (and where daemons live), or undefined. */
export async function which(program: string): Promise<string | undefined> {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']) {
    const path = join(folder, program)
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (folder && isThere) return path
  }
  return undefined
}

/** Pure: what these suites need on a machine where an engine answers, or none does. */
export function needsOf(suites: readonly string[], isEngineThere: boolean): ReadonlySet<Need> {
  const needs = suites.flatMap((suite) => NEEDS[suite] ?? [])
  return new Set(needs.includes(DOCKER) && !isEngineThere ? [...needs, DOCKERD] : needs)
}

async function missing(suites: readonly string[]): Promise<Need[]> {
  const wanted = needsOf(suites, !suites.some(needsEngine) || (await engineAnswers()))
  const lacking: Need[] = []
  for (const need of wanted) {
    const files = (need.files ?? []).map((path) =>
      access(path).then(
        () => path,
        () => undefined,
      ),
    )
    const found = await Promise.all([...need.programs.map(which), ...files])
    if (found.every((path) => path === undefined)) lacking.push(need)
  }
  return lacking
}

/**
 * Sees to it that the programs of these suites are installed: on Debian as root by apt, only what is missing.
 * @throws Error that says what to install; a missing prerequisite never becomes a skip.
 */
export async function preparePrograms(suites: readonly string[], signal: AbortSignal): Promise<void> {
  if (suites.includes('doubles') && process.getuid?.() !== 0)
    throw new Error(
      'The suite doubles starts its guests with unshare and chroot, which only root may. ' +
        'Run the tests as root, or name the other suites.',
    )
  const lacking = await missing(suites)
  if (lacking.length === 0) return
  const packages = [...new Set(lacking.flatMap((need) => need.debian))]
  const isDebian = (await which('apt-get')) !== undefined
  if (!isDebian)
    throw new Error(
      `The tests need ${lacking.map((need) => need.elsewhere).join(', ')}. Install it and run them again.`,
    )
  if (process.getuid?.() !== 0)
    throw new Error(`The tests need more programs. Run: sudo apt-get install ${packages.join(' ')}`)
  console.log(`Installing ${packages.join(', ')}`)
  await apt(['update'], signal)
  await apt(['install', '-y', '--no-install-recommends', ...packages], signal)
  // Newer Debian keeps the docker command in a package of its own.
  if (lacking.includes(DOCKER) && (await which('docker')) === undefined) {
    await apt(['install', '-y', '--no-install-recommends', 'docker-cli'], signal)
  }
  const still = await missing(suites)
  if (still.length > 0)
    throw new Error(`Not there even after installing: ${still.map((need) => need.elsewhere).join(', ')}`)
}

async function apt(args: readonly string[], signal: AbortSignal): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const all = ['-q', '-o', 'DPkg::Lock::Timeout=120', ...args]
  const { exitCode, output } = await runChild('apt-get', all, { env, timeout: 600_000, signal })
  if (exitCode !== 0) throw new Error(`apt-get ${args.join(' ')} failed:\n${output.slice(-3000)}`)
}

/**
 * Finds the Docker engine for these suites, or starts one of our own where nothing answers.
 * Null: no suite needs one, or the one that answers is used as it is.
 */
export async function prepareEngine(
  suites: readonly string[],
  signal: AbortSignal,
): Promise<OwnDaemon | null> {
  if (!suites.some(needsEngine)) return null
  if (await engineAnswers()) return null
  const where = process.env.DOCKER_HOST ?? 'the default address'
  if (process.getuid?.() !== 0 || (await which('dockerd')) === undefined) {
    throw new Error(
      `No Docker engine answers at ${where}. Start one, or set DOCKER_HOST, and run the tests again.`,
    )
  }
  await mountCgroups(signal)
  console.log(`No Docker engine answers at ${where}: starting one for this run`)
  return startEngine()
}

/** What the suites' images and containers take at their most, with as much again for everything else that runs. */
const MEMORY_ROOM = 14e9

/** An engine whose images and containers lie in memory where that has room: making and removing files is most of its work. */
async function startEngine(): Promise<OwnDaemon> {
  if (!(await hasMemoryRoom())) return startOwnDaemon()
  const folder = await mkdtemp('/dev/shm/icebox-docker-')
  try {
    const daemon = await startOwnDaemon({ dataRoot: join(folder, 'data') })
    const stop = async () => {
      await daemon.stop()
      await removeTree(folder)
    }
    return { ...daemon, stop }
  } catch (error) {
    await removeTree(folder)
    throw error
  }
}

async function hasMemoryRoom(): Promise<boolean> {
  try {
    const available = /MemAvailable:\s+(\d+) kB/.exec(await readFile('/proc/meminfo', 'utf8'))?.[1]
    const { bavail, bsize } = await statfs('/dev/shm')
    return Math.min(Number(available) * 1024, bavail * bsize) > MEMORY_ROOM
  } catch {
    // Only Linux has either.
    return false
  }
}

/** Machines without systemd often have no control groups mounted, and dockerd refuses to start without. */
async function mountCgroups(signal: AbortSignal): Promise<void> {
  const isMounted = / - cgroup2? /.test(await readFile('/proc/self/mountinfo', 'utf8'))
  if (isMounted || (await readdir('/sys/fs/cgroup')).length > 0) return
  if ((await which('cgroupfs-mount')) === undefined) {
    await apt(['install', '-y', '--no-install-recommends', 'cgroupfs-mount'], signal)
  }
  await runChild('cgroupfs-mount', [], { timeout: 30_000, signal })
}

/** The Chromium that the browser tests drive. */
export async function chromiumPath(): Promise<string | undefined> {
  for (const program of CHROMIUM.programs) {
    const found = await which(program)
    if (found) return found
  }
  return undefined
}
