import { useCallback, useEffect, useState } from 'react'
import type { CallResult } from '../../src-preload/contract/calls.ts'
import type { ManifestSummary } from '../../src-preload/contract/entities.ts'
import type { Failure } from '../../src-preload/contract/errors.ts'
import { useApp, useModel } from '../state/app.ts'
import { emptyDraft } from '../state/view.ts'
import { Blank } from '../ui/blank.tsx'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { capital } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { Page } from '../ui/page.tsx'
import { Problem } from '../ui/pieces.tsx'

/** The definitions of agents and bottles: what each is, where it comes from, what is wrong with it. */
export function AgentsScreen() {
  const { bridge } = useApp()
  const home = useModel((model) => model.home)
  const [found, setFound] = useState<CallResult<'agent:list'> | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const [isBusy, setBusy] = useState(false)
  const read = useCallback(async () => {
    setBusy(true)
    const result = await bridge.call('agent:list', {})
    setBusy(false)
    if (result.ok) setFound(result.value)
    setFailure(result.ok ? null : result.error)
  }, [bridge])
  useEffect(() => void read(), [read])
  const addSample = async () => {
    const added = await bridge.call('agent:sample', {})
    if (added.ok) await read()
    else setFailure(added.error)
  }
  return (
    <Page
      title={t.section.agents}
      lead={t.agents.lead}
      actions={
        <Button icon="restart" isBusy={isBusy} onClick={() => void read()}>
          {t.agents.retry}
        </Button>
      }
    >
      {failure && <Problem title={t.agents.failed} text={failure.message} detail={failure.detail ?? null} />}
      {found?.agents.length === 0 && (
        <Blank
          isSmall
          icon="agent"
          title={t.agents.none}
          text={
            <>
              {t.agents.noneText} <code>{home}/agents</code>
            </>
          }
        >
          <Button kind="primary" icon="plus" onClick={() => void addSample()}>
            {t.newBottle.addSample}
          </Button>
        </Blank>
      )}
      {found && found.agents.length > 0 && (
        <ul className="cards">
          {found.agents.map((agent) => (
            <DefinitionCard key={`${agent.source}${agent.name}`} definition={agent} />
          ))}
        </ul>
      )}
      {found && found.agents.length > 0 && (
        <section className="page-section">
          <h2>{t.agents.bottles}</h2>
          {found.bottles.length === 0 ? (
            <p className="faint">{t.agents.noBottles}</p>
          ) : (
            <ul className="cards">
              {found.bottles.map((bottle) => (
                <DefinitionCard key={bottle.name} definition={bottle} />
              ))}
            </ul>
          )}
        </section>
      )}
    </Page>
  )
}

function DefinitionCard({ definition }: { readonly definition: ManifestSummary }) {
  const app = useApp()
  const { life } = definition
  const isAgent = definition.kind === 'agent'
  const use = () =>
    app.view.update((view) => ({
      ...view,
      overlay: { kind: 'new' },
      draft: { ...emptyDraft, agent: definition.name },
    }))
  return (
    <li className="card">
      <header className="card-head">
        <span className="card-mark">
          <Icon name={isAgent ? 'agent' : 'bottle'} />
        </span>
        <div>
          <h2>{definition.name}</h2>
          {definition.description && <p className="soft">{definition.description}</p>}
          <p className="faint small one-line selectable" title={definition.file}>
            {[
              t.agents.source[definition.source],
              definition.bottle && `${t.agents.uses} ${definition.bottle}`,
              life?.runtime && t.agents.runtime[life.runtime],
              life && life.hooks > 0 && t.agents.hooks(life.hooks),
            ]
              .filter(Boolean)
              .join(' · ')}{' '}
            · <span className="mono">{definition.file}</span>
          </p>
        </div>
        {life?.supervised && (
          <span className="badge run" title={t.agents.supervisedHint}>
            <Icon name="heart" />
            {t.agents.supervised}
          </span>
        )}
        {isAgent && definition.provider && (
          <span className="badge">{t.provider[definition.provider] ?? capital(definition.provider)}</span>
        )}
        {isAgent && !definition.problem && <Button onClick={use}>{t.action.useAgent}</Button>}
      </header>
      {definition.problem && <Problems first={definition.problem} all={definition.problems ?? []} />}
    </li>
  )
}

/** All that is wrong with a definition, each with its line. */
function Problems({ first, all }: { readonly first: string; readonly all: readonly string[] }) {
  if (all.length < 2) return <Problem text={first} />
  return (
    <Problem title={t.agents.problems(all.length)} text={first}>
      {all.slice(1).map((problem) => (
        <p key={problem} className="selectable">
          {problem}
        </p>
      ))}
    </Problem>
  )
}
