import type { Tri } from '../../src-preload/contract/agents.ts'
import { t } from '../ui/en.ts'
import { Icon, type IconName } from '../ui/icons.tsx'
import { SIGNALS, type SignalName, toneOf } from './read-status.ts'

const SHAPES: Readonly<Record<Tri, IconName>> = { yes: 'check', no: 'minus', unknown: 'question' }

/** The six questions about an agent, each answered yes, no or unknown by shape and word. */
export function Signals({ signals }: { readonly signals: Readonly<Record<SignalName, Tri>> }) {
  return (
    <section>
      <h3>{t.health.signals}</h3>
      <dl className="signals">
        {SIGNALS.map((name) => {
          const answer = signals[name]
          return (
            <div key={name} title={t.health.signalHint[name]}>
              <dt>{t.health.signal[name]}</dt>
              <dd className={`signal ${toneOf(name, answer)}`} data-answer={answer}>
                <span className="signal-mark">
                  <Icon name={SHAPES[answer]} />
                </span>
                {t.health.tri[answer]}
              </dd>
            </div>
          )
        })}
      </dl>
    </section>
  )
}
