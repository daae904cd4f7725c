import type { ConfigChange, PackageChange } from '../../src-preload/contract/artifacts.ts'
import { t } from '../ui/en.ts'

/** Packages that came, went or changed their version. */
export function PackageList({ packages }: { readonly packages: readonly PackageChange[] }) {
  return (
    <ul className="change-list scroll">
      {packages.map(({ manager, name, before, after }) => (
        <li key={`${manager} ${name}`}>
          <span className="badge">{manager}</span>
          <strong className="one-line selectable" title={name}>
            {name}
          </strong>
          <span className="change-values one-line number selectable">
            {before === null ? <i className="good-mark">{t.changes.isNew}</i> : before} →{' '}
            {after === null ? <i className="bad-mark">{t.changes.isGone}</i> : after}
          </span>
        </li>
      ))}
    </ul>
  )
}

/** What of the image's configuration differs. */
export function ConfigList({ config }: { readonly config: readonly ConfigChange[] }) {
  return (
    <ul className="change-list config scroll">
      {config.map(({ key, before, after }) => (
        <li key={key}>
          <strong className="selectable">{key}</strong>
          <code className="before selectable">{before ?? t.changes.unset}</code>
          <code className="after selectable">{after ?? t.changes.unset}</code>
        </li>
      ))}
    </ul>
  )
}
