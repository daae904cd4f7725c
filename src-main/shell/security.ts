import type { App, Session, Shell, WebContents } from 'electron'
import { isOwnPage } from '../ipc/electron-sender.ts'
import { externalLink } from './external-links.ts'

/** What the page may use without asking. */
const PERMISSIONS: ReadonlySet<string> = new Set(['clipboard-sanitized-write'])

/** Whatever any page of the app tries: it stays where it is, opens nothing, and is granted nothing. */
export function lockDown(app: App, shell: Shell, warn: (error: unknown) => void): void {
  const locked = new WeakSet<Session>()
  app.on('web-contents-created', (_event, contents) => {
    denyNavigation(contents)
    contents.on('will-attach-webview', (event) => event.preventDefault())
    contents.setWindowOpenHandler(({ url }) => {
      const link = externalLink(url)
      if (link) shell.openExternal(link).catch(warn)
      return { action: 'deny' }
    })
    if (locked.has(contents.session)) return
    locked.add(contents.session)
    denyPermissions(contents.session)
    // Files leave through the system's dialog or a drag only.
    contents.session.on('will-download', (event) => event.preventDefault())
  })
}

/** The page is one document and loads itself by main's word only; even its own address is no place to go. */
function denyNavigation(contents: WebContents): void {
  contents.on('will-navigate', (event) => {
    if (!isReload(contents, event.url)) event.preventDefault()
  })
  contents.on('will-redirect', (event) => event.preventDefault())
  contents.on('will-frame-navigate', (event) => {
    if (!event.isMainFrame || !isReload(contents, event.url)) event.preventDefault()
  })
}

function isReload(contents: WebContents, address: string): boolean {
  return isOwnPage(address) && address.split('#')[0] === contents.getURL().split('#')[0]
}

function denyPermissions(session: Session): void {
  session.setPermissionRequestHandler((_contents, permission, answer, { requestingUrl }) =>
    answer(PERMISSIONS.has(permission) && isOwnPage(requestingUrl)),
  )
  session.setPermissionCheckHandler(
    (_contents, permission, origin) => PERMISSIONS.has(permission) && isOwnPage(origin),
  )
  session.setDevicePermissionHandler(() => false)
}
