import { app, type NativeImage, Notification } from 'electron'
import { NO_NOTICES, type Notice, noticeSetting, noticesAfter } from '../menus/notices.ts'
import type { Desktop } from './desktop.ts'
import { appIcon } from './icons.ts'
import type { Looking } from './looking.ts'

/** Notifications that are still shown; held, because a click on one that was collected is lost. */
const MAX_HELD = 20
const shown = new Map<string, Notification>()

/** Tells what happens while the window is not in front, until the app ends. */
export async function startNotifications(desktop: Desktop, looking: Looking): Promise<void> {
  if (!Notification.isSupported()) return
  // A Mac shows the app's own icon by itself.
  const icon = process.platform === 'darwin' ? undefined : await appIcon()
  let memory = NO_NOTICES
  const leave = desktop.state.onChange((now, before) => {
    const after = noticesAfter(memory, before, now, {
      setting: noticeSetting(desktop.settings.all().notifications),
      isLooking: looking.isLooking(),
    })
    memory = after.memory
    for (const notice of after.notices) show(notice, desktop, icon)
  })
  app.on('browser-window-focus', closeAll)
  desktop.signal.addEventListener(
    'abort',
    () => {
      leave()
      app.off('browser-window-focus', closeAll)
      closeAll()
    },
    { once: true },
  )
}

function show(notice: Notice, desktop: Pick<Desktop, 'run' | 'warn'>, icon: NativeImage | undefined): void {
  forget(notice.id)
  const made = new Notification({
    title: notice.title,
    body: notice.body,
    actions: notice.actions.map(({ label }) => ({ type: 'button', text: label })),
    ...(icon ? { icon } : {}),
    ...(process.platform === 'linux' && notice.group !== 'done' && notice.group !== 'frozen'
      ? { timeoutType: 'never' as const }
      : {}),
  })
  made.on('click', () => desktop.run(notice.click))
  made.on('action', ({ actionIndex }) => {
    const action = notice.actions[actionIndex]
    if (action) desktop.run(action.command)
  })
  made.on('close', ({ reason }) => {
    // One that only went to the system's list can still be clicked there.
    if (reason === 'userCanceled' && shown.get(notice.id) === made) shown.delete(notice.id)
  })
  made.on('failed', (_event, error) => desktop.warn(new Error(`a notification was not shown: ${error}`)))
  shown.set(notice.id, made)
  const [oldest] = shown.keys()
  if (shown.size > MAX_HELD && oldest !== undefined) forget(oldest)
  made.show()
}

function forget(id: string): void {
  const held = shown.get(id)
  shown.delete(id)
  held?.close()
}

/** The window tells everything itself from now on. */
function closeAll(): void {
  for (const id of [...shown.keys()]) forget(id)
}
