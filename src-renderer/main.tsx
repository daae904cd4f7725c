import './ui/styles.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createFileTransfer, saveByLink } from './artifacts/file-transfer.ts'
import { openBridge } from './bridge/bridge.ts'
import { createDiffCache } from './changes/diff-cache.ts'
import { Window } from './frame/window.tsx'
import { createSettings } from './settings/theme.ts'
import { type App, AppContext } from './state/app.ts'
import { createStore } from './state/create-store.ts'
import { createDetailCache } from './state/details.ts'
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
  transfer: createFileTransfer({ bridge, model, view, toasts, save: saveByLink }),
  operations: createOperations(bridge, model, toasts, asked),
  settings: createSettings(bridge, window.localStorage),
}

startSync(bridge, model, link)
// The sheet tells the outcome of a start itself; what is undone was told by its own call.
watchTasks(
  app,
  (task) =>
    app.transfer.ended(task) ||
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
