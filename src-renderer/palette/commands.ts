import type { Bottle } from '../../src-preload/contract/entities.ts'
import { lookOf } from '../bottles/bottle-look.ts'
import { doingOf, openDetail, verbsOf } from '../bottles/bottle-verbs.ts'
import { snapshotVerbs } from '../snapshots/snapshot-verbs.ts'
import type { App, Theme } from '../state/app.ts'
import { SECTIONS } from '../state/view.ts'
import { t } from '../ui/en.ts'
import type { IconName } from '../ui/icons.tsx'
import { fuzzyScore } from './fuzzy.ts'
import { chordText, NEW_CHORD } from './keys.ts'

/** One line of the palette. */
export interface Command {
  readonly id: string
  readonly label: string
  readonly hint: string
  readonly icon: IconName
  readonly keys?: string | undefined
  /** Needs a second Enter. */
  readonly isDangerous?: boolean
  readonly run: () => void
}

const SHOWN = 60

/** All that can be done now, in the order in which it is offered to an empty query. */
export function allCommands(app: App): readonly Command[] {
  const { bottleList } = app.model.get()
  const { current, section } = app.view.get()
  const first = section === 'bottles' ? bottleList.find((bottle) => bottle.slug === current) : undefined
  return [
    ...(first ? bottleCommands(app, first, true).filter((command) => !command.isDangerous) : []),
    ...windowCommands(app),
    ...bottleList.flatMap((bottle) => {
      const isFirst = bottle === first
      return bottleCommands(app, bottle, isFirst).filter((command) => !isFirst || command.isDangerous)
    }),
    ...snapshotCommands(app),
  ]
}

function bottleCommands(app: App, bottle: Bottle, hasKeys: boolean): readonly Command[] {
  const doing = doingOf(app, bottle.slug)
  const state = lookOf(bottle, doing).word
  return [
    {
      id: `open ${bottle.slug}`,
      label: bottle.slug,
      hint: state,
      icon: 'bottle',
      run: () => openDetail(app, bottle.slug, 'overview'),
    },
    ...verbsOf(app, bottle, doing)
      .filter((verb) => !verb.isDisabled && verb.id !== 'copyName')
      .map((verb) => ({
        id: `${verb.id} ${bottle.slug}`,
        label: `${verb.label.replace('…', '')} ${bottle.slug}`,
        hint: verb.isDanger ? '' : state,
        icon: verb.icon,
        keys: hasKeys ? verb.keys : undefined,
        isDangerous: verb.isDanger ?? false,
        run: verb.run,
      })),
  ]
}

function windowCommands(app: App): readonly Command[] {
  const change = (next: Partial<ReturnType<App['view']['get']>>) =>
    app.view.update((view) => ({ ...view, ...next }))
  const icons: readonly IconName[] = ['bottle', 'activity', 'agent', 'engine', 'disk', 'trash', 'settings']
  const themes: readonly Theme[] = ['system', 'light', 'dark']
  return [
    {
      id: 'new',
      label: t.action.newBottle,
      hint: '',
      icon: 'plus',
      keys: chordText(NEW_CHORD),
      run: () => change({ overlay: { kind: 'new' } }),
    },
    {
      id: 'import',
      label: t.artifact.import.replace('…', ''),
      hint: '',
      icon: 'import',
      run: () => void app.transfer.pickImports(),
    },
    {
      id: 'pull',
      label: t.artifact.pull.replace('…', ''),
      hint: '',
      icon: 'follow',
      run: () => change({ overlay: { kind: 'pull' } }),
    },
    {
      id: 'thin',
      label: t.thin.title,
      hint: t.section.space,
      icon: 'thin',
      run: () => change({ overlay: { kind: 'thin' } }),
    },
    ...SECTIONS.map(
      (section, index): Command => ({
        id: `go ${section}`,
        label: t.palette.goTo(t.section[section]),
        hint: '',
        icon: icons[index] ?? 'right',
        keys: chordText(`mod+${index + 1}`),
        run: () => change({ section }),
      }),
    ),
    ...themes.map(
      (theme): Command => ({
        id: `theme ${theme}`,
        label: t.palette.theme(t.settings.themes[theme]),
        hint: t.section.settings,
        icon: 'settings',
        run: () => {
          app.settings.set({ theme })
          void app.bridge.call('settings:set', { key: 'theme', value: theme })
        },
      }),
    ),
    {
      id: 'shortcuts',
      label: t.action.shortcuts,
      hint: '',
      icon: 'keyboard',
      keys: chordText('mod+shift+/'),
      run: () => change({ overlay: { kind: 'shortcuts' } }),
    },
  ]
}

/** Snapshots of the bottles whose detail was read; their notes make them findable. */
function snapshotCommands(app: App): readonly Command[] {
  const commands: Command[] = []
  for (const [slug, { detail }] of app.details.store.get()) {
    for (const snapshot of detail?.tree ?? []) {
      const name = snapshot.note || snapshot.label || snapshot.id
      commands.push(
        {
          id: `resume ${slug}@${snapshot.id}`,
          label: `${t.action.resume} ${slug}@${name}`,
          hint: snapshot.id,
          icon: 'play',
          run: () => void app.operations.resume(slug, snapshot.id),
        },
        {
          id: `fork ${slug}@${snapshot.id}`,
          label: `${t.action.fork.replace('…', '')} ${slug}@${name}`,
          hint: snapshot.id,
          icon: 'fork',
          run: () =>
            app.view.update((view) => ({ ...view, overlay: { kind: 'fork', slug, snapshot: snapshot.id } })),
        },
        ...snapshotVerbs(app, slug, snapshot)
          .filter((verb) => verb.id !== 'delete')
          .map(
            (verb): Command => ({
              id: `${verb.id} ${slug}@${snapshot.id}`,
              label: `${verb.label.replace('…', '')} ${slug}@${name}`,
              hint: snapshot.id,
              icon: verb.icon,
              run: verb.run,
            }),
          ),
      )
    }
  }
  return commands
}

/** The best answers to a query. An empty query offers everything from the top. */
export function matchCommands(commands: readonly Command[], query: string): readonly Command[] {
  if (!query.trim()) return commands.slice(0, SHOWN)
  return commands
    .flatMap((command) => {
      const score = fuzzyScore(query, `${command.label} ${command.hint}`)
      return score === null ? [] : [{ command, score: score - (command.isDangerous ? 4 : 0) }]
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, SHOWN)
    .map(({ command }) => command)
}
