import type { EngineReport } from '../../src-preload/contract/entities.ts'
import { useModel } from '../state/app.ts'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { Page } from '../ui/page.tsx'
import { EngineCard } from './engine-card.tsx'
import { useEngineCheck } from './use-engine-check.ts'

/** Every engine: first those that are here, then those that could be. */
export function EnginesScreen() {
  const engines = useModel((model) => model.engines)
  const { isChecking, check } = useEngineCheck()
  const absent = engines.filter((engine) => engine.state === 'missing')
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
      <Cards engines={engines.filter((engine) => engine.state !== 'missing')} />
      {absent.length > 0 && (
        <section className="absent-engines">
          <h2>{t.engines.absent}</h2>
          <Cards engines={absent} />
        </section>
      )}
    </Page>
  )
}

function Cards({ engines }: { readonly engines: readonly EngineReport[] }) {
  return (
    <ul className="cards">
      {engines.map((engine) => (
        <EngineCard key={engine.name} engine={engine} />
      ))}
    </ul>
  )
}
