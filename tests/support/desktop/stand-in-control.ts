// Loaded into the stand-in before the app (`-r`): answers a test over the channel of the process that started it.
import * as electron from 'electron'
import { standIn } from '../electron-on-chromium/host/runtime.ts'
import type { WebContentsStandIn } from '../electron-on-chromium/host/web-contents.ts'
import type { DriverRequest } from './driver.ts'
import { installRecorder } from './recorder.ts'

/** What only the stand-in is asked. */
export type StandInRequest =
  | DriverRequest
  | { readonly do: 'devtools-port' }
  | { readonly do: 'know-files'; readonly paths: Readonly<Record<string, string>> }
  | { readonly do: 'dark'; readonly isDark: boolean }

const drive = installRecorder(electron, { isStandIn: true })

async function answer(request: StandInRequest): Promise<unknown> {
  switch (request.do) {
    case 'devtools-port':
      return (await standIn.chromium()).port
    case 'know-files':
      for (const contents of electron.webContents.getAllWebContents()) {
        await (contents as unknown as WebContentsStandIn).knowFiles(request.paths)
      }
      return
    case 'dark':
      Object.assign(electron.nativeTheme, { isSystemDark: request.isDark })
      return void electron.nativeTheme.emit('updated')
    default:
      return drive(request)
  }
}

process.on('message', ({ id, request }: { id: number; request: StandInRequest }) => {
  answer(request).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: error instanceof Error ? error.message : String(error) }),
  )
})
// Whoever started the app is gone, and with it everybody who could end it.
process.on('disconnect', () => process.exit(1))
