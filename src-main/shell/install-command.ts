import { access, constants, lstat, mkdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { dialog, type MessageBoxOptions } from 'electron'
import { isMissing, removeDurable, writeDurable } from '../state/durable-file.ts'
import { commandFolders, type Found, isOurs, type Place, planCommand } from './command-plan.ts'
import type { Desktop } from './desktop.ts'
import { launchCommand } from './launch-command.ts'
import { windowOf } from './looking.ts'

/** No script that Icebox ever wrote is as long. */
const MAX_SCRIPT = 4096

/** Installs the `icebox` command, or takes it away again; tells the person what happened. */
export async function installCommand(desktop: Pick<Desktop, 'window'>): Promise<void> {
  const ask = async (box: MessageBoxOptions): Promise<number> => {
    const window = windowOf(desktop)
    const shown = { title: 'Icebox', noLink: true, ...box }
    const { response } = await (window ? dialog.showMessageBox(window, shown) : dialog.showMessageBox(shown))
    return response
  }
  const folders = commandFolders(process.platform, homedir(), process.env.ICEBOX_COMMAND_DIR)
  const places = await Promise.all(folders.map(look))
  const plan = planCommand({
    platform: process.platform,
    program: launchCommand(),
    places,
    path: process.env.PATH ?? '',
  })
  switch (plan.do) {
    case 'refuse':
      await ask({
        type: 'warning',
        message: 'The icebox command can’t be installed',
        detail: plan.reason,
        buttons: ['OK'],
      })
      return
    case 'offer-removal': {
      const answer = await ask({
        type: 'info',
        message: 'The icebox command is installed',
        detail: [plan.file, plan.hint].filter((line) => line !== null).join('\n\n'),
        buttons: ['OK', 'Remove'],
        defaultId: 0,
        cancelId: 0,
      })
      // Looked at again: the question may have stood there for long.
      if (answer === 1 && isOurs(await lookAt(plan.file))) await removeDurable(plan.file)
      return
    }
    case 'write': {
      if (plan.isForeign) {
        const answer = await ask({
          type: 'warning',
          message: 'Replace the icebox command that is there?',
          detail: `${plan.file} was not installed by this app. Replacing it can’t be undone.`,
          buttons: ['Cancel', 'Replace'],
          defaultId: 0,
          cancelId: 0,
        })
        if (answer !== 1) return
      }
      await mkdir(dirname(plan.file), { recursive: true })
      await writeDurable(plan.file, plan.script, 0o755)
      await ask({
        type: 'info',
        message: 'The icebox command is installed',
        detail: [plan.file, plan.hint].filter((line) => line !== null).join('\n\n'),
        buttons: ['OK'],
      })
    }
  }
}

async function look(dir: string): Promise<Place> {
  return { dir, isWritable: await isWritable(dir), found: await lookAt(join(dir, 'icebox')) }
}

/** A folder that is not there is writable when it could be made. */
async function isWritable(dir: string): Promise<boolean> {
  try {
    await access(dir, constants.W_OK | constants.X_OK)
    return true
  } catch (error) {
    return isMissing(error) && dirname(dir) !== dir ? isWritable(dirname(dir)) : false
  }
}

async function lookAt(file: string): Promise<Found> {
  try {
    const facts = await lstat(file)
    if (facts.isDirectory()) return { is: 'folder' }
    if (!facts.isFile() || facts.size > MAX_SCRIPT) return { is: 'other' }
    return { is: 'script', text: await readFile(file, 'utf8') }
  } catch (error) {
    return isMissing(error) ? { is: 'nothing' } : { is: 'other' }
  }
}
