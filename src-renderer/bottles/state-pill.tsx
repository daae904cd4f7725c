import { Icon } from '../ui/icons.tsx'
import type { Look } from './bottle-look.ts'

/** A state as shape, word and colour. */
export function StatePill({ look, share }: { readonly look: Look; readonly share?: number | null }) {
  return (
    <span className={`pill ${look.tone}`}>
      <Icon name={look.icon} className={look.icon === 'busy' ? 'spin' : ''} />
      <span>{look.word}</span>
      {share != null && <i className="pill-share" style={{ width: `${Math.round(share * 100)}%` }} />}
    </span>
  )
}
