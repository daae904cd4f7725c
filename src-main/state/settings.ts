import { watch as watchFolder } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { bottleError } from '../system/bottle-error.ts'
import { quarantine, readJsonObject } from './durable-file.ts'
import { takeLock } from './lock.ts'
import type { StateRoot } from './root.ts'
import { effectiveSettings, SETTINGS, settingProblem } from './settings-definition.ts'

/** The settings of one state root, shared by every program that opens it. */
export interface SettingsStore {
  /** Every setting, defaults filled in: as of opening, the last own write, or the last change seen by a watcher. */
  all(): Record<string, unknown>
  /**
   * Changes one key and keeps what other programs wrote meanwhile; returns all settings.
   * @throws BottleError `usage` for an unknown key or a wrong value.
   */
  set(key: string, value: unknown): Promise<Record<string, unknown>>
  /** Calls back after a change by any program, until the returned function is called. */
  watch(listener: (settings: Record<string, unknown>) => void): () => void
}

const SETTLE_MS = 30
/** No slug holds an underscore, so no bottle's lock has this name. */
const LOCK = '_settings'

/**
 * Opens the settings. Reading is plain JSON, because loading conf costs more than most commands; conf writes.
 * A damaged file is kept in quarantine and read as defaults.
 */
export async function openSettings(root: StateRoot): Promise<SettingsStore> {
  const folder = join(root.dir, SETTINGS.folder)
  const file = join(folder, `${SETTINGS.name}.json`)
  const listeners = new Set<(settings: Record<string, unknown>) => void>()
  let stopWatching: (() => void) | undefined
  let current = await read(root.dir, file)

  const refresh = async (): Promise<void> => {
    const next = await read(root.dir, file)
    if (isDeepStrictEqual(next, current)) return
    current = next
    for (const listener of listeners) listener({ ...current })
  }

  return {
    all: () => ({ ...current }),
    async set(key, value) {
      const problem = settingProblem(key, value)
      if (problem) throw bottleError('usage', `The setting ${key} must be ${problem}.`)
      const release = await takeLock(root, LOCK, { operation: 'settings' })
      try {
        await writeOne(root.dir, file, key, value)
      } finally {
        await release()
      }
      await refresh()
      return { ...current }
    },
    watch(listener) {
      listeners.add(listener)
      stopWatching ??= startWatching(folder, () => void refresh().catch(() => undefined))
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        stopWatching?.()
        stopWatching = undefined
      }
    },
  }
}

/** Every setting as of now, for a look that needs no store: one small file is read. */
export function readSettings(root: StateRoot): Promise<Record<string, unknown>> {
  return read(root.dir, join(root.dir, SETTINGS.folder, `${SETTINGS.name}.json`))
}

async function read(rootDir: string, file: string): Promise<Record<string, unknown>> {
  const found = await readJsonObject(file)
  if (found.kind === 'corrupt') await quarantine(rootDir, file)
  return effectiveSettings(found.kind === 'ok' ? found.value : {})
}

async function writeOne(rootDir: string, file: string, key: string, value: unknown): Promise<void> {
  const found = await readJsonObject(file)
  // conf clears a file that breaks the schema; the copy is what is left of it.
  const isBroken =
    found.kind === 'corrupt' ||
    (found.kind === 'ok' &&
      Object.entries(found.value).some(
        ([name, held]) => Object.hasOwn(SETTINGS.rules, name) && settingProblem(name, held),
      ))
  if (isBroken) await quarantine(rootDir, file)
  const { default: Conf } = await import('conf')
  const conf = new Conf<Record<string, unknown>>({
    cwd: join(rootDir, SETTINGS.folder),
    configName: SETTINGS.name,
    configFileMode: SETTINGS.fileMode,
    projectVersion: SETTINGS.version,
    schema: structuredClone(SETTINGS.rules) as never,
    accessPropertiesByDotNotation: false,
    clearInvalidConfig: true,
  })
  conf.set(key, value)
}

function startWatching(folder: string, changed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const watcher = watchFolder(folder, { persistent: false }, (_event, name) => {
    if (name !== null && name !== `${SETTINGS.name}.json`) return
    clearTimeout(timer)
    timer = setTimeout(changed, SETTLE_MS)
  })
  // The folder may be removed under a running program; settings then stay as they were.
  watcher.on('error', () => watcher.close())
  return () => {
    clearTimeout(timer)
    watcher.close()
  }
}
