import type { ConfigChange } from '../../../src-preload/contract/index.ts'
import type { Platform, RunConfig } from '../../backends/portable.ts'

/**
 * What differs in how two images run: each variable, port, volume and label by itself, everything else as a whole.
 * Sorted by key. Pure.
 */
export function compareConfigs(
  before: { readonly config: RunConfig; readonly platform: Platform },
  after: { readonly config: RunConfig; readonly platform: Platform },
): ConfigChange[] {
  const [a, b] = [flatten(before), flatten(after)]
  const keys = [...new Set([...a.keys(), ...b.keys()])].sort()
  return keys.flatMap((key) => {
    const [was, is] = [a.get(key) ?? null, b.get(key) ?? null]
    return was === is ? [] : [{ key, before: was, after: is }]
  })
}

function flatten({
  config,
  platform,
}: {
  readonly config: RunConfig
  readonly platform: Platform
}): ReadonlyMap<string, string> {
  const flat = new Map<string, string>()
  const set = (key: string, value: string | undefined) => {
    if (value !== undefined && value !== '') flat.set(key, value)
  }
  const list = (value: readonly string[] | undefined) => (value?.length ? JSON.stringify(value) : undefined)
  for (const line of config.Env ?? []) {
    const at = line.indexOf('=')
    // A variable that is set to nothing is set all the same.
    flat.set(`Env.${at < 0 ? line : line.slice(0, at)}`, at < 0 ? '' : line.slice(at + 1))
  }
  for (const [name, value] of Object.entries(config.Labels ?? {})) {
    // Icebox's own labels name the snapshot itself, so they differ in any two.
    if (!name.startsWith('dev.icebox.')) flat.set(`Labels.${name}`, value)
  }
  for (const port of Object.keys(config.ExposedPorts ?? {})) flat.set(`ExposedPorts.${port}`, 'exposed')
  for (const volume of Object.keys(config.Volumes ?? {})) flat.set(`Volumes.${volume}`, 'volume')
  set('User', config.User)
  set('WorkingDir', config.WorkingDir)
  set('StopSignal', config.StopSignal)
  set('Entrypoint', list(config.Entrypoint))
  set('Cmd', list(config.Cmd))
  set('Shell', list(config.Shell))
  set('Healthcheck', config.Healthcheck && stableJson(config.Healthcheck))
  const { os, architecture, variant } = platform
  set('Platform', [os, architecture, variant].filter(Boolean).join('/'))
  return flat
}

/** Engines write keys in any order. */
function stableJson(value: object): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))),
  )
}
