/** The values of all settings, with their types. */
export interface Settings {
  readonly theme: 'system' | 'light' | 'dark'
  readonly closeToTray: boolean
  readonly keepPortableCopies: boolean
  readonly trashDays: number
  /** Bounds of an import: gigabytes unpacked, entries of one layer, bytes unpacked per byte packed from so many MB on. */
  readonly importMaxGigabytes: number
  readonly importMaxEntries: number
  readonly importMaxRatio: number
  readonly importRatioFromMB: number
  /** Of each bottle's snapshots: the newest n, and the newest of each of the last n hours, days and weeks. */
  readonly retentionLast: number
  readonly retentionHourly: number
  readonly retentionDaily: number
  readonly retentionWeekly: number
  /** True: each freeze thins its bottle's snapshots by these rules. False: only a person does. */
  readonly autoThin: boolean
  /** A freeze or export that would leave less free is refused; 0 refuses nothing. */
  readonly minFreeMB: number
  /** Of files that were made ready to be dragged out; the least used go first. */
  readonly dragCacheMB: number
  /** The desktop opens with the session, without a window. The system's own list of login items has the last word. */
  readonly launchAtLogin: boolean
  /** What the desktop tells while its window is not in front; `attention` is what needs a person, and failures. */
  readonly notifications: 'all' | 'attention' | 'none'
  /** What quitting the desktop does with running bottles: ask, let them go on without the app, or freeze them first. */
  readonly quitWithRunning: 'ask' | 'leave' | 'freeze'
  /** When running bottles are frozen by themselves; each time within the seconds that the system gives. */
  readonly freezeOnSleep: boolean
  readonly freezeOnLowBattery: boolean
  readonly freezeOnShutdown: boolean
  /** Percent of the battery from which on it is low. */
  readonly lowBatteryPercent: number
  /** The chord that brings the window to the front from anywhere. */
  readonly globalShortcut: 'none' | 'mod+alt+i' | 'mod+alt+b' | 'mod+shift+space'
}

type Rule =
  | { readonly type: 'boolean'; readonly default: boolean }
  | { readonly type: 'string'; readonly enum: readonly string[]; readonly default: string }
  | { readonly type: 'integer'; readonly minimum: number; readonly maximum: number; readonly default: number }

/**
 * The one definition of the settings file, `<root>/icebox/settings.json`, for every program that opens it:
 * conf in CLI and server, electron-store on the desktop. Each rule is plain JSON Schema.
 */
export const SETTINGS = {
  folder: 'icebox',
  name: 'settings',
  /** Of the file's format: a major step is one that older programs must not write over. */
  version: '1.1.0',
  fileMode: 0o600,
  rules: {
    theme: { type: 'string', enum: ['system', 'light', 'dark'], default: 'system' },
    closeToTray: { type: 'boolean', default: true },
    keepPortableCopies: { type: 'boolean', default: false },
    trashDays: { type: 'integer', minimum: 1, maximum: 365, default: 7 },
    importMaxGigabytes: { type: 'integer', minimum: 1, maximum: 1_048_576, default: 1024 },
    importMaxEntries: { type: 'integer', minimum: 1000, maximum: 1_000_000_000, default: 5_000_000 },
    importMaxRatio: { type: 'integer', minimum: 10, maximum: 1_000_000, default: 1000 },
    importRatioFromMB: { type: 'integer', minimum: 1, maximum: 1_048_576, default: 4096 },
    retentionLast: { type: 'integer', minimum: 1, maximum: 10_000, default: 20 },
    retentionHourly: { type: 'integer', minimum: 0, maximum: 10_000, default: 24 },
    retentionDaily: { type: 'integer', minimum: 0, maximum: 10_000, default: 14 },
    retentionWeekly: { type: 'integer', minimum: 0, maximum: 10_000, default: 26 },
    autoThin: { type: 'boolean', default: false },
    minFreeMB: { type: 'integer', minimum: 0, maximum: 1_000_000, default: 500 },
    dragCacheMB: { type: 'integer', minimum: 0, maximum: 1_000_000, default: 2000 },
    launchAtLogin: { type: 'boolean', default: false },
    notifications: { type: 'string', enum: ['all', 'attention', 'none'], default: 'all' },
    quitWithRunning: { type: 'string', enum: ['ask', 'leave', 'freeze'], default: 'ask' },
    // Sleep and an empty battery end nothing by themselves, so nobody finds snapshots that they did not ask for.
    freezeOnSleep: { type: 'boolean', default: false },
    freezeOnLowBattery: { type: 'boolean', default: false },
    // A shutdown kills every agent in the middle of what it writes.
    freezeOnShutdown: { type: 'boolean', default: true },
    lowBatteryPercent: { type: 'integer', minimum: 2, maximum: 50, default: 10 },
    globalShortcut: {
      type: 'string',
      enum: ['none', 'mod+alt+i', 'mod+alt+b', 'mod+shift+space'],
      default: 'none',
    },
  } satisfies Record<keyof Settings, Rule>,
} as const

const RULES: Readonly<Record<string, Rule>> = SETTINGS.rules

/** Names of known settings whose stored value is wrong. */
export function wrongSettings(stored: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(stored).filter(
    (key) => Object.hasOwn(RULES, key) && settingProblem(key, stored[key]) !== null,
  )
}

/** What is wrong with a value, as the end of the sentence "<key> must be …"; null when nothing is. */
export function settingProblem(key: string, value: unknown): string | null {
  const rule = Object.hasOwn(RULES, key) ? RULES[key] : undefined
  if (!rule) return `one of ${Object.keys(RULES).join(', ')}`
  switch (rule.type) {
    case 'boolean':
      return typeof value === 'boolean' ? null : 'true or false'
    case 'string':
      return typeof value === 'string' && rule.enum.includes(value) ? null : `one of ${rule.enum.join(', ')}`
    case 'integer':
      return Number.isInteger(value) && Number(value) >= rule.minimum && Number(value) <= rule.maximum
        ? null
        : `a whole number from ${rule.minimum} to ${rule.maximum}`
  }
}

/** Every known setting: the stored value where it is valid, else the default. Unknown keys are left out. */
export function effectiveSettings(stored: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(RULES).map(([key, rule]) => [
      key,
      Object.hasOwn(stored, key) && settingProblem(key, stored[key]) === null ? stored[key] : rule.default,
    ]),
  )
}
