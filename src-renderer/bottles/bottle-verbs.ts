import type { Bottle } from '../../src-preload/contract/entities.ts'
import { chordText } from '../palette/keys.ts'
import type { App } from '../state/app.ts'
import type { DetailTab, Overlay } from '../state/view.ts'
import { t } from '../ui/en.ts'
import type { IconName } from '../ui/icons.tsx'
import { isActive } from './bottle-look.ts'

export type VerbName =
  | 'resume'
  | 'resumeOn'
  | 'freeze'
  | 'terminal'
  | 'logs'
  | 'health'
  | 'stop'
  | 'restart'
  | 'fork'
  | 'export'
  | 'freezeNote'
  | 'copyName'
  | 'destroy'

/** Something that can be done with a bottle now. */
export interface Verb {
  readonly id: VerbName
  readonly label: string
  readonly icon: IconName
  readonly keys?: string
  readonly isDanger?: boolean
  readonly isGroupStart?: boolean
  /** Another operation holds the bottle. */
  readonly isDisabled: boolean
  /** This very operation is under way. */
  readonly isBusy: boolean
  readonly run: () => void
}

/** The operation that holds a bottle: a running task, or a request whose task is not known yet. */
export function doingOf(app: App, slug: string): string | null {
  return app.model.get().activeTasks.get(slug)?.kind ?? app.asked.get().get(slug) ?? null
}

/** Freezing needs something to freeze, and an engine that answers. */
export function canFreeze(bottle: Bottle): boolean {
  return (
    ['running', 'paused', 'stopped', 'failed'].includes(bottle.state) && !bottle.badges.includes('foreign')
  )
}

/** True when a resume makes sense: nothing runs and the record may be written. */
export function canResume(bottle: Bottle): boolean {
  return ['frozen', 'stopped', 'failed'].includes(bottle.state) && !bottle.badges.includes('newer-version')
}

/** True when there is something to stop. */
export function canStop(bottle: Bottle): boolean {
  return ['starting', 'running', 'paused'].includes(bottle.state)
}

/** Shows one tab of a bottle's detail. */
export function openDetail(app: App, slug: string, detailTab: DetailTab): void {
  app.view.update((now) => ({
    ...now,
    section: 'bottles',
    current: slug,
    isDetailOpen: true,
    detailTab,
    isTerminalWanted: detailTab === 'terminal',
  }))
}

/** All verbs that apply to a bottle in its state, in the order of the menus. */
export function verbsOf(app: App, bottle: Bottle, doing: string | null): readonly Verb[] {
  const { slug, state } = bottle
  const { operations } = app
  const lay = (overlay: Overlay) => app.view.update((now) => ({ ...now, overlay }))
  const verbs: Verb[] = []
  const look = (verb: Omit<Verb, 'isDisabled' | 'isBusy'>) =>
    verbs.push({ ...verb, isDisabled: false, isBusy: false })
  const change = (verb: Omit<Verb, 'isDisabled' | 'isBusy'>) =>
    verbs.push({ ...verb, isDisabled: doing !== null, isBusy: doing === verb.id })

  if (canResume(bottle)) {
    change({
      id: 'resume',
      label: t.action.resume,
      icon: 'play',
      keys: chordText('mod+enter'),
      run: () => void operations.resume(slug),
    })
    change({
      id: 'resumeOn',
      label: t.action.resumeOn,
      icon: 'engine',
      run: () => lay({ kind: 'elsewhere', slug, snapshot: null }),
    })
  }
  if (canFreeze(bottle)) {
    change({
      id: 'freeze',
      label: t.action.freeze,
      icon: 'snow',
      keys: chordText('mod+shift+f'),
      run: () => void operations.freeze(slug),
    })
  }
  if (isActive(bottle)) {
    look({
      id: 'terminal',
      label: t.action.openTerminal,
      icon: 'terminal',
      keys: chordText('mod+enter'),
      run: () => openDetail(app, slug, 'terminal'),
    })
  }
  if (canStop(bottle)) {
    change({ id: 'stop', label: t.action.stop, icon: 'stop', run: () => void operations.stop(slug) })
  }
  look({ id: 'logs', label: t.action.showLogs, icon: 'logs', run: () => openDetail(app, slug, 'logs') })
  if (bottle.health) {
    look({
      id: 'health',
      label: t.action.showHealth,
      icon: 'heart',
      run: () => openDetail(app, slug, 'health'),
    })
  }
  if (canFreeze(bottle)) {
    change({
      id: 'freezeNote',
      label: t.action.freezeWithNote,
      icon: 'note',
      isGroupStart: true,
      run: () => lay({ kind: 'freeze', slug }),
    })
  }
  if (state !== 'unknown' && state !== 'starting') {
    change({
      id: 'fork',
      label: t.action.fork,
      icon: 'fork',
      keys: chordText('mod+d'),
      run: () => lay({ kind: 'fork', slug, snapshot: null }),
    })
  }
  const { currentSnapshot } = bottle
  if (currentSnapshot) {
    look({
      id: 'export',
      label: t.artifact.export,
      icon: 'export',
      keys: chordText('mod+e'),
      run: () => lay({ kind: 'export', slug, snapshot: currentSnapshot }),
    })
  }
  if (['running', 'paused', 'stopped', 'failed'].includes(state)) {
    change({
      id: 'restart',
      label: t.action.restart,
      icon: 'restart',
      run: () => void operations.restart(slug),
    })
  }
  look({
    id: 'copyName',
    label: t.action.copyName,
    icon: 'copy',
    isGroupStart: true,
    run: () => void navigator.clipboard?.writeText(slug),
  })
  change({
    id: 'destroy',
    label: t.action.destroy,
    icon: 'trash',
    keys: chordText('mod+backspace'),
    isDanger: true,
    isGroupStart: true,
    run: () => lay({ kind: 'destroy', slugs: [slug] }),
  })
  return verbs
}

/** What Ctrl+Enter does: resume what rests, open the terminal of what runs. */
export function resumeOrOpen(app: App, bottle: Bottle): void {
  verbsOf(app, bottle, doingOf(app, bottle.slug))
    .find((verb) => (verb.id === 'resume' || verb.id === 'terminal') && !verb.isDisabled)
    ?.run()
}
