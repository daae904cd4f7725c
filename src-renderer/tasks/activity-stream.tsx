import { useMemo, useState } from 'react'
import type { ActivityEntry } from '../../src-preload/contract/agents.ts'
import { openDetail } from '../bottles/bottle-verbs.ts'
import { useApp, useModel } from '../state/app.ts'
import { Blank } from '../ui/blank.tsx'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { age, capital, moment } from '../ui/format.ts'
import { Icon, type IconName } from '../ui/icons.tsx'
import { Problem, Segmented } from '../ui/pieces.tsx'
import { useNow } from '../ui/use-now.ts'
import { ACTIVITY_KINDS, type ActivityKind, chooseActivity, keyed, kindOf } from './activity-kinds.ts'
import { useActivity } from './use-activity.ts'

const FEW = 100
const MANY = 500

/** What happened to all bottles, newest first, whoever did it: a person, a rule, a hook, another program. */
export function ActivityStream({ isAlone }: { readonly isAlone: boolean }) {
  const [limit, setLimit] = useState(FEW)
  const { entries, failure } = useActivity(limit)
  const [kind, setKind] = useState<ActivityKind>('all')
  const [slug, setSlug] = useState('')
  const now = useNow(15_000)
  const slugs = useMemo(() => [...new Set(entries?.map((entry) => entry.slug))].sort(), [entries])
  const chosen = useMemo(() => keyed(chooseActivity(entries ?? [], kind, slug)), [entries, kind, slug])
  if (!entries)
    return (
      failure && <Problem title={t.activity.failed} text={failure.message} detail={failure.detail ?? null} />
    )
  if (entries.length === 0)
    return isAlone && <Blank icon="activity" title={t.activity.none} text={t.activity.noneText} />
  return (
    <section className="page-section">
      <header className="stream-head">
        <h2>{t.activity.happened}</h2>
        <Segmented
          label={t.activity.kindFilter}
          value={kind}
          onChange={setKind}
          options={ACTIVITY_KINDS.map((value) => ({ value, label: t.activity.kind[value] }))}
        />
        {(slugs.length > 1 || slug) && (
          <select
            className="select quiet"
            aria-label={t.activity.bottleFilter}
            value={slug}
            onChange={(event) => setSlug(event.target.value)}
          >
            <option value="">{t.activity.allBottles}</option>
            {slugs.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
      </header>
      {failure && (
        <Problem title={t.activity.failed} text={failure.message} detail={failure.detail ?? null} />
      )}
      {chosen.length === 0 ? (
        <Blank isSmall icon="search" title={t.activity.noHit} text={t.activity.noHitText}>
          <Button
            onClick={() => {
              setKind('all')
              setSlug('')
            }}
          >
            {t.action.clearFilter}
          </Button>
        </Blank>
      ) : (
        <ol className="cards tight stream">
          {chosen.map(({ key, entry }) => (
            <Happened key={key} entry={entry} now={now} />
          ))}
        </ol>
      )}
      {entries.length >= limit && limit < MANY && (
        <Button className="stream-more" onClick={() => setLimit(MANY)}>
          {t.activity.older}
        </Button>
      )}
    </section>
  )
}

const OUTCOMES: Readonly<Record<ActivityEntry['outcome'], readonly [IconName, string]>> = {
  started: ['right', ''],
  done: ['check', ''],
  failed: ['cross', 'bad-mark'],
  cancelled: ['close', ''],
  recovered: ['undo', ''],
  notice: ['info', 'accent-mark'],
}
const KIND_ICONS: Readonly<Partial<Record<ActivityKind, IconName>>> = {
  freeze: 'snow',
  hook: 'hook',
  care: 'heart',
}

function Happened({ entry, now }: { readonly entry: ActivityEntry; readonly now: number }) {
  const app = useApp()
  const isThere = useModel((model) => model.bottles.has(entry.slug))
  const [outcome, mark] = OUTCOMES[entry.outcome]
  const kind = kindOf(entry.op)
  // A failure shows by its own shape, whatever kind it is of.
  const icon =
    entry.outcome === 'done' || entry.outcome === 'notice' ? (KIND_ICONS[kind] ?? outcome) : outcome
  const tab = kind === 'hook' || kind === 'care' ? 'health' : kind === 'freeze' ? 'timeline' : 'overview'
  return (
    <li className="card line-card">
      <Icon name={icon} className={mark} />
      <div className="line-card-words">
        <span className="selectable stream-text">
          {capital(entry.message || `${entry.op} ${entry.outcome}`)}
        </span>
        {isThere ? (
          <button
            type="button"
            className="fact-link one-line"
            onClick={() => openDetail(app, entry.slug, tab)}
          >
            {entry.slug}
          </button>
        ) : (
          <span className="faint one-line">{entry.slug}</span>
        )}
      </div>
      <span className="faint number line-card-time" title={moment(entry.at)}>
        {age(entry.at, now)}
      </span>
    </li>
  )
}
