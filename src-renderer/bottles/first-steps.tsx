import { useState } from 'react'
import type { EngineReport } from '../../src-preload/contract/entities.ts'
import { useEngineCheck } from '../engines/use-engine-check.ts'
import { useApp, useModel } from '../state/app.ts'
import { type Draft, emptyDraft } from '../state/view.ts'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { Icon, type IconName } from '../ui/icons.tsx'
import { Command } from '../ui/pieces.tsx'
import { Iceberg } from './iceberg.tsx'

type Situation = 'ready' | 'missing' | 'down' | 'unknown'

/** The container engine that best tells why there is none: a stopped one says more than an absent one. */
function situationOf(engines: readonly EngineReport[]): {
  readonly kind: Situation
  readonly engine: EngineReport | null
} {
  const containers = engines.filter((engine) => engine.name !== 'host')
  for (const kind of ['ready', 'down', 'unknown', 'missing'] as const) {
    const engine = containers.find((item) => item.state === kind)
    if (engine) return { kind, engine }
  }
  return { kind: 'ready', engine: null }
}

/** The Bottles screen while there is none: what to do first, which depends on the engines. */
export function FirstSteps() {
  const engines = useModel((model) => model.engines)
  const { kind, engine } = situationOf(engines)
  const name = engine ? plainName(engine) : ''
  const words = {
    ready: [t.empty.noneTitle, t.empty.noneText],
    missing: [t.empty.missingTitle, t.empty.missingText],
    down: [t.empty.downTitle(name), t.empty.downText],
    unknown: [t.empty.unknownTitle(name), t.empty.unknownText],
  }[kind]
  return (
    <main className="first scroll">
      <div className="first-inner">
        <Iceberg isCold={kind === 'ready'} />
        <h1>{words[0]}</h1>
        <p className="first-text">{words[1]}</p>
        <Templates hasEngine={kind === 'ready'} />
        <ImportHint />
        {kind !== 'ready' && (
          <EngineHelp engines={engines.filter((item) => item.name !== 'host' && canHelp(item))} />
        )}
      </div>
    </main>
  )
}

/** An engine that can't be had on this kind of machine is no way out. */
function canHelp({ state, fix }: EngineReport): boolean {
  return state !== 'ready' && (state !== 'missing' || fix !== null)
}

function ImportHint() {
  const { transfer } = useApp()
  return (
    <p className="faint first-import">
      {t.artifact.orImport}
      <Button kind="link" onClick={() => void transfer.pickImports()}>
        {t.artifact.chooseFile}
      </Button>
    </p>
  )
}

/** "Docker 20.10.24" says too much for a sentence. */
function plainName(engine: EngineReport): string {
  return t.backend[engine.name] ?? engine.title
}

function Templates({ hasEngine }: { readonly hasEngine: boolean }) {
  const app = useApp()
  const [isStarting, setStarting] = useState(false)
  const host = useModel((model) => model.engines.find((engine) => engine.name === 'host'))
  const hasTerminals = host?.capabilities.interactive === true
  const open = (draft: Partial<Draft>) =>
    app.view.update((now) => ({ ...now, overlay: { kind: 'new' }, draft: { ...emptyDraft, ...draft } }))
  const sample = async () => {
    setStarting(true)
    await startSample(app, hasTerminals)
    setStarting(false)
  }
  const cards: readonly (readonly [IconName, string, string, () => void, boolean])[] = [
    ['bottle', t.empty.sample, t.empty.sampleText, () => void sample(), isStarting],
    ['agent', t.empty.agent, t.empty.agentText, () => open(hasEngine ? {} : { backend: 'host' }), false],
    [
      'folder',
      t.empty.folder,
      t.empty.folderText,
      () => open({ copyCwd: true, ...(hasEngine ? {} : { backend: 'host' }) }),
      false,
    ],
  ]
  return (
    <ul className="templates">
      {cards.map(([icon, title, text, run, isBusy], index) => (
        <li key={title}>
          <button
            type="button"
            className={`template ${index === 0 ? 'first-choice' : ''}`}
            aria-busy={isBusy || undefined}
            onClick={isBusy ? undefined : run}
          >
            <span className="template-mark">
              <Icon name={isBusy ? 'busy' : icon} className={isBusy ? 'spin' : ''} />
            </span>
            <strong>{title}</strong>
            <span>{text}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}

/** Adds the sample agent where it is missing and starts it on this machine, in a terminal where it has them. */
async function startSample(app: ReturnType<typeof useApp>, hasTerminals: boolean): Promise<void> {
  app.view.update((now) => ({
    ...now,
    detailTab: hasTerminals ? 'terminal' : 'logs',
    isDetailOpen: true,
    isTerminalWanted: hasTerminals,
  }))
  const sample = await app.bridge.call('agent:sample', {})
  if (!sample.ok) {
    app.toasts.add({
      tone: 'bad',
      title: t.failed.sample,
      text: sample.error.message,
      detail: sample.error.detail ?? null,
      actions: [],
    })
    return
  }
  const started = await app.operations.start({
    agent: sample.value.agent,
    backend: 'host',
    ...(hasTerminals ? { interactive: true } : { interactive: false, prompt: t.empty.samplePrompt }),
  })
  if (!started.ok) {
    app.toasts.add({
      tone: 'bad',
      title: t.failed.sample,
      text: started.error.message,
      detail: started.error.detail ?? null,
      actions: [],
    })
  }
}

function EngineHelp({ engines }: { readonly engines: readonly EngineReport[] }) {
  const { isChecking, check } = useEngineCheck()
  return (
    <section className="engine-help">
      <header>
        <h2>{t.section.engines}</h2>
        <Button icon="restart" isBusy={isChecking} onClick={() => void check()}>
          {t.action.checkAgain}
        </Button>
      </header>
      <ul>
        {engines.map((engine) => (
          <li key={engine.name}>
            <div className="engine-help-name">
              <strong>{engine.title}</strong>
              <span className="faint">{engine.reason ?? t.engines.state[engine.state]}</span>
            </div>
            {engine.fix && (
              <>
                <span className="faint small">
                  {engine.state === 'missing' ? t.empty.install : t.empty.start}
                </span>
                <Command text={engine.fix} />
              </>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}
