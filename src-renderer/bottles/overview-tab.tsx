import type { ReactNode } from 'react'
import type { Bottle, BottleDetail, JournalEntry, RunInfo } from '../../src-preload/contract/entities.ts'
import { useApp, useChangeView, useModel } from '../state/app.ts'
import type { DetailEntry } from '../state/details.ts'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { age, bytes, capital, duration, moment } from '../ui/format.ts'
import { Icon, type IconName } from '../ui/icons.tsx'
import { CopyButton, Problem } from '../ui/pieces.tsx'
import { useNow } from '../ui/use-now.ts'
import { backendName } from './bottle-look.ts'

/** What a bottle is, its runs and what happened to it. */
export function OverviewTab({
  bottle,
  entry,
}: {
  readonly bottle: Bottle
  readonly entry: DetailEntry | undefined
}) {
  const { details } = useApp()
  const detail = entry?.detail
  return (
    <div className="overview">
      {entry?.failure && (
        <Problem title={t.detail.failed} text={entry.failure.message} detail={entry.failure.detail ?? null}>
          <Button onClick={() => void details.load(bottle.slug)}>{t.action.tryAgain}</Button>
        </Problem>
      )}
      {detail && detail.notices.length > 0 && (
        <ul className="notices">
          {detail.notices.map((notice) => (
            <li key={notice}>
              <Icon name="info" />
              <span className="selectable">{notice}</span>
            </li>
          ))}
        </ul>
      )}
      <Facts bottle={bottle} detail={detail ?? null} />
      {detail && <Runs runs={detail.runs} />}
      {detail && <Journal entries={detail.journal} />}
    </div>
  )
}

function Facts({ bottle, detail }: { readonly bottle: Bottle; readonly detail: BottleDetail | null }) {
  const change = useChangeView()
  const platform = useModel((model) => model.platform)
  const now = useNow(30_000)
  const current = detail?.tree.find((snapshot) => snapshot.id === bottle.currentSnapshot)
  return (
    <section>
      <h3>{t.detail.facts}</h3>
      <dl className="facts">
        <Fact name={t.detail.agent}>
          {bottle.agent}
          {bottle.provider && (
            <span className="faint"> · {t.provider[bottle.provider] ?? bottle.provider}</span>
          )}
        </Fact>
        <Fact name={t.detail.engine}>{bottle.engine || backendName(bottle.backend, platform)}</Fact>
        <Fact name={t.detail.current}>
          {bottle.currentSnapshot ? (
            <button type="button" className="fact-link" onClick={() => change({ detailTab: 'timeline' })}>
              {current?.note ||
                current?.label ||
                (bottle.lastFrozenAt && age(bottle.lastFrozenAt, now)) ||
                bottle.currentSnapshot}
              {bottle.bytes !== null && <span className="faint number"> · {bytes(bottle.bytes)}</span>}
            </button>
          ) : (
            <span className="faint">{t.detail.noSnapshot}</span>
          )}
        </Fact>
        <Fact name={t.detail.network}>
          <span className={bottle.policy === 'unenforced' ? 'bad-word' : ''}>
            {t.detail.policy[bottle.policy]}
          </span>
        </Fact>
        {bottle.label && bottle.label !== bottle.slug && <Fact name={t.detail.label2}>{bottle.label}</Fact>}
        {detail?.cwd && (
          <Fact name={t.detail.folder}>
            <span className="path" title={detail.cwd}>
              {detail.cwd}
            </span>
            {detail.copyCwd && <span className="faint"> · {t.detail.copied}</span>}
          </Fact>
        )}
        {detail && detail.bottleNames.length > 0 && (
          <Fact name={t.detail.definitions}>{detail.bottleNames.join(', ')}</Fact>
        )}
        {detail && detail.secretNames.length > 0 && (
          <Fact name={t.detail.secrets}>{detail.secretNames.join(', ')}</Fact>
        )}
        {detail?.runtime && (
          <Fact name={t.detail.runtime}>
            <span title={detail.runtime.id}>{detail.runtime.name || detail.runtime.id.slice(0, 12)}</span>
          </Fact>
        )}
        {detail && (
          <Fact name={t.detail.state}>
            <span className="path" title={detail.stateDir}>
              {detail.stateDir}
            </span>
            <CopyButton text={detail.stateDir} />
          </Fact>
        )}
      </dl>
    </section>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function runIcon(run: RunInfo, hasFailed: boolean, wasStopped: boolean): IconName {
  if (run.endedAt === null) return 'play'
  if (hasFailed) return 'cross'
  if (wasStopped) return 'stop'
  return run.exitCode === 0 ? 'check' : 'question'
}

/** What a run ends with when somebody stopped it: interrupt and terminate. */
const STOP_CODES: ReadonlySet<number> = new Set([130, 143])

function Runs({ runs }: { readonly runs: readonly RunInfo[] }) {
  const now = useNow(15_000)
  if (runs.length === 0) return null
  const newest = [...runs].sort((a, b) => b.startedAt.localeCompare(a.startedAt)).slice(0, 8)
  return (
    <section>
      <h3>
        {t.detail.runs} <span className="count number">{runs.length}</span>
      </h3>
      <ul className="lines">
        {newest.map((run) => {
          const end = run.endedAt ? Date.parse(run.endedAt) : now
          const wasStopped = run.exitCode !== null && STOP_CODES.has(run.exitCode)
          const hasFailed = run.exitCode !== null && run.exitCode !== 0 && !wasStopped
          return (
            <li key={run.id}>
              <Icon
                name={runIcon(run, hasFailed, wasStopped)}
                className={run.endedAt === null ? 'run-mark' : hasFailed ? 'bad-mark' : ''}
              />
              <span>
                {run.endedAt === null
                  ? t.detail.runNow
                  : run.exitCode === null
                    ? t.detail.runLost
                    : hasFailed
                      ? t.detail.runFailed(run.exitCode)
                      : wasStopped
                        ? t.detail.runStopped
                        : t.detail.runOk}
              </span>
              <span className="faint">{run.interactive ? t.detail.interactive : t.detail.headless}</span>
              <span className="faint number line-end" title={moment(run.startedAt)}>
                {age(run.startedAt, now)} · {duration(end - Date.parse(run.startedAt))}
              </span>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

const OUTCOME: Readonly<Record<JournalEntry['outcome'], IconName>> = {
  started: 'right',
  done: 'check',
  failed: 'cross',
  cancelled: 'close',
  recovered: 'undo',
  notice: 'info',
}

function Journal({ entries }: { readonly entries: readonly JournalEntry[] }) {
  const now = useNow(30_000)
  if (entries.length === 0) return null
  const newest = [...entries].sort((a, b) => b.at.localeCompare(a.at)).slice(0, 30)
  return (
    <section>
      <h3>{t.detail.journal}</h3>
      <ul className="lines">
        {newest.map((entry) => (
          <li key={`${entry.at}${entry.op}${entry.outcome}${entry.message}`}>
            <Icon name={OUTCOME[entry.outcome]} className={entry.outcome === 'failed' ? 'bad-mark' : ''} />
            <span className="selectable line-text">
              {capital(entry.message || `${entry.op} ${entry.outcome}`)}
            </span>
            <span className="faint number line-end" title={moment(entry.at)}>
              {age(entry.at, now)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
