import type { CommandSpec, OptionSpec } from './clap.ts'
import { ENV, INTERACTIVE, JSON_SWITCH, PROXY, TIMEOUT, TTY, WORKDIR, when } from './common-options.ts'
import type { Features } from './versions.ts'

/** `pack` and what is below it. */
export function packCommands(features: Features): readonly CommandSpec[] {
  const staging: OptionSpec = { long: 'staging-dir', value: 'DIR', help: 'Where the pack is prepared' }
  return [
    {
      name: 'create',
      about: 'Package an image or a stopped machine',
      options: [
        { long: 'image', short: 'I', value: 'IMAGE', conflicts: ['from-vm'], help: 'Image to package' },
        { long: 'from-vm', value: 'VM_NAME', help: 'Stopped machine to package' },
        ...when(features.repackKeepsLayers, {
          ...{ long: 'rebase-from-image', requires: 'from-vm', help: 'Pull the image again as the base' },
        }),
        { long: 'output', short: 'o', value: 'PATH', required: true, help: 'Executable that is made' },
        { long: 'cpus', value: 'N', kind: 'number', help: 'CPUs of machines made from it [default: 4]' },
        {
          long: 'mem',
          value: 'MiB',
          kind: 'number',
          help: 'Memory of machines made from it [default: 8192]',
        },
        { long: 'oci-platform', value: 'OS/ARCH', help: 'Platform of the image' },
        { long: 'entrypoint', value: 'CMD', help: 'Program of machines made from it' },
        { long: 'no-sign', help: 'Do not sign' },
        { long: 'single-file', help: 'One executable without a sidecar' },
        { long: 'smolfile', short: 's', value: 'PATH', help: 'Read settings from a Smolfile' },
        { long: 'gpu', help: 'With a GPU' },
        ...['stub', 'lib-dir', 'rootfs-dir'].map((long) => ({ long, value: 'PATH', hidden: true, help: '' })),
        ...when(features.stagingDir, staging),
        ...when(features.includeWorkspace, { long: 'include-workspace', help: 'Carry /workspace too' }),
        ...PROXY,
      ],
      positionals: [],
    },
    {
      name: 'run',
      about: 'Run a VM from a packed .smolmachine sidecar file',
      options: [
        { long: 'sidecar', value: 'PATH', help: 'The sidecar' },
        ...[INTERACTIVE, TTY, TIMEOUT, WORKDIR, ENV],
        { long: 'volume', short: 'v', value: 'HOST:GUEST[:ro]', many: true, help: 'Mount a folder' },
        { long: 'port', short: 'p', value: 'HOST:GUEST', kind: 'port', many: true, help: 'Forward a port' },
        { long: 'net', help: 'Give it a network' },
        { long: 'cpus', value: 'N', kind: 'number', help: 'CPUs' },
        { long: 'mem', value: 'MiB', kind: 'number', help: 'Memory' },
        { long: 'force-extract', help: 'Extract again' },
        { long: 'info', help: 'Print the manifest and end' },
      ],
      positionals: [{ name: 'COMMAND', last: true, help: 'What is run' }],
    },
    {
      name: 'push',
      about: 'Push to a registry',
      options: [{ long: 'file', short: 'f', value: 'PATH', required: true, help: 'Sidecar' }],
      positionals: [{ name: 'REFERENCE', required: true, help: 'Where to' }],
    },
    {
      name: 'pull',
      about: 'Pull from a registry',
      options: [{ long: 'output', short: 'o', value: 'PATH', help: 'Sidecar' }],
      positionals: [{ name: 'REFERENCE', required: true, help: 'Where from' }],
    },
    {
      name: 'inspect',
      about: 'Show a packed artifact',
      options: [JSON_SWITCH],
      positionals: [{ name: 'REFERENCE', required: true, help: 'Artifact' }],
    },
    {
      name: 'prune',
      about: 'Remove cached extractions',
      options: [
        { long: 'keep', value: 'N', kind: 'number', help: 'How many stay' },
        { long: 'all', help: 'Remove all' },
        { long: 'dry-run', help: 'Only say what would go' },
      ],
      positionals: [],
    },
  ]
}
