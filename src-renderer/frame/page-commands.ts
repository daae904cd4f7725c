import { useEffect } from 'react'
import type { PageCommand } from '../../src-preload/contract/desktop.ts'
import { openDetail } from '../bottles/bottle-verbs.ts'
import { chooseBottles } from '../bottles/choose-bottles.ts'
import { actOnCurrent, find, goTo, lay } from '../palette/window-acts.ts'
import { type App, useApp, useModel } from '../state/app.ts'
import { DETAIL_TABS, type Overlay, SECTIONS, type View } from '../state/view.ts'

/** Overlays in which nothing is entered or decided, so that something else may take their place. */
const LIGHT: ReadonlySet<Overlay['kind']> = new Set(['palette', 'shortcuts', 'imports'])

/** Does what a menu, the tray, a notification or a link asks of the page, unless it makes no sense just now. */
export function runPageCommand(app: App, command: PageCommand): void {
  switch (command.id) {
    case 'section':
      showSection(app, command.section)
      break
    case 'settings':
      showSection(app, 'settings')
      break
    case 'show-bottle':
      showBottle(app, command.slug, command.tab)
      break
    case 'drag-refused':
      app.drag.refused(command.tokens)
      break
    default:
      putAway(app)
      // A dialog that somebody is in must be answered first.
      if (!app.view.get().overlay) act(app, command)
  }
}

function act(app: App, command: PageCommand): void {
  switch (command.id) {
    case 'new-bottle':
      lay(app, { kind: 'new' })
      break
    case 'palette':
      lay(app, { kind: 'palette' })
      break
    case 'shortcuts':
      lay(app, { kind: 'shortcuts' })
      break
    case 'find':
      find(app)
      break
    case 'import':
      void app.transfer.pickImports()
      break
    case 'verb':
      actOnCurrent(app, command.verb)
      break
  }
}

function putAway(app: App): void {
  const { overlay } = app.view.get()
  if (overlay && LIGHT.has(overlay.kind)) app.view.update((view) => ({ ...view, overlay: null }))
}

/** What lies below a dialog may change: the dialog stays until it is answered. */
function showSection(app: App, wanted: string): void {
  const section = SECTIONS.find((name) => name === wanted)
  if (!section) return
  putAway(app)
  goTo(app, section)
}

function showBottle(app: App, slug: string, wanted: string): void {
  const { bottles, bottleList } = app.model.get()
  const tab = DETAIL_TABS.find((name) => name === wanted)
  const bottle = bottles.get(slug)
  if (!bottle || !tab) return
  putAway(app)
  openDetail(app, slug, tab)
  // A row that the filters hide would leave its detail beside a list that lacks it.
  if (chooseBottles(bottleList, app.view.get()).includes(bottle)) return
  app.view.update((view): View => ({ ...view, tab: 'all', query: '', engine: '', agent: '' }))
}

/** Lets the desktop's menus and links reach the page, once there is something to act on. */
export function usePageCommands(): void {
  const app = useApp()
  const isLoaded = useModel((model) => model.isLoaded)
  const { desktop } = app.bridge
  useEffect(() => {
    if (!isLoaded) return
    return desktop?.onCommand((command) => runPageCommand(app, command))
  }, [app, desktop, isLoaded])
}
