import { useState } from 'react'
import type { CallResult } from '../../src-preload/contract/calls.ts'
import { useApp, useModel } from '../state/app.ts'
import type { Draft } from '../state/view.ts'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { capital } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'

type Definitions = CallResult<'agent:list'>

/** Chooses the agent: radio cards with what each is; broken definitions are shown with their error. */
export function AgentPicker(props: {
  readonly definitions: Definitions | null
  readonly draft: Draft
  readonly onChange: (next: Partial<Draft>) => void
  readonly onAdded: (definitions: Definitions) => void
}) {
  const agents = props.definitions?.agents
  if (agents?.length === 0) return <NoAgents onAdded={props.onAdded} />
  return (
    <fieldset className="agents">
      <legend>{t.newBottle.agent}</legend>
      <div className="agent-cards scroll">
        {!agents && <div className="agent-card waiting" aria-hidden="true" />}
        {agents?.map((agent) => (
          <label
            key={agent.name}
            className="agent-card"
            data-on={agent.name === props.draft.agent || undefined}
            data-broken={agent.problem !== null || undefined}
            title={agent.file}
          >
            <input
              type="radio"
              name="agent"
              className="hidden-but-read"
              value={agent.name}
              checked={agent.name === props.draft.agent}
              disabled={agent.problem !== null}
              onChange={() => props.onChange({ agent: agent.name })}
            />
            <Icon name={agent.problem ? 'warning' : 'agent'} />
            <span className="agent-card-words">
              <strong className="one-line">{agent.name}</strong>
              <span className="one-line">
                {agent.problem ?? (agent.description || t.agents.source[agent.source])}
              </span>
            </span>
            <span className="badge">{t.provider[agent.provider] ?? capital(agent.provider)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

function NoAgents({ onAdded }: { readonly onAdded: (definitions: Definitions) => void }) {
  const { bridge, toasts } = useApp()
  const home = useModel((model) => model.home)
  const [isAdding, setAdding] = useState(false)
  const add = async () => {
    setAdding(true)
    const added = await bridge.call('agent:sample', {})
    const listed = added.ok ? await bridge.call('agent:list', {}) : added
    setAdding(false)
    if (!listed.ok) {
      toasts.add({
        tone: 'bad',
        title: t.failed.sample,
        text: listed.error.message,
        detail: listed.error.detail ?? null,
        actions: [],
      })
    } else if ('agents' in listed.value) onAdded(listed.value)
  }
  return (
    <div className="no-agents">
      <strong>{t.newBottle.noAgents}</strong>
      <p>
        {t.newBottle.noAgentsText} <code>{home}/agents</code>
      </p>
      <Button icon="plus" isBusy={isAdding} onClick={() => void add()}>
        {t.newBottle.addSample}
      </Button>
    </div>
  )
}
