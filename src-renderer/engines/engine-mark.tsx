import type { EngineReport } from '../../src-preload/contract/entities.ts'
import { t } from '../ui/en.ts'
import { Icon, type IconName } from '../ui/icons.tsx'

const LOOKS: Readonly<Record<EngineReport['state'], readonly [tone: string, icon: IconName]>> = {
  ready: ['run', 'check'],
  down: ['wait', 'pause'],
  unknown: ['unknown', 'question'],
  missing: ['off', 'close'],
}

/** An engine's state in words. One that answered, and is too old, say, is not silent. */
export function engineWord({ state, version }: EngineReport): string {
  return state === 'unknown' && version !== null ? t.engines.unusable : t.engines.state[state]
}

/** An engine's state as shape, word and colour. */
export function EngineMark({ engine }: { readonly engine: EngineReport }) {
  const [tone, icon] = LOOKS[engine.state]
  return (
    <span className={`pill ${tone}`}>
      <Icon name={icon} />
      <span>{engineWord(engine)}</span>
    </span>
  )
}
