import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { app, dialog, type MessageBoxOptions, Notification } from 'electron'
import { firstUpdateState, type UpdateAnswer, type UpdateEvent } from '../menus/update-state.ts'
import type { Desktop } from './desktop.ts'
import { windowOf } from './looking.ts'
import { createUpdates, type Updater, type Updates } from './update-cycle.ts'

/**
 * Starts looking for updates where the build names a source of them; installs them when the app ends.
 * @param mayEnd asks what there is to ask before the app ends for an update
 */
export async function startUpdates(
  desktop: Pick<Desktop, 'window' | 'warn' | 'signal'>,
  mayEnd: () => Promise<boolean>,
): Promise<Updates> {
  const hasSource = await access(join(process.resourcesPath ?? '', 'app-update.yml')).then(
    () => true,
    () => false,
  )
  // Held until it is gone, because one that was collected disappears.
  const held = new Set<Notification>()
  const updates = createUpdates({
    first: firstUpdateState({
      isPackaged: app.isPackaged,
      hasSource,
      platform: process.platform,
      isAppImage: Boolean(process.env.APPIMAGE),
    }),
    version: app.getVersion(),
    load: loadUpdater,
    show: (answer) => show(desktop, answer),
    announce({ message, detail }) {
      if (!Notification.isSupported()) return
      const notification = new Notification({ title: message, body: detail, silent: true })
      held.add(notification)
      notification.on('click', () => void updates.checkByHand().catch(desktop.warn))
      notification.on('close', () => held.delete(notification))
      notification.show()
    },
    mayEnd,
    sleep: (ms, signal) => sleep(ms, undefined, { signal, ref: false }),
    random: Math.random,
    warn: desktop.warn,
    signal: desktop.signal,
  })
  return updates
}

async function show(desktop: Pick<Desktop, 'window'>, answer: UpdateAnswer): Promise<boolean> {
  const window = windowOf(desktop)
  const box: MessageBoxOptions = {
    type: 'info',
    title: 'Icebox',
    message: answer.message,
    detail: answer.detail,
    buttons: answer.canInstall ? ['Later', 'Quit and install'] : ['OK'],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  }
  const { response } = await (window ? dialog.showMessageBox(window, box) : dialog.showMessageBox(box))
  return answer.canInstall && response === 1
}

async function loadUpdater(tell: (event: UpdateEvent) => void): Promise<Updater> {
  // Loaded only here: it is large, and most starts end before the first look.
  const { autoUpdater } = (await import('electron-updater')).default
  autoUpdater.logger = null
  autoUpdater.autoDownload = true
  autoUpdater.autoInstallOnAppQuit = true
  autoUpdater.allowDowngrade = false
  autoUpdater.on('update-not-available', () => tell({ event: 'none' }))
  autoUpdater.on('update-available', ({ version }) => tell({ event: 'found', version }))
  autoUpdater.on('download-progress', ({ percent }) => tell({ event: 'progress', percent }))
  autoUpdater.on('update-downloaded', ({ version }) => tell({ event: 'loaded', version }))
  // Also keeps a failure from ending the app.
  autoUpdater.on('error', (error) => tell({ event: 'failed', reason: error.message }))
  return {
    async check() {
      const result = await autoUpdater.checkForUpdates()
      result?.downloadPromise?.catch((error: unknown) =>
        tell({ event: 'failed', reason: error instanceof Error ? error.message : String(error) }),
      )
    },
    quitAndInstall: () => autoUpdater.quitAndInstall(),
  }
}
