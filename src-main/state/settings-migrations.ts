/** One change of the file's keys, as data. A step on a key that is not there does nothing. */
export type SettingsStep =
  | { readonly do: 'rename'; readonly from: string; readonly to: string }
  | { readonly do: 'drop'; readonly key: string }
  /** Old value, as JSON, → new value; other values stay. */
  | { readonly do: 'replace'; readonly key: string; readonly values: Readonly<Record<string, unknown>> }

/** The way from the version before to this one. */
export interface SettingsMigration {
  readonly to: string
  readonly steps: readonly SettingsStep[]
}

/** Oldest first. New keys need no step: they have defaults. A step that older programs can't live with is a new major version. */
export const SETTINGS_MIGRATIONS: readonly SettingsMigration[] = []

/** What a file without a version is. */
const FIRST_VERSION = '1.0.0'
/** Where conf keeps its books, in every file that it writes. */
const BOOKS = '__internal__'

type Stored = Readonly<Record<string, unknown>>

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Stored)[name] : undefined
}

/** The version of the program that wrote the file last, as conf records it. */
export function storedVersion(stored: Stored): string {
  const version = field(field(stored[BOOKS], 'migrations'), 'version')
  return typeof version === 'string' && /^\d+\.\d+\.\d+/.test(version) ? version : FIRST_VERSION
}

/** Below zero when a version is older than another one, above when it is newer. */
export function compareVersions(one: string, other: string): number {
  const parts = (version: string): number[] =>
    version
      .split(/[-+]/, 1)
      .flatMap((numbers) => numbers.split('.'))
      .map(Number)
  const [a, b] = [parts(one), parts(other)]
  const at = a.findIndex((part, index) => part !== b[index])
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}

/** True when a program of this version must not write the file: it can't know what the file's keys mean now. */
export function isNewerMajor(version: string, own: string): boolean {
  return Number.parseInt(version, 10) > Number.parseInt(own, 10)
}

/** The keys after one migration. Pure. */
export function migrateOnce(stored: Stored, { steps }: SettingsMigration): Record<string, unknown> {
  const next: Record<string, unknown> = { ...stored }
  for (const step of steps) {
    switch (step.do) {
      case 'rename':
        if (!Object.hasOwn(next, step.from)) break
        next[step.to] = next[step.from]
        delete next[step.from]
        break
      case 'drop':
        delete next[step.key]
        break
      case 'replace': {
        const was = JSON.stringify(next[step.key])
        if (was !== undefined && Object.hasOwn(step.values, was)) next[step.key] = step.values[was]
      }
    }
  }
  return next
}

/** The keys as this version means them, whatever version wrote them. Pure; the books stay as they are. */
export function migrateStored(
  stored: Stored,
  migrations: readonly SettingsMigration[],
): Record<string, unknown> {
  const from = storedVersion(stored)
  return migrations
    .filter(({ to }) => compareVersions(from, to) < 0)
    .reduce<Record<string, unknown>>(migrateOnce, { ...stored })
}

/** The keys with a version in the books. Pure. */
export function withVersion(stored: Stored, version: string): Record<string, unknown> {
  return { ...stored, [BOOKS]: { migrations: { version } } }
}
