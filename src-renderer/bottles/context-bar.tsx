import { t } from '../ui/en.ts'
import { contextTone } from './agent-look.ts'

/** How full the agent's context is: a bar with its number; stripes and a word where nobody knows. */
export function ContextBar({ percent }: { readonly percent: number | 'unknown' | null }) {
  if (percent === null) return <span className="faint">–</span>
  if (percent === 'unknown') {
    return (
      <span className="context" title={t.health.contextUnknown}>
        <i className="context-bar" data-unknown aria-hidden="true" />
        <span className="faint">{t.health.unknown}</span>
      </span>
    )
  }
  const share = Math.min(100, Math.max(0, percent))
  return (
    <span className={`context ${contextTone(percent)}`} title={t.health.contextFull(Math.round(percent))}>
      <i className="context-bar" aria-hidden="true">
        <i style={{ width: `${share}%` }} />
      </i>
      <span className="number">{t.health.percent(percent)}</span>
    </span>
  )
}
