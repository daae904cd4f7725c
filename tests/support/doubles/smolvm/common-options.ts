import type { CommandSpec, OptionSpec } from './clap.ts'

/** Options of some versions only. */
export const when = (condition: boolean, ...items: readonly OptionSpec[]): readonly OptionSpec[] =>
  condition ? items : []
/** Commands of some versions only. */
export const also = (condition: boolean, ...items: readonly CommandSpec[]): readonly CommandSpec[] =>
  condition ? items : []

export const NAME: OptionSpec = {
  long: 'name',
  short: 'n',
  value: 'NAME',
  help: 'Machine (default: "default")',
}
export const JSON_SWITCH: OptionSpec = { long: 'json', help: 'Print JSON' }
export const ENV: OptionSpec = {
  long: 'env',
  short: 'e',
  value: 'KEY=VALUE',
  many: true,
  help: 'Set a variable',
}
export const WORKDIR: OptionSpec = { long: 'workdir', short: 'w', value: 'DIR', help: 'Working folder' }
export const TIMEOUT: OptionSpec = {
  long: 'timeout',
  value: 'DURATION',
  kind: 'duration',
  help: 'End the command after this time',
}
export const INTERACTIVE: OptionSpec = { long: 'interactive', short: 'i', help: 'Keep stdin open' }
export const TTY: OptionSpec = { long: 'tty', short: 't', help: 'Give the command a terminal' }
export const PROXY: readonly OptionSpec[] = [
  { long: 'proxy', value: 'URL', help: 'Proxy for image pulls' },
  { long: 'no-proxy', value: 'LIST', help: 'Hosts reached without the proxy' },
]
export const SECRETS: readonly OptionSpec[] = [
  { long: 'secret-env', value: 'GUEST_VAR=HOST_VAR', many: true, help: 'Secret from a variable of the host' },
  { long: 'secret-file', value: 'GUEST_VAR=PATH', many: true, help: 'Secret from a file of the host' },
]
