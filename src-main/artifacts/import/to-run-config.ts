import type { Platform, RunConfig } from '../../backends/portable.ts'
import { invalid } from './invalid.ts'
import type { ParsedConfig } from './schemas.ts'

/** Owner marks are made by the backend that loads; an archive may not bring any. */
const OWN_LABEL = /^dev\.icebox\./

/**
 * The part of a foreign image's config that says how it runs; every other key is dropped. Pure.
 * @throws BottleError `artifact-invalid` for text that no program could be given
 */
export function toRunConfig({ config }: ParsedConfig): RunConfig {
  if (!config) return {}
  if (JSON.stringify(config).includes('\\u0000')) throw invalid('its config holds a NUL character.')
  const labels = Object.entries(config.Labels ?? {}).filter(([key]) => !OWN_LABEL.test(key))
  const keys = (record: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.keys(record).map((key) => [key, {}]))
  for (const path of Object.keys(config.Volumes ?? {})) {
    if (!path.startsWith('/') || path.split('/').includes('..')) {
      throw invalid(`its config declares a volume at ${JSON.stringify(path.slice(0, 100))}.`)
    }
  }
  // A line without a value is one that the engine would leave out too.
  const env = (config.Env ?? []).filter((line) => /^[^=]+=/.test(line))
  return {
    ...(config.User ? { User: config.User } : {}),
    ...(env.length > 0 ? { Env: env } : {}),
    ...(config.Entrypoint?.length ? { Entrypoint: config.Entrypoint } : {}),
    ...(config.Cmd?.length ? { Cmd: config.Cmd } : {}),
    ...(config.WorkingDir ? { WorkingDir: config.WorkingDir } : {}),
    ...(config.ExposedPorts ? { ExposedPorts: keys(config.ExposedPorts) } : {}),
    ...(config.Volumes ? { Volumes: keys(config.Volumes) } : {}),
    ...(labels.length > 0 ? { Labels: Object.fromEntries(labels) } : {}),
    ...(config.StopSignal ? { StopSignal: config.StopSignal } : {}),
    ...(config.Healthcheck ? { Healthcheck: config.Healthcheck } : {}),
    ...(config.Shell?.length ? { Shell: config.Shell } : {}),
  }
}

export function toPlatform({ os, architecture, variant }: ParsedConfig): Platform {
  return { os, architecture, ...(variant ? { variant } : {}) }
}
