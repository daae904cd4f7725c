import { join } from 'node:path'
import { app } from 'electron'
import { DESKTOP_CHANNELS } from '../../src-preload/contract/desktop.ts'
import type { Desktop } from './desktop.ts'
import { loadDragIcons } from './drag-icons.ts'
import { dragOut } from './drag-turn.ts'

/** Begins the system's drag for tokens that main gave out. What a page sends beyond them is worth nothing. */
export function startDragOut({ core, transport, warn }: Desktop): void {
  const icons = loadDragIcons(join(app.getAppPath(), 'src-main/shell/resources', 'drag'), warn)
  transport.listen(DESKTOP_CHANNELS.drag, (contents, [tokens]) => {
    dragOut({ cache: core.transfers.drag, icons, contents, warn }, tokens)
  })
}
