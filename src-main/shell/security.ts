import type { App, Session, Shell, WebContents } from 'electron'
import { isOwnPage } from '../ipc/electron-sender.ts'
import { externalLink } from './external-links.ts'

/** What the page may use without asking. */
const PERMISSIONS: ReadonlySet<string> = new Set(['clipboard-sanitized-write'])

/** Whatever any page of the app tries: it stays where it is, opens nothing, and is granted nothing. */
export function lockDown(app: App, shell: Shell, warn: (error: unknown) => void): void {
  app.on('web-contents-created', (_event, contents) => {
    denyNavigation(contents)
    contents.on('will-attach-webview', (event) => event.preventDefault())
    contents.setWindowOpenHandler(({ url }) => {
      const link = externalLink(url)
      if (link) shell.openExternal(link).catch(warn)
      return { action: 'deny' }
    })
    denyPermissions(contents.session)
  })
}

function denyNavigation(contents: WebContents): void {
  for (const name of ['will-navigate', 'will-redirect', 'will-frame-navigate'] as const) {
    contents.on(name as 'will-navigate', (event) => {
      if (!isOwnPage(event.url)) event.preventDefault()
    })
  }
}

/** @param session of the app's windows */
export function denyPermissions(session: Session): void {
  session.setPermissionRequestHandler((_contents, permission, answer) => answer(PERMISSIONS.has(permission)))
  session.setPermissionCheckHandler((_contents, permission) => PERMISSIONS.has(permission))
  session.setDevicePermissionHandler(() => false)
}
