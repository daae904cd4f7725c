import type { ErrorCode } from '../../../src-preload/contract/index.ts'
import { type BottleError, bottleError } from '../../system/bottle-error.ts'

/** The command that starts the services; without the flag it would ask on a terminal. */
export const START_FIX = 'container system start --enable-kernel-install'
export const INSTALL_FIX = 'brew install container'

/** Pure: why the program is not there, and how to get it where that can be. */
export function absence(platform: NodeJS.Platform): { readonly reason: string; readonly fix: string | null } {
  return platform === 'darwin'
    ? { reason: "Apple's container is not installed.", fix: INSTALL_FIX }
    : { reason: "Apple's container runs on macOS only.", fix: null }
}

/** What one call of the program did, when it failed. */
export interface FailedCall {
  /** As a person reads it: `list`, `image load`. */
  readonly verb: string
  readonly exitCode: number | null
  readonly stderr: string
}

interface Rule {
  readonly pattern: RegExp
  readonly code: ErrorCode
  readonly message: (verb: string) => string
}

/** The first that fits tells. Only parts of texts that no release has changed. Source: cli-contracts.md, 1.2–1.8. */
const RULES: readonly Rule[] = [
  {
    pattern: /XPC connection error|container system start|Plugins are unavailable|apiserver is not running/i,
    code: 'engine-down',
    message: () => `The services of Apple's container are not running. Start them with: ${START_FIX}`,
  },
  {
    pattern: /no space left on device|disk (is )?full|out of space|ENOSPC/i,
    code: 'disk-full',
    message: (verb) => `The disk is full: container ${verb} could not write.`,
  },
  {
    pattern: /Plugin '[^']*' not found/,
    code: 'unsupported',
    message: (verb) => `This release of Apple's container has no "${verb}".`,
  },
  {
    pattern:
      /image not found|failed to save image|image with reference .* not found|has no content for platform/i,
    code: 'image-missing',
    message: (verb) => `container ${verb}: the image is not there.`,
  },
  {
    pattern: /already exists?\b|hostname\(s\) already exist/i,
    code: 'exists',
    message: () => 'A container or image of that name exists already. It was left as it is.',
  },
  {
    pattern: /container not found|not found|no such container/i,
    code: 'not-found',
    message: (verb) => `container ${verb}: there is no such container.`,
  },
  {
    pattern: /is not stopped|is running and can not be deleted|already running containers|stopping/i,
    code: 'busy',
    message: (verb) => `container ${verb} can't be done while the container runs or is stopping.`,
  },
  {
    pattern: /\btimeout: "|timed out/i,
    code: 'timeout',
    message: (verb) => `container ${verb} took too long inside the engine.`,
  },
]

/** Pure: the error for a failed call; its detail is the end of what the program wrote to stderr, as it was. */
export function callError({ verb, exitCode, stderr }: FailedCall): BottleError {
  const detail = stderr.trim().slice(-2000)
  const rule = RULES.find(({ pattern }) => pattern.test(stderr))
  if (rule) return bottleError(rule.code, rule.message(verb), { detail })
  const why =
    exitCode === 64 ? 'does not understand what was asked of it' : `failed with exit code ${exitCode ?? '?'}`
  return bottleError('engine-failed', `container ${verb} ${why}.`, { detail })
}

/** Pure. */
export function missingProgram(): BottleError {
  const { reason, fix } = absence(process.platform)
  return bottleError('engine-missing', fix ? `${reason} Install it: ${fix}` : reason)
}
