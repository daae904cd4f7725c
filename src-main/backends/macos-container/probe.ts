import type { EngineReport } from '../../../src-preload/contract/index.ts'
import { bottleError, toFailure } from '../../system/bottle-error.ts'
import type { ContainerClient } from './client.ts'
import type { ContainerContext } from './context.ts'
import { absence, START_FIX } from './errors.ts'
import { hostArchitecture } from './image-source.ts'
import { gatesOf, limitsOf, OLDEST, showVersion, type Version } from './versions.ts'

const PROBE_MS = 10_000

/** Looks for the program, asks for its release and whether its services run. A value, never a throw. */
export async function probeContainer(context: ContainerContext, signal: AbortSignal): Promise<EngineReport> {
  const { client } = context
  if (!(await client.program())) {
    return { ...blank, state: 'missing', ...absence(process.platform) }
  }
  let known: EngineReport = blank
  try {
    const version = await client.version(signal)
    known = { ...blank, title: `Apple container ${showVersion(version)}`, ...told(version) }
    if (!gatesOf(version).exportsTar) {
      return {
        ...known,
        reason: `container ${showVersion(version)} can't freeze. Icebox needs ${OLDEST} or newer.`,
        fix: 'brew upgrade container',
      }
    }
    const status = await systemStatus(context, signal)
    return { ...known, state: 'ready', endpoint: status.appRoot }
  } catch (thrown) {
    const failed = toFailure(thrown)
    const isDown = failed.code === 'engine-down'
    return {
      ...known,
      state: isDown ? 'down' : 'unknown',
      reason: failed.message,
      fix: isDown ? START_FIX : null,
    }
  }
}

const blank: EngineReport = {
  name: 'macos-container',
  title: 'Apple container',
  state: 'unknown',
  version: null,
  endpoint: null,
  remote: false,
  capabilities: {},
  limits: [],
  reason: null,
  fix: null,
}

function told(version: Version): Pick<EngineReport, 'version' | 'capabilities' | 'limits'> {
  const gates = gatesOf(version)
  return {
    version: showVersion(version),
    capabilities: {
      liveFreeze: gates.liveExport,
      pause: false,
      labels: true,
      volumes: false,
      terminal: true,
      memory: false,
      binds: true,
      sidecars: false,
      emulation: hostArchitecture() === 'arm64',
    },
    limits: [...limitsOf(gates)],
  }
}

/** @throws BottleError `engine-down` with the engine's own word for it */
async function systemStatus(
  { client }: ContainerContext,
  signal: AbortSignal,
): Promise<{ readonly appRoot: string | null }> {
  // It answers with a code other than 0 when it is down, and on stdout all the same.
  const { stdout, stderr, exitCode } = await client.run(['system', 'status', '--format', 'json'], signal, {
    okCodes: 'any',
    timeout: PROBE_MS,
  })
  const { status, appRoot } = parse(stdout)
  if (exitCode === 0 && (status === undefined || status === 'running')) {
    return { appRoot: typeof appRoot === 'string' && appRoot ? appRoot : null }
  }
  throw bottleError(
    'engine-down',
    `The services of Apple's container are not running. Start them with: ${START_FIX}`,
    { detail: typeof status === 'string' ? status : stderr.slice(-500) },
  )
}

function parse(text: string): { readonly status?: unknown; readonly appRoot?: unknown } {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    // Releases differ in what they print beside the code, which is what counts.
    return {}
  }
}

/** The folder of this machine where the engine keeps its images; null when it can't tell. */
export async function containerDataRoot(
  context: ContainerContext,
  signal: AbortSignal,
): Promise<string | null> {
  // It does not move while the services run, and a freeze asks each time.
  const known = dataRoots.get(context.client)
  if (known) return known
  const found = (await systemStatus(context, signal).catch(() => null))?.appRoot ?? null
  if (found) dataRoots.set(context.client, found)
  return found
}

const dataRoots = new WeakMap<ContainerClient, string>()

/**
 * Starts the engine's services; ones that run already are left. Takes the recommended kernel where none is installed,
 * because the engine would ask on a terminal otherwise. @throws BottleError
 */
export async function startSystem(context: ContainerContext, signal: AbortSignal): Promise<void> {
  await context.client.run(['system', 'start', '--enable-kernel-install'], signal)
  context.changed()
}
