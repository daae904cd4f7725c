import type { RestartFacts } from '../../src-preload/contract/agents.ts'
import type { Bottle } from '../../src-preload/contract/entities.ts'
import { canResume, doingOf } from '../bottles/bottle-verbs.ts'
import { useApp, useModel } from '../state/app.ts'
import { useStore } from '../state/create-store.ts'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { moment } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { useNow } from '../ui/use-now.ts'
import { until } from './until.ts'

/** Restarts by rule: how many, when the next one is due, and that it was given up, with the way on. */
export function RestartsPart(props: { readonly bottle: Bottle; readonly restarts: RestartFacts }) {
  const { bottle, restarts } = props
  const app = useApp()
  const now = useNow(1000)
  // Re-rendered as tasks begin and end.
  useModel((model) => model.activeTasks.get(bottle.slug))
  useStore(app.asked, (asked) => asked.get(bottle.slug))
  const isHeld = doingOf(app, bottle.slug) !== null
  const isFrozen = bottle.state === 'frozen'
  const canGo = isFrozen ? canResume(bottle) : ['running', 'stopped', 'failed'].includes(bottle.state)
  const { count, nextAt, gaveUp } = restarts
  const go = () => void (isFrozen ? app.operations.resume(bottle.slug) : app.operations.restart(bottle.slug))
  return (
    <section>
      <h3>{t.health.restarts}</h3>
      <p>
        {count === 0 ? t.health.restartsNone : t.health.restartsCount(count)}
        {nextAt && !gaveUp && (
          <span title={moment(nextAt)}>, {t.health.restartNext(until(nextAt, now))}</span>
        )}
        .
      </p>
      {gaveUp && (
        <div className="health-gave-up" role="status">
          <Icon name="warning" />
          <p>
            <strong>{t.health.gaveUp}</strong>
            <span className="selectable">{gaveUp}</span>
          </p>
        </div>
      )}
      {(gaveUp || nextAt) && canGo && (
        <Button icon="restart" isBusy={isHeld} onClick={go}>
          {isFrozen ? t.health.resumeNow : t.health.restartNow}
        </Button>
      )}
    </section>
  )
}
