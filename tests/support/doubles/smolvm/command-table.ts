import type { CommandSpec, OptionSpec, PositionalSpec } from './clap.ts'
import {
  also,
  ENV,
  INTERACTIVE,
  JSON_SWITCH,
  NAME,
  PROXY,
  SECRETS,
  TIMEOUT,
  TTY,
  WORKDIR,
  when,
} from './common-options.ts'
import { packCommands } from './pack-commands.ts'
import type { Features } from './versions.ts'

/** The name as this version takes it: a required flag, or the first word. */
function naming(features: Features): {
  readonly options: readonly OptionSpec[]
  readonly positionals: readonly PositionalSpec[]
} {
  return features.flagNames
    ? { options: [{ ...NAME, required: true }], positionals: [] }
    : { options: [], positionals: [{ name: 'NAME', required: true, help: 'Machine' }] }
}

function shaping(features: Features): readonly OptionSpec[] {
  return [
    { long: 'image', short: 'I', value: 'IMAGE', help: 'Container image' },
    { long: 'cpus', value: 'N', kind: 'number', help: 'Virtual CPUs [default: 4]' },
    { long: 'mem', value: 'MiB', kind: 'number', help: 'Memory [default: 8192]' },
    { long: 'storage', value: 'GiB', kind: 'number', help: 'Storage disk [default: 20]' },
    { long: 'overlay', value: 'GiB', kind: 'number', help: 'Overlay disk' },
    { long: 'volume', short: 'v', value: 'HOST:GUEST[:ro]', many: true, help: 'Mount a folder of the host' },
    { long: 'port', short: 'p', value: 'HOST:GUEST', kind: 'port', many: true, help: 'Forward a port' },
    { long: 'net', help: 'Give the machine a network' },
    {
      ...{
        long: 'net-backend',
        value: 'BACKEND',
        choices: ['tsi', 'virtio-net'],
        help: 'How the network is made',
      },
      hidden: !features.flagNames,
    },
    { long: 'allow-cidr', value: 'CIDR', many: true, help: 'Let only these addresses be reached' },
    { long: 'allow-host', value: 'HOSTNAME', many: true, help: 'Let only these names be reached' },
    { long: 'outbound-localhost-only', help: 'Let only the host itself be reached' },
    { long: 'gpu', help: 'Give the machine a GPU' },
    { long: 'gpu-vram', value: 'MiB', kind: 'number', help: 'Memory of the GPU' },
    ENV,
    WORKDIR,
    { long: 'ssh-agent', help: 'Forward the SSH agent' },
    ...SECRETS,
    { long: 'smolfile', short: 's', value: 'PATH', help: 'Read settings from a Smolfile' },
    { long: 'from', value: 'PATH', conflicts: ['image', 'smolfile'], help: 'Make it from an artifact' },
    ...when(
      features.labels,
      { long: 'dns', value: 'IP', help: 'Name server' },
      { long: 'network', value: 'NAME', help: 'Join a named network' },
      { long: 'cuda', help: 'Forward CUDA' },
      { long: 'rosetta', help: 'Run x86 programs' },
      { long: 'docker-socket', help: 'Bridge the socket of Docker' },
      { long: 'max-image-size', value: 'SIZE', help: 'Largest local image' },
    ),
    ...when(features.user, { long: 'user', short: 'u', value: 'USER', help: 'User of the commands' }),
  ]
}

function createCommand(features: Features): CommandSpec {
  return {
    name: 'create',
    about: 'Create a new named machine configuration',
    options: [
      ...when(features.flagNames, NAME),
      ...shaping(features),
      { long: 'init', value: 'COMMAND', many: true, help: 'Run this at the first start' },
      ...when(
        features.labels,
        { long: 'label', value: 'KEY=VALUE', many: true, help: 'Attach a label' },
        { long: 'expose-socket', value: 'GUEST_PATH[:HOST_PATH]', many: true, help: 'Publish a socket' },
        { long: 'mount-socket', value: 'HOST_PATH:GUEST_PATH', many: true, help: 'Mount a socket' },
      ),
      ...when(features.checkpoint, {
        long: 'at',
        value: '~N',
        requires: 'from',
        help: 'Which one of a history',
      }),
      ...when(
        features.restoreCache,
        { long: 'restore-cache-entries', value: 'N', kind: 'number', help: 'Restore bases kept' },
        { long: 'restore-cache-gib', value: 'N', kind: 'number', help: 'Size of the restore bases kept' },
      ),
    ],
    positionals: [
      ...(features.flagNames ? [] : [{ name: 'NAME', help: 'Machine' }]),
      { name: 'COMMAND', last: true, help: 'What the machine runs' },
    ],
  }
}

function machineCommands(features: Features): readonly CommandSpec[] {
  const { options, positionals } = naming(features)
  const simple = (name: string, about: string, further: readonly OptionSpec[] = []): CommandSpec => ({
    ...{ name, about, positionals: [], options: [NAME, ...further] },
  })
  const longName: OptionSpec = { long: 'name', value: 'NAME', required: true, help: 'Machine' }
  const run = { name: 'COMMAND', last: true, help: 'What is run' }
  return [
    {
      name: 'run',
      about: 'Run a container image in an ephemeral machine',
      options: [
        NAME,
        ...shaping(features).filter(({ long }) => long !== 'from' || features.flagNames),
        { long: 'detach', short: 'd', conflicts: ['from'], help: 'Leave the machine running' },
        INTERACTIVE,
        TTY,
        TIMEOUT,
        { long: 'oci-platform', value: 'OS/ARCH', help: 'Platform of the image' },
        ...PROXY,
      ],
      positionals: [run],
    },
    {
      name: 'exec',
      about: 'Run a command in a machine',
      options: [
        { long: 'name', value: 'NAME', help: 'Machine (default: "default")' },
        ...[WORKDIR, ENV, ...SECRETS, TIMEOUT],
        INTERACTIVE,
        TTY,
        { long: 'stream', help: 'Print output as it comes' },
        ...when(features.execDetach, {
          ...{ long: 'detach', short: 'd', help: 'Leave it running and print its PID' },
          conflicts: ['interactive', 'tty', 'stream'],
        }),
      ],
      positionals: [{ ...run, required: true }],
    },
    createCommand(features),
    simple('start', 'Start a machine', [
      { long: 'forkable', hidden: features.branch, help: 'Let it be the source of clones' },
      ...when(features.branch, { long: 'branchable', help: 'Let it be the source of branches' }),
      ...when(
        features.labels,
        { long: 'fork-pool-size', value: 'CLONES', kind: 'number', help: 'CUDA pool' },
        {
          long: 'cuda-vram-limit-mib',
          value: 'MIB',
          kind: 'number',
          requires: 'fork-pool-size',
          help: 'CUDA memory',
        },
      ),
      ...PROXY,
    ]),
    features.branch ? branchCommand() : forkCommand(features),
    simple('stop', 'Stop a running machine'),
    {
      name: 'delete',
      aliases: ['rm'],
      about: 'Delete a machine configuration',
      options: [
        ...options,
        { long: 'force', short: 'f', help: 'Do not ask' },
        ...when(features.cascade, { long: 'cascade', help: 'Delete clones too' }),
      ],
      positionals,
    },
    simple('status', 'Show machine status', [JSON_SWITCH]),
    ...also(features.labels, simple('egress-events', 'Show refused connections', [JSON_SWITCH])),
    {
      name: 'ls',
      aliases: ['list'],
      about: 'List all machines',
      options: [
        { long: 'verbose', short: 'v', help: 'Say more' },
        JSON_SWITCH,
        ...when(features.quiet, { long: 'quiet', short: 'q', help: 'Print names only' }),
      ],
      positionals: [],
    },
    {
      name: 'update',
      about: 'Modify settings on a stopped machine',
      options: [...options, ...updating()],
      positionals,
    },
    {
      name: 'images',
      about: 'List cached images and storage usage',
      options: [longName, JSON_SWITCH],
      positionals: [],
    },
    {
      name: 'prune',
      about: 'Remove unused images and layers',
      options: [
        longName,
        { long: 'dry-run', help: 'Only say what would go' },
        { long: 'all', help: 'Remove used ones too' },
      ],
      positionals: [],
    },
    { ...simple('shell', 'Open an interactive shell in a machine (starts it if stopped)'), aliases: ['sh'] },
    {
      name: 'cp',
      about: 'Copy files between host and machine',
      options: when(
        features.copyOwner,
        { long: 'mode', value: 'OCTAL', help: 'Mode of the file' },
        { long: 'uid', value: 'UID', kind: 'number', help: 'Owner of the file' },
        { long: 'gid', value: 'GID', kind: 'number', help: 'Group of the file' },
      ),
      positionals: [
        { name: 'SRC', required: true, help: 'From: path or machine:/path' },
        { name: 'DST', required: true, help: 'To: path or machine:/path' },
      ],
    },
    simple('monitor', 'Monitor a machine with health checks and restart policy'),
    { name: 'data-dir', about: 'Print the data folder of a machine', options, positionals },
    ...also(features.checkpoint, checkpointCommand(), checkpointLog(), checkpointPrune()),
    ...also(
      features.pause,
      simple('pause', 'Save a machine with its memory and stop it'),
      simple('resume', 'Go on with a paused machine'),
    ),
  ]
}

function updating(): readonly OptionSpec[] {
  return [
    { long: 'volume', short: 'v', value: 'HOST:GUEST[:ro]', many: true, help: 'Add a mount' },
    { long: 'remove-volume', value: 'HOST:GUEST', many: true, help: 'Remove a mount' },
    { long: 'port', short: 'p', value: 'HOST:GUEST', kind: 'port', many: true, help: 'Add a port' },
    { long: 'remove-port', value: 'HOST:GUEST', kind: 'port', many: true, help: 'Remove a port' },
    { long: 'cpus', value: 'N', kind: 'number', help: 'Virtual CPUs' },
    { long: 'mem', value: 'MiB', kind: 'number', help: 'Memory' },
    { long: 'net', help: 'Give it a network' },
    { long: 'no-net', conflicts: ['net'], help: 'Take its network' },
    ENV,
    { long: 'remove-env', value: 'KEY', many: true, help: 'Remove a variable' },
    WORKDIR,
    { long: 'gpu', help: 'Give it a GPU' },
    { long: 'no-gpu', conflicts: ['gpu'], help: 'Take its GPU' },
    { long: 'storage', value: 'GiB', kind: 'number', help: 'Storage disk' },
    { long: 'overlay', value: 'GiB', kind: 'number', help: 'Overlay disk' },
  ]
}

function forkCommand(features: Features): CommandSpec {
  const port: OptionSpec = {
    long: 'port',
    short: 'p',
    value: 'HOST:GUEST',
    kind: 'port',
    many: true,
    help: 'Forward a port',
  }
  const forkable: OptionSpec = { long: 'forkable', help: 'Let the clone be the source of clones' }
  const about = 'Fork a running forkable machine into a new clone'
  if (!features.flagNames)
    return {
      ...{ name: 'fork', about, options: [forkable, port] },
      positionals: [
        { name: 'GOLDEN', required: true, help: 'Machine to clone' },
        { name: 'CLONE', required: true, help: 'Name of the clone' },
      ],
    }
  return {
    ...{ name: 'fork', about, positionals: [] },
    options: [
      { long: 'golden', value: 'NAME', required: true, help: 'Machine to clone' },
      { ...NAME, help: 'Name of the clone', required: !features.labels },
      ...when(features.labels, ...batch(), { long: 'hold', help: 'Hold the clone' }),
      ...[forkable, port, ...when(features.labels, ENV, ...SECRETS)],
    ],
  }
}

function batch(): readonly OptionSpec[] {
  return [
    { long: 'count', value: 'COUNT', kind: 'number', help: 'How many' },
    { long: 'name-prefix', value: 'PREFIX', help: 'Begin of their names' },
    { long: 'parallel', value: 'COUNT', kind: 'number', help: 'How many at once' },
    { long: 'wait-ready', help: 'Wait until the guest says so' },
    { long: 'ready-timeout', value: 'DURATION', kind: 'duration', help: 'How long to wait' },
  ]
}

function branchCommand(): CommandSpec {
  return {
    name: 'branch',
    aliases: ['fork'],
    about: 'Branch a running machine into a new one, memory included',
    options: [
      { long: 'from', aliases: ['golden'], value: 'NAME', required: true, help: 'Machine to branch from' },
      { ...NAME, help: 'Name of the branch' },
      ...batch(),
      { long: 'branchable', aliases: ['forkable'], help: 'Let the branch be the source of branches' },
      { long: 'freeze-source', help: 'Hold the source' },
      { long: 'port', short: 'p', value: 'HOST:GUEST', kind: 'port', many: true, help: 'Forward a port' },
      ENV,
    ],
    positionals: [],
  }
}

function checkpointCommand(): CommandSpec {
  return {
    name: 'checkpoint',
    about: 'Save memory, CPU and disks of a running machine to a file',
    options: [
      { ...NAME, conflicts: ['export-from'] },
      { long: 'output', short: 'o', value: 'PATH', required: true, help: 'File that is made' },
      { long: 'store', value: 'DIR', help: 'Keep the content in a store' },
      { long: 'history', value: 'N', kind: 'number', help: 'How many earlier ones are kept' },
      { long: 'staging-dir', value: 'DIR', help: 'Where it is prepared' },
      { long: 'export-from', value: 'PATH', help: 'Make a file of one in a store' },
      { long: 'at', value: '~N', requires: 'export-from', help: 'Which one of a history' },
    ],
    positionals: [],
  }
}

function checkpointLog(): CommandSpec {
  return {
    name: 'checkpoint-log',
    about: 'Show the history of a checkpoint',
    options: [
      { long: 'store', value: 'DIR', help: 'A store instead of a file' },
      { long: 'machine', value: 'NAME', help: 'Only this machine' },
    ],
    positionals: [{ name: 'PATH', help: 'Checkpoint' }],
  }
}

function checkpointPrune(): CommandSpec {
  return {
    name: 'checkpoint-prune',
    about: 'Remove what no checkpoint of a store needs',
    options: [{ long: 'store', value: 'DIR', required: true, help: 'The store' }],
    positionals: [],
  }
}

/** The whole grammar of a version. */
export function commandTable(features: Features): CommandSpec {
  const group = (
    name: string,
    about: string,
    commands: readonly CommandSpec[],
    aliases?: readonly string[],
  ): CommandSpec => ({
    ...{ name, about, commands, options: [], positionals: [] },
    ...(aliases ? { aliases } : {}),
  })
  return group('smolvm', 'Build and run portable, self-contained virtual machines', [
    group('machine', 'Manage machines', machineCommands(features), ['vm']),
    group('pack', 'Package and run artifacts', packCommands(features)),
  ])
}
