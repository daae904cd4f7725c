import { useEffect, useState } from 'react'
import type { BackendName, Difference, StartPlan } from '../../src-preload/contract/entities.ts'
import type { Failure } from '../../src-preload/contract/errors.ts'
import { presentEngines } from '../engines/present-engines.ts'
import { useApp, useModel } from '../state/app.ts'
import { t } from '../ui/en.ts'
import { Icon } from '../ui/icons.tsx'
import { Problem, Segmented } from '../ui/pieces.tsx'
import { backendName } from './bottle-look.ts'

export interface ElsewhereTarget {
  readonly slug: string
  readonly snapshot: string | null
  readonly backend: BackendName | ''
}

export type ElsewherePlan =
  | { readonly state: 'none' }
  | { readonly state: 'asking' }
  | { readonly state: 'known'; readonly plan: StartPlan }
  | { readonly state: 'failed'; readonly failure: Failure }

/** What going on on another engine would be like; asked anew for each engine that is chosen. */
export function useElsewherePlan({ slug, snapshot, backend }: ElsewhereTarget): ElsewherePlan {
  const { bridge } = useApp()
  const [found, setFound] = useState<ElsewherePlan>({ state: 'none' })
  useEffect(() => {
    if (backend === '') return setFound({ state: 'none' })
    let isOver = false
    setFound({ state: 'asking' })
    const args = { slug, backend, ...(snapshot ? { snapshot } : {}) }
    void bridge.call('bottle:plan-resume', args).then((result) => {
      if (isOver) return
      setFound(
        result.ok ? { state: 'known', plan: result.value } : { state: 'failed', failure: result.error },
      )
    })
    return () => {
      isOver = true
    }
  }, [bridge, slug, snapshot, backend])
  return found
}

/** True when nothing stands against it, as far as is known. */
export function mayGo(plan: ElsewherePlan): boolean {
  return plan.state === 'known' && !(plan.plan.differences ?? []).some(({ blocks }) => blocks)
}

/** The engines that a bottle can go to; what can't be used stays in sight, greyed. */
export function EngineChoice(props: {
  readonly from: string
  readonly value: BackendName | ''
  /** A first choice that stays where it is. */
  readonly stay?: string
  readonly onChange: (backend: BackendName | '') => void
}) {
  const all = useModel((model) => model.engines)
  const platform = useModel((model) => model.platform)
  const engines = presentEngines(all, []).filter(({ name }) => name !== props.from)
  if (engines.length === 0) return <p className="soft">{t.elsewhere.noEngines}</p>
  return (
    <Segmented<BackendName | ''>
      label={t.newBottle.engine}
      value={props.value}
      onChange={props.onChange}
      options={[
        ...(props.stay === undefined ? [] : [{ value: '' as const, label: props.stay }]),
        ...engines.map((engine) => ({
          value: engine.name as BackendName,
          isDisabled: engine.state === 'missing',
          label: (
            <>
              <i className={`engine-dot ${engine.state}`} aria-hidden="true" />
              {backendName(engine.name, platform)}
            </>
          ),
        })),
      ]}
    />
  )
}

/** Everything that is not the same there, what stands against it first. */
export function Differences({ plan }: { readonly plan: ElsewherePlan }) {
  if (plan.state === 'none') return null
  if (plan.state === 'asking') return <p className="faint late">{t.elsewhere.looking}</p>
  if (plan.state === 'failed') {
    const { message, detail } = plan.failure
    return <Problem title={t.elsewhere.unknown} text={message} detail={detail ?? null} />
  }
  const { differences = [], notices } = plan.plan
  const blocking = differences.filter(({ blocks }) => blocks)
  const others = differences.filter(({ blocks }) => !blocks)
  return (
    <section className="differences" aria-label={t.elsewhere.differences} aria-live="polite">
      {blocking.length > 0 && <Problem title={t.elsewhere.blocked} text={blocking.map(textOf).join(' ')} />}
      {differences.length === 0 && <p className="soft">{t.elsewhere.same}</p>}
      <dl className="facts">
        {others.map((difference) => (
          <div key={difference.text}>
            <dt>{t.elsewhere.about[difference.about]}</dt>
            <dd>{difference.text}</dd>
          </div>
        ))}
      </dl>
      {notices.length > 0 && (
        <ul className="notices">
          {notices.map((notice) => (
            <li key={notice}>
              <Icon name="info" />
              <span>{notice}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

const textOf = ({ text }: Difference): string => text
