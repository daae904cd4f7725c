import { lazy, Suspense, useRef, useState } from 'react'
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components'
import type { Bottle } from '../../src-preload/contract/entities.ts'
import { ChangesTab } from '../changes/changes-tab.tsx'
import { TimelineTab } from '../snapshots/timeline-tab.tsx'
import { useApp, useChangeView, useModel, useView } from '../state/app.ts'
import { useStore } from '../state/create-store.ts'
import { useDetail } from '../state/details.ts'
import { DETAIL_TABS, type DetailTab } from '../state/view.ts'
import { TaskStrip } from '../tasks/task-strip.tsx'
import { Button, IconButton } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { duration } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { useNow } from '../ui/use-now.ts'
import { agentName, backendName, isActive, labelColor, lookOf, sentenceOf } from './bottle-look.ts'
import { BottleMenu } from './bottle-menu.tsx'
import { type Verb, verbsOf } from './bottle-verbs.ts'
import { OverviewTab } from './overview-tab.tsx'
import { StatePill } from './state-pill.tsx'

const TerminalTab = lazy(() =>
  import('./terminal-tab.tsx').then((module) => ({ default: module.TerminalTab })),
)
const HealthTab = lazy(() =>
  import('../health/health-tab.tsx').then((module) => ({ default: module.HealthTab })),
)
const LogsTab = lazy(() => import('./logs-tab.tsx').then((module) => ({ default: module.LogsTab })))

/** All about one bottle, at the right of the list. */
export function DetailPane({ bottle }: { readonly bottle: Bottle }) {
  const app = useApp()
  const change = useChangeView()
  const detailTab = useView((view) => view.detailTab)
  const task = useModel((model) => model.activeTasks.get(bottle.slug))
  const sideTask = useModel((model) => model.sideTasks.get(bottle.slug))
  const asked = useStore(app.asked, (all) => all.get(bottle.slug))
  const entry = useDetail(bottle)
  const doing = task?.kind ?? asked ?? null
  const color = labelColor(bottle.color)
  return (
    <aside className="detail" aria-label={t.detail.label}>
      <header className="detail-head">
        <div className="detail-title">
          {color && <i className="label-dot" style={{ background: color }} title={bottle.color} />}
          <h2 className="one-line selectable">{bottle.slug}</h2>
          <StatePill look={lookOf(bottle, doing)} />
          <IconButton
            icon="close"
            label={t.action.hideDetail}
            className="detail-close"
            onClick={() => change({ isDetailOpen: false })}
          />
        </div>
        <Subtitle bottle={bottle} />
        <Badges bottle={bottle} />
        <Actions bottle={bottle} doing={doing} />
      </header>
      {task && <TaskStrip task={task} />}
      {sideTask && <TaskStrip task={sideTask} />}
      <Tabs
        className="detail-tabs"
        selectedKey={detailTab}
        onSelectionChange={(key) => change({ detailTab: key as DetailTab })}
      >
        <TabList className="tab-list" aria-label={t.detail.label}>
          {DETAIL_TABS.map((tab) => (
            <Tab key={tab} id={tab} className="tab">
              {t.detailTab[tab]}
              {tab === 'timeline' && bottle.snapshots > 0 && (
                <span className="count number"> {bottle.snapshots}</span>
              )}
            </Tab>
          ))}
        </TabList>
        <TabPanel id="overview" className="tab-panel scroll">
          <OverviewTab bottle={bottle} entry={entry} />
        </TabPanel>
        <TabPanel id="terminal" className="tab-panel filled">
          <Suspense fallback={<p className="tab-wait faint">{t.terminal.connecting}</p>}>
            <TerminalTab bottle={bottle} />
          </Suspense>
        </TabPanel>
        <TabPanel id="logs" className="tab-panel filled">
          <Suspense fallback={null}>
            <LogsTab bottle={bottle} runs={entry?.detail?.runs ?? []} />
          </Suspense>
        </TabPanel>
        <TabPanel id="timeline" className="tab-panel filled">
          <TimelineTab bottle={bottle} entry={entry} />
        </TabPanel>
        <TabPanel id="changes" className="tab-panel filled">
          <ChangesTab bottle={bottle} entry={entry} />
        </TabPanel>
        <TabPanel id="health" className="tab-panel scroll">
          <Suspense fallback={null}>
            <HealthTab bottle={bottle} />
          </Suspense>
        </TabPanel>
      </Tabs>
    </aside>
  )
}

const JUST = 10_000

function Subtitle({ bottle }: { readonly bottle: Bottle }) {
  const now = useNow(5000)
  const platform = useModel((model) => model.platform)
  const parts = [t.detail.inEngine(agentName(bottle), backendName(bottle.backend, platform))]
  if (isActive(bottle) && bottle.startedAt) {
    const passed = now - Date.parse(bottle.startedAt)
    parts.push(passed < JUST ? t.detail.justStarted : t.detail.running(duration(passed)))
  } else parts.push(sentenceOf(bottle))
  return <p className="detail-sub one-line">{parts.join(' · ')}</p>
}

function Badges({ bottle }: { readonly bottle: Bottle }) {
  if (bottle.badges.length === 0) return null
  return (
    <ul className="detail-badges">
      {bottle.badges.map((badge) => (
        <li key={badge} className={`badge-line ${badge}`}>
          <Icon name={badge === 'adopted' || badge === 'legacy' ? 'info' : 'warning'} />
          <span>{t.badgeHint[badge]}</span>
        </li>
      ))}
    </ul>
  )
}

/** The most likely verb first, as a filled button; the rest of the verbs in the menu. */
function Actions({ bottle, doing }: { readonly bottle: Bottle; readonly doing: string | null }) {
  const app = useApp()
  const more = useRef<HTMLButtonElement>(null)
  const [isMenuOpen, setMenuOpen] = useState(false)
  const verbs = verbsOf(app, bottle, doing)
  const wanted: readonly Verb['id'][] = isActive(bottle)
    ? ['freeze', 'terminal', 'stop']
    : ['resume', bottle.state === 'frozen' ? 'fork' : 'freeze', 'logs']
  const shown = wanted.flatMap((id) => verbs.find((verb) => verb.id === id) ?? [])
  return (
    <div className="detail-actions">
      {shown.map((verb, index) => (
        <Button
          key={verb.id}
          kind={index === 0 && verb.id !== 'logs' ? 'primary' : 'plain'}
          icon={verb.icon}
          isBusy={verb.isBusy}
          disabled={verb.isDisabled && !verb.isBusy}
          title={verb.keys}
          onClick={verb.run}
        >
          {verb.label.replace('…', '')}
        </Button>
      ))}
      <button
        ref={more}
        type="button"
        className="icon-button framed"
        aria-label={t.action.more}
        title={t.action.more}
        aria-haspopup="menu"
        aria-expanded={isMenuOpen}
        onClick={() => setMenuOpen(true)}
      >
        <Icon name="more" />
      </button>
      {isMenuOpen && more.current && (
        <BottleMenu bottle={bottle} anchor={more.current} point={null} onClose={() => setMenuOpen(false)} />
      )}
    </div>
  )
}
