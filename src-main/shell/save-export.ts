import { join } from 'node:path'
import { app, BrowserWindow, dialog, type SaveDialogOptions } from 'electron'
import { DESKTOP_CHANNELS } from '../../src-preload/contract/desktop.ts'
import { copyArchive } from '../artifacts/export/copy-archive.ts'
import { bottleError, toFailure } from '../system/bottle-error.ts'
import type { Desktop } from './desktop.ts'

/** Save As…: asks where a finished export shall go, and copies it there. */
export function startSaveExport(desktop: Desktop): void {
  desktop.transport.handle(DESKTOP_CHANNELS.saveExport, async ([taskId]) => {
    try {
      if (typeof taskId !== 'string') throw bottleError('usage', 'An export is named by its task.')
      return { ok: true, value: { isSaved: await saveExport(desktop, taskId) } }
    } catch (error) {
      return { ok: false, error: toFailure(error) }
    }
  })
}

/** False: the person chose no place. The export stays for a while, so that it can be saved again. */
async function saveExport({ core, window }: Desktop, taskId: string): Promise<boolean> {
  const downloads = await core.transfers.downloads()
  const prepared = downloads.peek(taskId)
  if (!prepared)
    throw bottleError('not-found', 'That export is not there any more. Export the snapshot again.')
  const options: SaveDialogOptions = {
    title: 'Save the bottle',
    defaultPath: join(app.getPath('downloads'), prepared.fileName),
    buttonLabel: 'Save',
    filters: [{ name: 'Icebox bottle', extensions: ['bottle'] }],
    properties: ['createDirectory', 'showOverwriteConfirmation'],
  }
  const contents = window.contents()
  const owner = contents && BrowserWindow.fromWebContents(contents)
  const { canceled, filePath } = await (owner
    ? dialog.showSaveDialog(owner, options)
    : dialog.showSaveDialog(options))
  if (canceled || !filePath) return false
  await copyArchive(prepared.file, filePath)
  return true
}
