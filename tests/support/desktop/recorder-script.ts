import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'

/** The recorder and its parts, in the order in which one script has to hold them. */
const PARTS = ['replace.ts', 'record-dialogs.ts', 'recorder.ts']

/** The recorder as one script that Electron loads before the app. */
export async function recorderScript(): Promise<string> {
  const parts = await Promise.all(PARTS.map((name) => readFile(join(import.meta.dirname, name), 'utf8')))
  const script = parts
    .map((source) => stripTypeScriptTypes(source).replaceAll(/^(export |import .*$)/gm, ''))
    .join('\n')
  return `const electron = require('electron')\n${script}\nglobalThis.__driver = installRecorder(electron, { isStandIn: false })\n`
}
