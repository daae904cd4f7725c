import type { OptionSpec } from './arguments.ts'

const flag = (...names: string[]): OptionSpec => ({ names, kind: 'flag' })
const value = (...names: string[]): OptionSpec => ({ names, kind: 'value' })
const list = (...names: string[]): OptionSpec => ({ names, kind: 'list' })

export const DEBUG = flag('debug')
export const integer = (...names: string[]): OptionSpec => ({ names, kind: 'value', check: 'integer' })
export const choice = (name: string, choices: readonly string[]): OptionSpec => ({
  names: [name],
  kind: 'value',
  check: choices,
})
export { flag, list, value }

/** How a process is run: `create`, `run` and `exec`. */
export const PROCESS: readonly OptionSpec[] = [
  list('e', 'env'),
  list('env-file'),
  integer('gid'),
  flag('i', 'interactive'),
  flag('t', 'tty'),
  value('u', 'user'),
  integer('uid'),
  value('w', 'workdir', 'cwd'),
  list('ulimit'),
]

export const RESOURCES: readonly OptionSpec[] = [integer('c', 'cpus'), value('m', 'memory')]

/** How a container is made: `create` and `run`. */
export const MANAGEMENT: readonly OptionSpec[] = [
  value('a', 'arch'),
  list('cap-add'),
  list('cap-drop'),
  value('cidfile'),
  flag('d', 'detach'),
  list('dns'),
  value('dns-domain'),
  list('dns-option'),
  list('dns-search'),
  value('entrypoint'),
  flag('init'),
  value('init-image'),
  value('k', 'kernel'),
  list('kernel-arg'),
  list('l', 'label'),
  list('masked-path'),
  list('mount'),
  value('name'),
  list('network'),
  flag('no-dns'),
  value('os'),
  value('platform'),
  list('p', 'publish'),
  list('publish-socket'),
  flag('read-only'),
  list('read-only-path'),
  flag('rm', 'remove'),
  flag('rosetta'),
  value('runtime'),
  value('shm-size'),
  flag('ssh'),
  list('tmpfs'),
  flag('virtualization'),
  list('v', 'volume'),
  choice('scheme', ['http', 'https', 'auto']),
  integer('max-concurrent-downloads'),
]

export const PROGRESS = choice('progress', ['auto', 'none', 'ansi', 'plain', 'color'])
