import './ui/styles.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import type { Task } from '../src-preload/contract/entities.ts'
import { createDragOut } from './artifacts/drag-out.ts'
import { pickFiles } from './artifacts/drop-zone.tsx'
import { createFileTransfer, saveByLink } from './artifacts/file-transfer.ts'
import { isDesktop, openBridge } from './bridge/bridge.ts'
import { createDiffCache } from './changes/diff-cache.ts'
import { Window } from './frame/window.tsx'
import { followFrame } from './frame/window-frame.ts'
import { createSettings } from './settings/theme.ts'
import { type App, AppContext } from './state/app.ts'
import { createStore } from './state/create-store.ts'
import { createDetailCache } from './state/details.ts'
import { watchLooks } from './state/looks.ts'
import { emptyModel } from './state/model.ts'
import { createOperations } from './state/operations.ts'
import { type Link, startSync } from './state/sync.ts'
import { createViewStore } from './state/view.ts'
import { createToastStore } from './tasks/toast-store.ts'
import { watchTasks } from './tasks/watch-tasks.ts'

const bridge = openBridge()
const model = createStore(emptyModel)
const link = createStore<Link>({ isConnected: true, lostAt: null, failure: null })
const toasts = createToastStore()
const view = createViewStore(window.localStorage)
const asked = createStore<ReadonlyMap<string, string>>(new Map())

const app: App = {
  bridge,
  model,
  link,
  toasts,
  asked,
  view,
  details: createDetailCache(bridge),
  diffs: createDiffCache(bridge),
  looks: watchLooks(model),
  transfer: createFileTransfer({
    bridge,
    model,
    view,
    toasts,
    save: saveByLink,
    pick: pickFiles,
    isLookedAt: () => document.hasFocus(),
  }),
  drag: createDragOut({ bridge, model, view, toasts, origin: window.location.origin }),
  operations: createOperations(bridge, model, toasts, asked),
  settings: createSettings(bridge, window.localStorage),
}

/** The import sheet tells how its files fared, as long as it is open. */
function isInSheet({ id }: Task): boolean {
  const { overlay } = view.get()
  return overlay?.kind === 'imports' && overlay.files.some(({ taskId }) => taskId === id)
}

startSync(bridge, model, link)
followFrame(document.documentElement, isDesktop, model)
// The sheet tells the outcome of a start itself; what is undone was told by its own call.
watchTasks(
  app,
  (task) =>
    app.drag.ended(task) ||
    app.transfer.ended(task) ||
    isInSheet(task) ||
    task.kind === 'undo' ||
    (task.kind === 'start' && app.view.get().overlay?.kind === 'new'),
)

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <AppContext value={app}>
        <Window />
      </AppContext>
    </StrictMode>,
  )
}
