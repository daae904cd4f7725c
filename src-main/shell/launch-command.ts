import { app } from 'electron'

/** What starts this app anew. An AppImage runs from a place that changes with each start; only its own file stays. */
export function launchCommand(): readonly string[] {
  if (process.env.APPIMAGE) return [process.env.APPIMAGE]
  return app.isPackaged ? [process.execPath] : [process.execPath, app.getAppPath()]
}
