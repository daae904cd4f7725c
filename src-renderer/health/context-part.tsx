import type { Bottle } from '../../src-preload/contract/entities.ts'
import { contextTone } from '../bottles/agent-look.ts'
import { useApp } from '../state/app.ts'
import { t } from '../ui/en.ts'
import { duration } from '../ui/format.ts'
import type { StatusView } from './read-status.ts'
import { type Look, lineOf, trendOf } from './trend.ts'

/** How full the context is, where it goes, and what is done about it. */
export function ContextPart(props: { readonly bottle: Bottle; readonly context: StatusView['context'] }) {
  const { looks } = useApp()
  const { percent: told, tokens, window: room, strategy, trigger } = props.context
  // The row is newer: it comes with every look.
  const percent = props.bottle.health?.contextPercent ?? told
  return (
    <section>
      <h3>{t.health.context}</h3>
      <div className="health-context">
        <strong className={`number ${percent === null ? 'faint' : contextTone(percent)}`}>
          {percent === null ? t.health.unknown : t.health.percent(percent)}
        </strong>
        <span className="faint number">{tokensText(tokens, room)}</span>
      </div>
      <div className={`health-bar ${percent === null ? '' : contextTone(percent)}`} aria-hidden="true">
        <i
          data-unknown={percent === null || undefined}
          style={percent === null ? undefined : { width: `${Math.min(100, percent)}%` }}
        />
        {trigger !== null && strategy !== null && strategy !== 'noop' && (
          <b style={{ left: `${trigger}%` }} title={t.health.trigger(trigger)} />
        )}
      </div>
      <Line looks={looks.of(props.bottle)} />
      <p className="soft health-strategy">{strategyText(strategy, trigger)}</p>
    </section>
  )
}

function tokensText(tokens: number | null, room: number | null): string {
  if (tokens === null) return ''
  return room === null
    ? t.health.contextTokens(tokens.toLocaleString())
    : t.health.contextOf(tokens.toLocaleString(), room.toLocaleString())
}

function strategyText(strategy: StatusView['context']['strategy'], trigger: number | null): string {
  if (strategy === null || strategy === 'noop' || trigger === null) return t.health.strategy.noop
  return t.health.strategy[strategy](trigger)
}

const WIDTH = 64
const HEIGHT = 18

function Line({ looks }: { readonly looks: readonly Look[] }) {
  const trend = trendOf(looks)
  if (!trend) return null
  const time = duration(trend.time)
  return (
    <p className="health-trend faint">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
        <polyline points={lineOf(looks, WIDTH, HEIGHT)} />
      </svg>
      {trend.way === 'level' ? t.health.trend.level(time) : t.health.trend[trend.way](trend.points, time)}
    </p>
  )
}
