import type { WebFrameMain } from 'electron'

/** The scheme and host of the app's own page, and of nothing else. */
export const APP_SCHEME = 'icebox-app'
export const APP_ORIGIN = `${APP_SCHEME}://bundle`

/** What is known of whoever sent a message. */
export type Sender = Pick<WebFrameMain, 'url' | 'parent'> | null

/** True for the top frame of the app's own page. A frame that is gone has sent nothing. Pure. */
export function isOwnFrame(frame: Sender): boolean {
  return frame !== null && frame.parent === null && isOwnPage(frame.url)
}

/** True for an address of the app's own page. Pure. */
export function isOwnPage(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, host, username, port } = new URL(address)
  return `${protocol}//${host}` === APP_ORIGIN && username === '' && port === ''
}
