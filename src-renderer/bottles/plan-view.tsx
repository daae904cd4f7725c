import type { ReactNode } from 'react'
import type { StartPlan } from '../../src-preload/contract/entities.ts'
import { useModel } from '../state/app.ts'
import { t } from '../ui/en.ts'
import { Icon } from '../ui/icons.tsx'
import { backendName } from './bottle-look.ts'

/** A dry run in words: all that a start would do, none of it done. */
export function PlanView({ plan }: { readonly plan: StartPlan }) {
  const platform = useModel((model) => model.platform)
  const words = t.newBottle.plan
  const rows: readonly (readonly [string, ReactNode])[] = [
    [words.name, <strong key="name">{plan.slug}</strong>],
    [words.agent, <Pair key="agent" main={plan.agent} side={plan.agentSource} />],
    [words.engine, backendName(plan.backend, platform)],
    [
      words.image,
      plan.image.source === 'none' ? (
        words.ownFiles
      ) : (
        <Pair key="image" main={plan.image.reference} side={plan.image.source} />
      ),
    ],
    [
      words.command,
      plan.argv.length ? (
        <code key="command" className="plan-command">
          {plan.argv.map(shown).join(' ')}
        </code>
      ) : (
        words.none
      ),
    ],
    [words.folder, <code key="folder">{plan.workdir}</code>],
    [
      words.network,
      <span key="network" className={plan.network === 'unenforced' ? 'bad-word' : ''}>
        {words.networks[plan.network]}
      </span>,
    ],
    [words.bottles, list(plan.bottles)],
    [words.env, list(plan.envNames)],
    [words.secrets, list(plan.secretNames)],
    [words.mounts, list(plan.mounts)],
    [words.sidecars, list(plan.sidecars)],
  ]
  return (
    <div className="plan">
      <p className="plan-lead">
        <Icon name="check" /> {t.newBottle.planNone}
      </p>
      {plan.notices.length > 0 && (
        <ul className="notices">
          {plan.notices.map((notice) => (
            <li key={notice}>
              <Icon name="info" />
              <span>{notice}</span>
            </li>
          ))}
        </ul>
      )}
      <dl className="facts">
        {rows
          .filter(([, value]) => value !== null)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </div>
  )
}

function Pair({ main, side }: { readonly main: string; readonly side: string }) {
  return (
    <>
      {main} <span className="faint">· {side}</span>
    </>
  )
}

function list(items: readonly string[]): ReactNode {
  if (items.length === 0) return null
  return (
    <span className="plan-list">
      {items.map((item) => (
        <code key={item}>{item}</code>
      ))}
    </span>
  )
}

function shown(argument: string): string {
  return /^[\w./:=@%+,-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`
}
