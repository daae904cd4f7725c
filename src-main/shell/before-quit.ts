import type { App } from 'electron'
import type { Quit } from './quit.ts'

/** What ends with the app, once it is there. */
export interface Ending {
  readonly quit: Quit
  close(): Promise<void>
}

/**
 * Puts every quit, whoever asked for it, through the question of shell/quit.ts, and lets Electron end only when
 * everything is closed. Further quits meanwhile change nothing.
 */
export function guardQuit(
  app: Pick<App, 'on' | 'quit'>,
  running: () => Promise<Ending> | undefined,
  report: (error: unknown) => void,
): void {
  let state: 'running' | 'ending' | 'ended' = 'running'
  const end = async (): Promise<void> => {
    // A start that failed has told so itself.
    const started = await running()?.catch(() => undefined)
    if (started && !(await started.quit.mayEnd('quit'))) return
    if (state !== 'running') return
    state = 'ending'
    await started?.close().catch(report)
    state = 'ended'
    app.quit()
  }
  app.on('before-quit', (event) => {
    if (state === 'ended') return
    event.preventDefault()
    if (state === 'running') end().catch(report)
  })
}
