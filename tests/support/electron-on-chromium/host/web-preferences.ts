import type { WebPreferences } from 'electron'

/** @throws Error for a page that the stand-in would run under other rules than those asked for */
export function checkPreferences(given: WebPreferences): WebPreferences {
  const preferences = {
    contextIsolation: true,
    nodeIntegration: false,
    sandbox: true,
    webSecurity: true,
    webviewTag: false,
    nodeIntegrationInSubFrames: false,
    allowRunningInsecureContent: false,
    ...given,
  }
  const unsafe = (['contextIsolation', 'sandbox', 'webSecurity'] as const).find((name) => !preferences[name])
  if (unsafe) throw new Error(`the stand-in runs no page without ${unsafe}`)
  const lax = (
    ['nodeIntegration', 'webviewTag', 'nodeIntegrationInSubFrames', 'allowRunningInsecureContent'] as const
  ).find((name) => preferences[name])
  if (lax) throw new Error(`the stand-in runs no page with ${lax}`)
  return preferences
}
