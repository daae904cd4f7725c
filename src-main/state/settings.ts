import { watch as watchFolder } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { bottleError } from '../system/bottle-error.ts'
import { withLock } from './lock.ts'
import type { StateRoot } from './root.ts'
import { effectiveSettings, SETTINGS, settingProblem, wrongSettings } from './settings-definition.ts'
import {
  type OpenSettingsFile,
  readOnlyReason,
  readSettingsFile,
  SETTINGS_FORMAT,
  type SettingsFormat,
  writeSetting,
} from './settings-file.ts'

/** The settings of one state root, shared by every program that opens it. */
export interface SettingsStore {
  /** Every setting, defaults filled in: as of opening, the last own write, or the last change seen by a watcher. */
  all(): Record<string, unknown>
  /**
   * Changes one key and keeps what other programs wrote meanwhile; returns all settings.
   * @throws BottleError `usage` for an unknown key or a wrong value; `unsupported` when `readOnlyReason` tells why.
   */
  set(key: string, value: unknown): Promise<Record<string, unknown>>
  /** Set when a newer Icebox wrote the file in a way that this one must not write over; a sentence for the person. */
  readOnlyReason(): string | null
  /** Calls back after a change by any program, until the returned function is called. */
  watch(listener: (settings: Record<string, unknown>) => void): () => void
}

const SETTLE_MS = 30
/** No slug holds an underscore, so no bottle's lock has this name. */
const LOCK = '_settings'

/**
 * Opens the settings. Reading is plain JSON; `openFile` writes, by default with conf.
 * A damaged file is kept in quarantine and read as defaults.
 */
export async function openSettings(
  root: StateRoot,
  openFile: OpenSettingsFile = openConf,
  format: SettingsFormat = SETTINGS_FORMAT,
): Promise<SettingsStore> {
  const folder = join(root.dir, SETTINGS.folder)
  const listeners = new Set<(settings: Record<string, unknown>) => void>()
  const read = async () => {
    const { stored, version } = await readSettingsFile(root.dir, format)
    return { settings: effectiveSettings(stored), version }
  }
  let stopWatching: (() => void) | undefined
  let current = await read()

  const refresh = async (): Promise<void> => {
    const before = current.settings
    current = await read()
    if (isDeepStrictEqual(current.settings, before)) return
    for (const listener of listeners) listener({ ...current.settings })
  }

  return {
    all: () => ({ ...current.settings }),
    readOnlyReason: () => readOnlyReason(current.version, format),
    async set(key, value) {
      const problem = settingProblem(key, value)
      if (problem) throw bottleError('usage', `The setting ${key} must be ${problem}.`)
      await withLock(root, LOCK, { operation: 'settings' }, () =>
        writeSetting(root.dir, openFile, key, value, format),
      )
      await refresh()
      return { ...current.settings }
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
export async function readSettings(root: StateRoot): Promise<Record<string, unknown>> {
  return effectiveSettings((await readSettingsFile(root.dir)).stored)
}

/** Days that destroyed things wait in the trash. The longest time when the file can't tell: nothing goes on a guess. */
export async function readTrashDays(root: StateRoot): Promise<number> {
  const { stored, isDamaged } = await readSettingsFile(root.dir)
  const isKnown = !isDamaged && !wrongSettings(stored).includes('trashDays')
  return isKnown ? Number(effectiveSettings(stored).trashDays) : SETTINGS.rules.trashDays.maximum
}

/** conf, which electron-store is built on; loaded on the first write, because it costs more than most commands. */
const openConf: OpenSettingsFile = async ({ name, schema, migrations, ...options }) => {
  const { default: Conf } = await import('conf')
  return new Conf<Record<string, unknown>>({
    ...options,
    configName: name,
    schema: schema as never,
    migrations: { ...migrations } as never,
  })
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
