import type { StartPlan } from '../../src-preload/contract/entities.ts'
import { formatPairs } from './pairs.ts'
import type { Paint } from './style.ts'

/** A plan for a person: what would be done, then what to mind. */
export function planText(plan: StartPlan, paint: Paint): string {
  const image =
    plan.image.source === 'none'
      ? 'none (an empty workspace)'
      : `${plan.image.source} ${plan.image.reference}`
  return formatPairs(
    [
      ['Bottle', plan.slug],
      ['Agent', `${plan.agent} (${plan.provider}), from ${plan.agentSource}`],
      ['Backend', plan.backend],
      ['Definitions', plan.bottles.join(', ')],
      ['Image', image],
      ['Command', plan.argv.map(quoted).join(' ')],
      ['Working folder', plan.workdir],
      ['Environment', plan.envNames.join(', ')],
      ['Secrets', plan.secretNames.join(', ')],
      ['Mounts', plan.mounts.join(', ')],
      ['Sidecars', plan.sidecars.join(', ')],
      ['Network', plan.network],
      ...(plan.differences ?? []).map(({ text }) => ['Different', text] as const),
      ...plan.notices.map((notice) => ['Mind', notice] as const),
      ['', 'Nothing was done: this is a dry run.'],
    ],
    paint,
  )
}

/** A word as one would type it, for reading only. */
function quoted(word: string): string {
  return /^[\w@%+=:,./{}-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
