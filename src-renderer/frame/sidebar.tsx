import { chordText, isMac } from '../palette/keys.ts'
import { useChangeView, useModel, useView } from '../state/app.ts'
import { SECTIONS, type Section } from '../state/view.ts'
import { t } from '../ui/en.ts'
import { Icon, type IconName } from '../ui/icons.tsx'

const ICONS: Readonly<Record<Section, IconName>> = {
  bottles: 'bottle',
  agents: 'agent',
  engines: 'engine',
  activity: 'activity',
  space: 'disk',
  trash: 'trash',
  settings: 'settings',
}

/** The sections of the window with their counts. */
export function Sidebar() {
  const change = useChangeView()
  return (
    <nav className="sidebar" aria-label={t.sections} data-mac={isMac || undefined}>
      <div className="brand">
        <img src="./icebox.svg" alt="" width="22" height="22" />
        <span>{t.app}</span>
      </div>
      <Entry section="bottles" />
      <Entry section="activity" />
      <h2 className="sidebar-group">{t.setUp}</h2>
      <Entry section="agents" />
      <Entry section="engines" />
      <div className="sidebar-room" />
      <button
        type="button"
        className="sidebar-find"
        title={t.action.palette}
        onClick={() => change({ overlay: { kind: 'palette' } })}
      >
        <Icon name="search" />
        <span>{t.action.palette}</span>
        <kbd>{chordText('mod+k')}</kbd>
      </button>
      <Entry section="space" />
      <Entry section="trash" />
      <Entry section="settings" />
    </nav>
  )
}

function Entry({ section }: { readonly section: Section }) {
  const isCurrent = useView((view) => view.section === section)
  const change = useChangeView()
  const count = useModel((model) => {
    switch (section) {
      case 'bottles':
        return model.bottles.size
      case 'activity':
        return model.taskList.filter((task) => task.state === 'running').length
      case 'trash':
        return model.trash.length
      case 'engines':
        return model.engines.filter((engine) => engine.state === 'ready').length
      default:
        return 0
    }
  })
  return (
    <button
      type="button"
      className="sidebar-entry"
      aria-current={isCurrent ? 'page' : undefined}
      title={`${t.section[section]}  ${chordText(`mod+${SECTIONS.indexOf(section) + 1}`)}`}
      onClick={() => change({ section })}
    >
      <Icon name={ICONS[section]} />
      <span className="sidebar-word">{t.section[section]}</span>
      {count > 0 && <span className="sidebar-count number">{count}</span>}
    </button>
  )
}
