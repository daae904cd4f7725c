import { bottleError } from '../../system/bottle-error.ts'
import type { LaunchPlan } from '../backend.ts'
import { searchPath } from '../local/find-program.ts'
import type { IsolationKind } from './isolation.ts'

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
/** What an agent gets of the caller's environment: nothing that could carry a secret. */
const KEPT = ['LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'USER', 'LOGNAME', 'SHELL'] as const

/**
 * The whole environment of an agent: plain basics, the plan's values, its secrets, and which bottle it is in.
 * `home` is the bottle's own. Pure.
 */
export function agentEnvironment(
  plan: LaunchPlan,
  source: NodeJS.ProcessEnv,
  isolation: IsolationKind,
  home: string,
): Record<string, string> {
  const basics: Record<string, string> = {
    PATH: searchPath(source),
    TERM: plan.tty ? 'screen-256color' : 'dumb',
  }
  for (const name of KEPT) {
    const value = source[name]
    if (value) basics[name] = value
  }
  const temp = isolation === 'bwrap' ? '/tmp' : source.TMPDIR
  if (temp) basics.TMPDIR = temp
  return {
    LANG: 'C.UTF-8',
    ...basics,
    ...plan.env,
    ...plan.secrets,
    HOME: home,
    ICEBOX_SLUG: plan.slug,
    ICEBOX_RUN: plan.runId,
  }
}

/** @throws BottleError `manifest-invalid` for what no environment can hold; names only, never values */
export function requireEnvironment(plan: LaunchPlan): void {
  for (const [name, value] of Object.entries({ ...plan.env, ...plan.secrets })) {
    if (!NAME.test(name)) {
      throw bottleError(
        'manifest-invalid',
        `${JSON.stringify(name)} is not a name for an environment variable.`,
      )
    }
    if (value.includes('\0')) {
      throw bottleError(
        'manifest-invalid',
        `The value of ${name} holds a zero byte, which no environment can carry.`,
      )
    }
  }
}
