import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { bottleError } from '../system/bottle-error.ts'
import { quarantine, readJsonObject, readText, writeDurable } from './durable-file.ts'
import { SETTINGS, wrongSettings } from './settings-definition.ts'
import {
  compareVersions,
  isNewerMajor,
  migrateOnce,
  migrateStored,
  SETTINGS_MIGRATIONS,
  type SettingsMigration,
  storedVersion,
  withVersion,
} from './settings-migrations.ts'

/** What conf, and electron-store over it, are opened with: the same for every program. */
export interface SettingsFileOptions {
  readonly cwd: string
  readonly name: string
  readonly configFileMode: number
  readonly projectVersion: string
  readonly schema: Readonly<Record<string, object>>
  readonly migrations: Readonly<Record<string, (store: SettingsFileStore) => void>>
  readonly accessPropertiesByDotNotation: false
  readonly clearInvalidConfig: true
}

/** The part of conf and electron-store that Icebox uses. */
export interface SettingsFileStore {
  store: Record<string, unknown>
  set(key: string, value: unknown): void
}

/** Opens the file for one write; it is prepared, and nobody else writes meanwhile. */
export type OpenSettingsFile = (options: SettingsFileOptions) => Promise<SettingsFileStore>

/** The version of this program and the way to it; tests have versions of their own. */
export interface SettingsFormat {
  readonly version: string
  readonly migrations: readonly SettingsMigration[]
}

export const SETTINGS_FORMAT: SettingsFormat = { version: SETTINGS.version, migrations: SETTINGS_MIGRATIONS }

/** Copies of older versions that stay. */
const KEPT_COPIES = 5

/** What the file holds as this version means it, and the version it has. */
export interface ReadSettingsFile {
  readonly stored: Readonly<Record<string, unknown>>
  readonly version: string
  /** The file can't be read: what it says about anything is not known. */
  readonly isDamaged: boolean
}

function folderOf(rootDir: string): string {
  return join(rootDir, SETTINGS.folder)
}

function fileOf(rootDir: string): string {
  return join(folderOf(rootDir), `${SETTINGS.name}.json`)
}

/** Reads and changes nothing but a damaged file's copy in quarantine. */
export async function readSettingsFile(
  rootDir: string,
  format: SettingsFormat = SETTINGS_FORMAT,
): Promise<ReadSettingsFile> {
  const found = await readJsonObject(fileOf(rootDir))
  if (found.kind === 'corrupt') await quarantine(rootDir, found.file)
  if (found.kind !== 'ok') return { stored: {}, version: format.version, isDamaged: found.kind === 'corrupt' }
  return {
    stored: migrateStored(found.value, format.migrations),
    version: storedVersion(found.value),
    isDamaged: false,
  }
}

/** Why this program must not write the file, or null. */
export function readOnlyReason(version: string, format: SettingsFormat = SETTINGS_FORMAT): string | null {
  return isNewerMajor(version, format.version)
    ? `The settings were written by a newer Icebox (format ${version}; this one writes ${format.version}). They are used as far as this version knows them, and can only be changed with the newer one.`
    : null
}

/**
 * Writes one key. The caller holds the settings' lock.
 * @throws BottleError `unsupported` when a newer major version wrote the file, which stays as it is.
 */
export async function writeSetting(
  rootDir: string,
  open: OpenSettingsFile,
  key: string,
  value: unknown,
  format: SettingsFormat = SETTINGS_FORMAT,
): Promise<void> {
  await prepare(rootDir, format)
  const store = await open({
    cwd: folderOf(rootDir),
    name: SETTINGS.name,
    configFileMode: SETTINGS.fileMode,
    projectVersion: format.version,
    schema: schemaWithoutDefaults(),
    migrations: Object.fromEntries(
      format.migrations.map((migration) => [
        migration.to,
        (each: SettingsFileStore) => {
          each.store = migrateOnce(each.store, migration)
        },
      ]),
    ),
    accessPropertiesByDotNotation: false,
    clearInvalidConfig: true,
  })
  store.set(key, value)
}

/** The file holds what somebody chose and nothing else, so that a better default reaches everybody else. */
function schemaWithoutDefaults(): Record<string, object> {
  return Object.fromEntries(
    Object.entries(SETTINGS.rules).map(([key, { default: _default, ...rule }]) => [
      key,
      structuredClone(rule),
    ]),
  )
}

/** Keeps what the write could lose, and takes out what conf would clear the whole file for. */
async function prepare(rootDir: string, format: SettingsFormat): Promise<void> {
  const file = fileOf(rootDir)
  const found = await readJsonObject(file)
  if (found.kind === 'corrupt') await quarantine(rootDir, file)
  if (found.kind !== 'ok') return
  const version = storedVersion(found.value)
  const reason = readOnlyReason(version, format)
  if (reason) throw bottleError('unsupported', reason)
  if (compareVersions(version, format.version) < 0) await keepCopy(rootDir, version)
  const stored = migrateStored(found.value, format.migrations)
  const wrong = wrongSettings(stored)
  if (wrong.length === 0) return
  await quarantine(rootDir, file)
  for (const key of wrong) delete stored[key]
  const recorded = compareVersions(version, format.version) < 0 ? format.version : version
  await writeDurable(
    file,
    `${JSON.stringify(withVersion(stored, recorded), null, '\t')}\n`,
    SETTINGS.fileMode,
  )
}

/** Keeps the file beside itself, under the version that wrote it. */
async function keepCopy(rootDir: string, version: string): Promise<void> {
  const text = await readText(fileOf(rootDir))
  if (text === undefined) return
  const stamp = new Date().toISOString().replace(/[-:]/g, '').replace(/\..*/, 'Z')
  const folder = folderOf(rootDir)
  await writeDurable(join(folder, `${SETTINGS.name}.v${version}.${stamp}.json`), text, SETTINGS.fileMode)
  const isCopy = (name: string): boolean => /^settings\.v.+\.(\d{8}T\d{6}Z)\.json$/.test(name)
  const when = (name: string): string => name.split('.').at(-2) ?? ''
  const copies = (await readdir(folder)).filter(isCopy).sort((a, b) => (when(a) < when(b) ? 1 : -1))
  for (const old of copies.slice(KEPT_COPIES)) await rm(join(folder, old), { force: true })
}
