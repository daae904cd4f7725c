import { useEffect, useMemo, useRef, useState } from 'react'
import type { Bottle } from '../../src-preload/contract/entities.ts'
import { chordText } from '../palette/keys.ts'
import { useApp, useChangeView, useModel, useView } from '../state/app.ts'
import { LIST_TABS, type ListTab } from '../state/view.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { Icon } from '../ui/icons.tsx'
import { Segmented } from '../ui/pieces.tsx'
import { PopMenu } from '../ui/pop-menu.tsx'
import { agentChoices } from './agent-look.ts'
import { backendName } from './bottle-look.ts'
import { canFreeze, doingOf } from './bottle-verbs.ts'

/** Title, search and the buttons that concern the whole list, with the tabs below. */
export function ListToolbar(props: {
  readonly bottles: readonly Bottle[]
  readonly counts: Readonly<Record<ListTab, number>>
}) {
  const app = useApp()
  const change = useChangeView()
  const tab = useView((view) => view.tab)
  const isSearchOpen = useView((view) => view.isSearchOpen || view.query !== '')
  const more = useRef<HTMLButtonElement>(null)
  const [isMoreOpen, setMoreOpen] = useState(false)
  const running = props.bottles.filter((bottle) => bottle.state === 'running' && canFreeze(bottle))
  const freezeAll = () => {
    for (const { slug } of running)
      if (!doingOf(app, slug)) void app.operations.freeze(slug, undefined, { mayAsk: false })
  }
  return (
    <header className="list-bar" data-searching={isSearchOpen || undefined}>
      <div className="list-bar-top">
        <h1>{t.section.bottles}</h1>
        <SearchField />
        <IconButton
          icon="search"
          label={t.action.search}
          className="search-open"
          onClick={() => change({ isSearchOpen: true })}
        />
        <Button className="wide-only" onClick={freezeAll} disabled={running.length === 0}>
          {t.action.freezeAll}
        </Button>
        <button
          ref={more}
          type="button"
          className="icon-button narrow-only"
          aria-label={t.action.more}
          aria-haspopup="menu"
          onClick={() => setMoreOpen(true)}
        >
          <Icon name="more" />
        </button>
        <NewButton />
        {isMoreOpen && (
          <PopMenu
            label={t.action.more}
            anchor={more}
            onClose={() => setMoreOpen(false)}
            entries={[
              {
                id: 'all',
                label: t.action.freezeAll,
                icon: 'snow',
                isDisabled: running.length === 0,
                run: freezeAll,
              },
            ]}
          />
        )}
      </div>
      <div className="list-bar-tabs">
        <Segmented
          className="tabs"
          label={t.tabs}
          value={tab}
          onChange={(next) => change({ tab: next })}
          options={LIST_TABS.map((value) => ({
            value,
            label: (
              <>
                {t.tab[value]} <span className="count number">{props.counts[value]}</span>
              </>
            ),
          }))}
        />
        <div className="list-filters">
          <AgentFilter bottles={props.bottles} />
          <EngineFilter bottles={props.bottles} />
        </div>
      </div>
    </header>
  )
}

/** A new bottle, or one from a file or a registry. */
function NewButton() {
  const { transfer } = useApp()
  const change = useChangeView()
  const more = useRef<HTMLButtonElement>(null)
  const [isOpen, setOpen] = useState(false)
  return (
    <div className="split">
      <Button kind="primary" icon="plus" onClick={() => change({ overlay: { kind: 'new' } })}>
        {t.action.newBottle}
      </Button>
      <button
        ref={more}
        type="button"
        className="icon-button split-more"
        aria-label={t.artifact.newMenu}
        title={t.artifact.newMenu}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => setOpen(true)}
      >
        <Icon name="down" />
      </button>
      {isOpen && (
        <PopMenu
          label={t.artifact.newMenu}
          anchor={more}
          onClose={() => setOpen(false)}
          entries={[
            {
              id: 'import',
              label: t.artifact.import,
              icon: 'import',
              run: () => void transfer.pickImports(),
            },
            {
              id: 'pull',
              label: t.artifact.pull,
              icon: 'follow',
              run: () => change({ overlay: { kind: 'pull' } }),
            },
          ]}
        />
      )}
    </div>
  )
}

function SearchField() {
  const query = useView((view) => view.query)
  const isSearchOpen = useView((view) => view.isSearchOpen)
  const change = useChangeView()
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (isSearchOpen) input.current?.select()
  }, [isSearchOpen])
  return (
    <search className="search">
      <Icon name="search" />
      <input
        ref={input}
        type="text"
        id="bottle-search"
        value={query}
        placeholder={t.list.search}
        aria-label={t.list.search}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => change({ query: event.target.value })}
        onBlur={() => change({ isSearchOpen: false })}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            event.stopPropagation()
            change({ query: '', isSearchOpen: false })
            event.currentTarget.blur()
          } else if (event.key === 'ArrowDown' || event.key === 'Enter') {
            event.preventDefault()
            document.querySelector<HTMLElement>('.list .row[tabindex="0"]')?.focus()
          }
        }}
      />
      {query ? (
        <IconButton icon="close" label={t.action.clearFilter} onClick={() => change({ query: '' })} />
      ) : (
        <kbd>{chordText('mod+f')}</kbd>
      )}
    </search>
  )
}

function EngineFilter({ bottles }: { readonly bottles: readonly Bottle[] }) {
  const engine = useView((view) => view.engine)
  const platform = useModel((model) => model.platform)
  const change = useChangeView()
  const backends = [...new Set(bottles.map((bottle) => bottle.backend))].sort()
  if (backends.length < 2 && !engine) return null
  return (
    <select
      className="select quiet list-filter"
      aria-label={t.list.engineFilter}
      value={engine}
      onChange={(event) => change({ engine: event.target.value })}
    >
      <option value="">{t.list.allEngines}</option>
      {backends.map((backend) => (
        <option key={backend} value={backend}>
          {backendName(backend, platform)}
        </option>
      ))}
    </select>
  )
}

/** Only bottles whose agent is in a state, of a name or of a model. */
function AgentFilter({ bottles }: { readonly bottles: readonly Bottle[] }) {
  const agent = useView((view) => view.agent)
  const change = useChangeView()
  const choices = useMemo(() => agentChoices(bottles), [bottles])
  const count = choices.states.length + choices.agents.length + choices.models.length
  if (count < 3 && !agent) return null
  return (
    <select
      className="select quiet list-filter"
      aria-label={t.list.agentFilter}
      value={agent}
      onChange={(event) => change({ agent: event.target.value })}
    >
      <option value="">{t.list.allAgents}</option>
      {(['states', 'agents', 'models'] as const).map(
        (kind) =>
          choices[kind].length > 0 && (
            <optgroup key={kind} label={t.list.agentKinds[kind]}>
              {choices[kind].map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </optgroup>
          ),
      )}
    </select>
  )
}
