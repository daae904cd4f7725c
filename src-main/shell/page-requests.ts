import { DESKTOP_CHANNELS, DESKTOP_REQUESTS } from '../../src-preload/contract/desktop.ts'
import type { Desktop } from './desktop.ts'

/** Buttons of the page that do what items of the app's menu do, and nothing else of it. */
export function startPageRequests({ transport, run }: Pick<Desktop, 'transport' | 'run'>): void {
  transport.listen(DESKTOP_CHANNELS.ask, (_contents, [what]) => {
    const known = DESKTOP_REQUESTS.find((each) => each === what)
    if (known) run({ do: known })
  })
}
