// Stands in for the `electron` module in the main process. Everything that is not here throws when it is touched.
import { app } from './host/app.ts'
import { BrowserWindow } from './host/browser-window.ts'
import { ipcMain } from './host/ipc-main.ts'
import { Menu, MenuItem } from './host/menu.ts'
import { MessageChannelMain, MessagePortMain } from './host/message-ports.ts'
import { nativeImage } from './host/native-image.ts'
import { nativeTheme } from './host/native-theme.ts'
import { NotificationStandIn as Notification } from './host/notification.ts'
import { protocol } from './host/protocol.ts'
import { screen } from './host/screen.ts'
import { session } from './host/session.ts'
import { strict } from './host/strict.ts'
import {
  autoUpdater,
  clipboard,
  crashReporter,
  dialog,
  globalShortcut,
  net,
  powerMonitor,
  powerSaveBlocker,
  safeStorage,
  shell,
  systemPreferences,
  utilityProcess,
} from './host/system.ts'
import { Tray } from './host/tray.ts'
import { webContents } from './host/web-contents.ts'

export {
  app,
  autoUpdater,
  BrowserWindow,
  clipboard,
  crashReporter,
  dialog,
  globalShortcut,
  ipcMain,
  Menu,
  MenuItem,
  MessageChannelMain,
  MessagePortMain,
  Notification,
  nativeImage,
  nativeTheme,
  net,
  powerMonitor,
  powerSaveBlocker,
  protocol,
  safeStorage,
  screen,
  session,
  shell,
  systemPreferences,
  Tray,
  utilityProcess,
  webContents,
}

// Some packages take the whole module as one object.
export default strict('electron', {
  app,
  autoUpdater,
  BrowserWindow,
  clipboard,
  crashReporter,
  dialog,
  globalShortcut,
  ipcMain,
  Menu,
  MenuItem,
  MessageChannelMain,
  nativeImage,
  nativeTheme,
  net,
  Notification,
  powerMonitor,
  powerSaveBlocker,
  protocol,
  safeStorage,
  screen,
  session,
  shell,
  systemPreferences,
  Tray,
  utilityProcess,
  webContents,
})
