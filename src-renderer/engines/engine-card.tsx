import { useId } from 'react'
import type { EngineReport } from '../../src-preload/contract/entities.ts'
import { backendName } from '../bottles/bottle-look.ts'
import { useModel } from '../state/app.ts'
import { t } from '../ui/en.ts'
import { Icon } from '../ui/icons.tsx'
import { Command } from '../ui/pieces.tsx'
import { EngineMark } from './engine-mark.tsx'

/** One engine: its state and why, what mends it, what it can do, and what this version of it can't. */
export function EngineCard({ engine }: { readonly engine: EngineReport }) {
  const bottles = useModel((model) => model.bottleList)
  const platform = useModel((model) => model.platform)
  const count = bottles.filter((bottle) => bottle.backend === engine.name).length
  const isAbsent = engine.state === 'missing'
  return (
    <li className="card">
      <header className="card-head">
        <span className="card-mark">
          <Icon name={engine.name === 'host' ? 'terminal' : 'engine'} />
        </span>
        <div>
          <h2>{engine.title || backendName(engine.name, platform)}</h2>
          {(!isAbsent || count > 0) && (
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
          )}
        </div>
        <EngineMark engine={engine} />
      </header>
      {engine.reason && <p className="selectable card-text">{engine.reason}</p>}
      {engine.fix && (
        <div className="card-fix">
          <span className="faint small">{isAbsent ? t.engines.toInstall : t.engines.toMend}</span>
          <Command text={engine.fix} />
        </div>
      )}
      <Abilities engine={engine} />
      <Limits limits={engine.limits} />
    </li>
  )
}

/** What matters to Icebox and to nobody who uses it. */
const INTERNAL: ReadonlySet<string> = new Set(['labels'])

function Abilities({ engine }: { readonly engine: EngineReport }) {
  const words = new Map<string, boolean>()
  for (const [name, isThere] of Object.entries(engine.capabilities)) {
    if (INTERNAL.has(name)) continue
    const word = t.engines.capability[name] ?? spelt(name)
    words.set(word, (words.get(word) ?? false) || isThere)
  }
  if (words.size === 0) return null
  return (
    <ul className="abilities" aria-label={t.engines.can}>
      {[...words].map(([word, isThere]) => (
        <li key={word} data-there={isThere || undefined}>
          <Icon name={isThere ? 'check' : 'close'} />
          {word}
          {!isThere && <span className="hidden-but-read">: –</span>}
        </li>
      ))}
    </ul>
  )
}

function Limits({ limits }: { readonly limits: readonly string[] }) {
  const id = useId()
  if (limits.length === 0) return null
  return (
    <div className="limits">
      <h3 id={id}>{t.engines.limits}</h3>
      <ul aria-labelledby={id}>
        {limits.map((limit) => (
          <li key={limit} className="selectable">
            {limit}
          </li>
        ))}
      </ul>
    </div>
  )
}

/** "liveFreeze" as words, for a capability that the catalogue does not know yet. */
function spelt(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
}
