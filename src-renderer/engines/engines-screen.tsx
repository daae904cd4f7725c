import type { EngineReport } from '../../src-preload/contract/entities.ts'
import { backendName } from '../bottles/bottle-look.ts'
import { useModel } from '../state/app.ts'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { Icon } from '../ui/icons.tsx'
import { Page } from '../ui/page.tsx'
import { Command } from '../ui/pieces.tsx'
import { EngineMark } from './engine-mark.tsx'
import { useEngineCheck } from './use-engine-check.ts'

/** Every engine with its state, why it is so, and the command that mends it. */
export function EnginesScreen() {
  const engines = useModel((model) => model.engines)
  const { isChecking, check } = useEngineCheck()
  return (
    <Page
      title={t.section.engines}
      lead={t.engines.lead}
      actions={
        <Button icon="restart" isBusy={isChecking} onClick={() => void check()}>
          {t.action.checkAgain}
        </Button>
      }
    >
      {engines.length === 0 && <p className="faint">{t.engines.none}</p>}
      <ul className="cards">
        {engines.map((engine) => (
          <EngineCard key={engine.name} engine={engine} />
        ))}
      </ul>
    </Page>
  )
}

function EngineCard({ engine }: { readonly engine: EngineReport }) {
  const bottles = useModel((model) => model.bottleList)
  const platform = useModel((model) => model.platform)
  const count = bottles.filter((bottle) => bottle.backend === engine.name).length
  const abilities = Object.entries(engine.capabilities)
  return (
    <li className="card">
      <header className="card-head">
        <span className="card-mark">
          <Icon name={engine.name === 'host' ? 'terminal' : 'engine'} />
        </span>
        <div>
          <h2>{engine.title || backendName(engine.name, platform)}</h2>
          <p className="faint small">
            {t.engines.bottles(count)}
            {engine.endpoint && (
              <>
                {' · '}
                <span className="mono selectable">{engine.endpoint}</span>
              </>
            )}
            {engine.remote && ` · ${t.engines.remote}`}
          </p>
        </div>
        <EngineMark engine={engine} />
      </header>
      {engine.reason && <p className="selectable card-text">{engine.reason}</p>}
      {engine.fix && <Command text={engine.fix} />}
      {abilities.length > 0 && (
        <ul className="abilities" aria-label={t.engines.can}>
          {abilities.map(([name, isThere]) => (
            <li key={name} data-there={isThere || undefined}>
              <Icon name={isThere ? 'check' : 'close'} />
              {t.engines.capability[name] ?? words(name)}
              {!isThere && <span className="hidden-but-read">: –</span>}
            </li>
          ))}
        </ul>
      )}
    </li>
  )
}

/** "liveFreeze" as words, for a capability that the catalogue does not know yet. */
function words(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
}
