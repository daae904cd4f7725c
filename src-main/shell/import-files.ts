import { BrowserWindow, dialog, type OpenDialogOptions } from 'electron'
import { DESKTOP_CHANNELS } from '../../src-preload/contract/desktop.ts'
import type { Result } from '../../src-preload/contract/errors.ts'
import { toFailure } from '../system/bottle-error.ts'
import type { Desktop } from './desktop.ts'
import { checkImportFile, requirePaths } from './import-paths.ts'

type Started = Result<{ readonly taskIds: readonly string[] }>

/** Files that were dropped on the page, or chosen in the system's dialog. */
export function startImportFiles(desktop: Desktop): void {
  const answer = async (run: () => Promise<readonly string[]>): Promise<Started> => {
    try {
      return { ok: true, value: { taskIds: await run() } }
    } catch (error) {
      return { ok: false, error: toFailure(error) }
    }
  }
  const { transport } = desktop
  transport.handle(DESKTOP_CHANNELS.importFiles, ([paths]) =>
    answer(async () => importPaths(desktop, requirePaths(paths))),
  )
  transport.handle(DESKTOP_CHANNELS.pickImports, () =>
    answer(async () => importPaths(desktop, await pick(desktop))),
  )
}

/**
 * Imports files by their paths, each as a task of its own, whoever named them: a drop, the dock, a second instance.
 * A path that is no plain file ends its task with the reason. Returns the tasks' ids, in order.
 */
export function importPaths({ core, icebox }: Desktop, paths: readonly string[]): readonly string[] {
  return paths.map((path) =>
    core.tasks.start('import', null, async (context) => {
      const file = await checkImportFile(path)
      const { slug } = await icebox.artifacts.import({ file }, {}, context)
      context.named(slug)
      return `Imported ${slug}.`
    }),
  )
}

async function pick({ window }: Desktop): Promise<readonly string[]> {
  const options: OpenDialogOptions = {
    title: 'Import bottles',
    buttonLabel: 'Import',
    filters: [
      { name: 'Bottles and image archives', extensions: ['bottle', 'tar', 'gz', 'tgz', 'zst'] },
      { name: 'All files', extensions: ['*'] },
    ],
    properties: ['openFile', 'multiSelections'],
  }
  const contents = window.contents()
  const owner = contents && BrowserWindow.fromWebContents(contents)
  const { canceled, filePaths } = await (owner
    ? dialog.showOpenDialog(owner, options)
    : dialog.showOpenDialog(options))
  return canceled ? [] : requirePaths(filePaths)
}
