import { useDeferredValue, useMemo } from 'react'
import { useChangeView, useModel, useView } from '../state/app.ts'
import { Blank } from '../ui/blank.tsx'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { BottleList } from './bottle-list.tsx'
import { BulkBar } from './bulk-bar.tsx'
import { chooseBottles, countTabs } from './choose-bottles.ts'
import { DetailPane } from './detail-pane.tsx'
import { FirstSteps } from './first-steps.tsx'
import { ListToolbar } from './list-toolbar.tsx'
import { useTerminalWish } from './use-terminal-wish.ts'

/** The list of bottles and, beside it, the detail of one. */
export function BottlesScreen() {
  const bottles = useModel((model) => model.bottleList)
  const byName = useModel((model) => model.bottles)
  const tab = useView((view) => view.tab)
  const query = useDeferredValue(useView((view) => view.query))
  const engine = useView((view) => view.engine)
  const agent = useView((view) => view.agent)
  const sort = useView((view) => view.sort)
  const wanted = useView((view) => view.current)
  const isDetailOpen = useView((view) => view.isDetailOpen)
  const counts = useMemo(() => countTabs(bottles), [bottles])
  const chosen = useMemo(
    () => chooseBottles(bottles, { tab, query, engine, agent, sort }),
    [bottles, tab, query, engine, agent, sort],
  )
  useTerminalWish()
  if (bottles.length === 0) return <FirstSteps />
  const current = (wanted ? byName.get(wanted) : undefined) ?? chosen[0]
  return (
    <div className="bottles" data-detail={(isDetailOpen && current !== undefined) || undefined}>
      <main className="list-side">
        <ListToolbar bottles={bottles} counts={counts} />
        <p className="hidden-but-read" role="status">
          {t.list.shown(chosen.length)}
        </p>
        {chosen.length > 0 ? <BottleList bottles={chosen} current={current} /> : <NoHit query={query} />}
        <BulkBar bottles={chosen} />
      </main>
      {isDetailOpen && current && <DetailPane key={current.slug} bottle={current} />}
    </div>
  )
}

function NoHit({ query }: { readonly query: string }) {
  const change = useChangeView()
  return (
    <Blank icon="search" title={t.list.noHit} text={t.list.noHitText(query)}>
      <Button onClick={() => change({ query: '', engine: '', agent: '', tab: 'all' })}>
        {t.action.clearFilter}
      </Button>
    </Blank>
  )
}
