import { describe, expect, it } from 'vitest'
import {
  readFeatures,
  type SmolFeatures,
  type Version,
} from '../../../../src-main/backends/smolmachines/features.ts'
import {
  createArgs,
  dataDirArgs,
  deleteArgs,
  execArgs,
  type MachineSpec,
  withoutNetworkArgs,
} from '../../../../src-main/backends/smolmachines/grammar.ts'

const HELP = {
  machine: '  create   Create a machine\n  ls       List\n',
  create: '      --image <IMAGE>\n',
  exec: '      --name <NAME>\n',
  pack: '  -o, --output <PATH>\n',
}
const features = (version: Version, more: Partial<SmolFeatures> = {}): SmolFeatures => ({
  ...readFeatures(version, HELP),
  ...more,
})
const old = features([1, 0, 1])
const flags = features([1, 0, 2], { hasNameFlag: true })
const newest = features([1, 23, 0], {
  ...{ hasNameFlag: true, labels: true, checkpoint: true, netBackend: true, createUser: true },
})
const spec: MachineSpec = {
  name: 'bot-bottle-web',
  source: { kind: 'image', reference: 'docker.io/library/box@sha256:00' },
  cpus: 2,
  memoryMib: 512,
  network: true,
  mounts: [{ source: '/a', target: '/b', readOnly: true }],
  user: 'node',
  labels: { 'dev.icebox.root': 'r', 'dev.icebox.slug': 'web=1' },
}

describe('create', () => {
  it('takes the name by position up to 1.0.1, and has neither labels nor a user', () => {
    expect(createArgs(old, spec)).toEqual([
      ...['machine', 'create', 'bot-bottle-web', '--image', 'docker.io/library/box@sha256:00'],
      ...['--cpus', '2', '--mem', '512', '--net', '-v', '/a:/b:ro'],
    ])
  })

  it('takes the name by flag from 1.0.2 on', () => {
    expect(createArgs(flags, spec).slice(0, 4)).toEqual(['machine', 'create', '--name', 'bot-bottle-web'])
  })

  it('names owner, user and network card where the version can', () => {
    const args = createArgs(newest, spec).join(' ')
    expect(args).toContain('--net --net-backend virtio-net')
    expect(args).toContain('--user node')
    expect(args).toContain('--label dev.icebox.root=r --label dev.icebox.slug=web=1')
  })

  it('leaves a machine without network without one', () => {
    expect(createArgs(newest, { ...spec, network: false })).not.toContain('--net')
  })

  it('says sizes always, but for a checkpoint, which refuses them', () => {
    const pack = createArgs(newest, { ...spec, source: { kind: 'pack', path: '/x.smolmachine' } })
    expect(pack).toEqual(expect.arrayContaining(['--from', '/x.smolmachine', '--cpus', '--mem']))
    const checkpoint = createArgs(newest, {
      ...spec,
      source: { kind: 'checkpoint', path: '/x.smolcheckpoint' },
    })
    expect(checkpoint).toContain('--from')
    expect(checkpoint).not.toContain('--cpus')
    expect(checkpoint).not.toContain('--mem')
  })

  it('never names a secret', () => {
    expect(createArgs(newest, spec).join(' ')).not.toMatch(/secret/)
  })
})

describe('other verbs', () => {
  it('delete without a question, in every version', () => {
    expect(deleteArgs(old, 'a')).toEqual(['machine', 'delete', 'a', '-f'])
    expect(deleteArgs(flags, 'a')).toEqual(['machine', 'delete', '--name', 'a', '-f'])
  })

  it('find disks and take the network away by the version’s way of naming', () => {
    expect(dataDirArgs(old, 'a')).toEqual(['machine', 'data-dir', 'a'])
    expect(withoutNetworkArgs(flags, 'a')).toEqual(['machine', 'update', '--name', 'a', '--no-net'])
  })

  it('keep the guest’s words behind the line', () => {
    expect(
      execArgs('a', ['sh', '-c', '--name'], { workdir: '/w', stdin: true, stream: true, timeoutSeconds: 20 }),
    ).toEqual([
      ...['machine', 'exec', '--name', 'a', '-w', '/w', '--timeout', '20s', '-i', '--stream'],
      ...['--', 'sh', '-c', '--name'],
    ])
  })
})
