import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { writeImageArchive } from '../support/doubles/lib/image-archive.ts'
import { addRegistryImage } from '../support/doubles/smolvm/images.ts'
import { readPack } from '../support/doubles/smolvm/pack-file.ts'
import { installSmolvm, type SmolvmWorld } from '../support/doubles/smolvm/world.ts'

const PHASES = [
  'Packing VM',
  'Collecting runtime',
  'Collecting agent',
  'Creating storage',
  'Starting agent VM',
  'Packed:',
  'Assets:',
  '',
  'Run with:',
]

const pack = (world: SmolvmWorld, name: string, output: string, ...further: readonly string[]) =>
  world.run('pack', 'create', '--from-vm', name, '-o', join(world.double.dir, output), ...further)
const sidecar = (world: SmolvmWorld, output: string) => join(world.double.dir, `${output}.smolmachine`)

describe('packs of the double, 1.9.3', () => {
  let world: SmolvmWorld
  beforeAll(async () => {
    world = await installSmolvm('1.9.3', { Env: ['FROM_IMAGE=yes'], Cmd: ['sleep', '1000'], User: 'user' })
    world.up('box', '--cpus', '3', '--mem', '1024', '--label', 'a=b', '-e', 'OWN=1', '-p', '8080:80')
  })
  afterAll(() => world.dispose())
  afterEach(() => world.double.setKnobs({}))

  it('refuses what runs, what is not there and a sidecar for an output, in this order', () => {
    expect(pack(world, 'box', 'x.smolmachine').stderr).toContain(
      'config operation failed: pack create: --output names the executable stub, not the .smolmachine sidecar',
    )
    expect(pack(world, 'gone', 'x').stderr).toBe(
      "Error: agent operation failed: pack from VM: VM 'gone' not found\n",
    )
    expect(pack(world, 'box', 'x')).toMatchObject({
      ...{ exitCode: 1, stdout: '' },
      stderr:
        "Error: agent operation failed: pack from VM: VM 'box' is running. Stop it first with: smolvm machine stop --name box\n",
    })
    expect(existsSync(join(world.double.dir, 'x'))).toBe(false)
  })

  it('carries the files of the disk, and drops what a real pack drops', () => {
    world.must(
      'machine',
      'exec',
      '--name',
      'box',
      '--',
      'sh',
      '-c',
      'echo kept > /home/user/file; chmod 640 /home/user/file; ln -s file /home/user/link; ln /home/user/file /home/user/twin; echo gone > /tmp/file',
    )
    world.double.run(['machine', 'exec', '--name', 'box', '-i', '--', 'sh', '-c', 'id -u'])
    world.must('machine', 'stop', '--name', 'box')
    const made = pack(world, 'box', 'one', '--cpus', '1', '--mem', '512')
    expect(made.exitCode).toBe(0)
    const lines = made.stdout.trimEnd().split('\n')
    expect(lines.map((line, at) => line.startsWith(PHASES[at] ?? '?'))).toEqual(PHASES.map(() => true))
    expect(statSync(join(world.double.dir, 'one')).mode & 0o111).not.toBe(0)
    const { manifest } = readPack(sidecar(world, 'one'))
    expect(manifest).toMatchObject({
      mode: 'container',
      image: world.reference,
      cpus: 1,
      mem: 512,
      network: true,
    })
    expect(manifest.env).toEqual(expect.arrayContaining(['FROM_IMAGE=yes', 'OWN=1']))
    expect(manifest).not.toHaveProperty('user')
    expect(manifest).not.toHaveProperty('checkpoint')
    expect(JSON.stringify(manifest)).not.toMatch(/8080|labels/)

    world.must('machine', 'create', '--name', 'back', '--from', sidecar(world, 'one'))
    world.must('machine', 'start', '--name', 'back')
    expect(
      world.inside(
        'back',
        'cat /home/user/link; stat -c %a:%u:%h /home/user/file; ls /tmp /workspace; echo $OWN; id -u',
      ),
    ).toBe('kept\n640:1000:2\n/tmp:\n\n/workspace:\n1\n0\n')
    const rows: readonly Record<string, unknown>[] = JSON.parse(world.must('machine', 'ls', '--json'))
    expect(rows.find(({ name }) => name === 'back')).toMatchObject({
      cpus: 1,
      memory_mib: 512,
      labels: {},
      ports: 0,
    })
  })

  it('takes sizes from its flags and never from the machine', () => {
    expect(pack(world, 'box', 'plain').exitCode).toBe(0)
    expect(readPack(sidecar(world, 'plain')).manifest).toMatchObject({ cpus: 4, mem: 8192 })
  })

  it('overwrites without asking, and leaves nothing of its preparation', () => {
    const staging = join(world.double.dir, 'staging')
    expect(pack(world, 'box', 'plain', '--staging-dir', staging).exitCode).toBe(0)
    expect(readdirSync(staging)).toEqual([])
  })

  it('packs again what was made from a pack, all of it', () => {
    world.must('machine', 'exec', '--name', 'back', '--', 'sh', '-c', 'echo second > /root/second')
    world.must('machine', 'stop', '--name', 'back')
    expect(pack(world, 'back', 'two').exitCode).toBe(0)
    world.must('machine', 'create', '--name', 'again', '--from', sidecar(world, 'two'))
    world.must('machine', 'start', '--name', 'again')
    expect(world.inside('again', 'cat /home/user/file /root/second')).toBe('kept\nsecond\n')
  })

  it('makes no pack of a local image, of what never started, or of a clone', () => {
    world.must('machine', 'create', '--name', 'local', '--image', world.archive)
    world.must('machine', 'start', '--name', 'local')
    world.must('machine', 'stop', '--name', 'local')
    expect(pack(world, 'local', 'x').stderr).toMatch(
      /VM 'local' was created from a local image \(local:[0-9a-f]{64}\)/,
    )
    world.must('machine', 'create', '--name', 'fresh', '--image', world.reference, '--net')
    expect(pack(world, 'fresh', 'x').stderr).toContain("machine 'fresh' has no storage disk yet")
    world.must('machine', 'create', '--name', 'bare')
    expect(pack(world, 'bare', 'x').stderr).toContain('overlay disk not found at')
    expect(existsSync(sidecar(world, 'x'))).toBe(false)
  })

  it('is poisoned by a secret that the machine names', () => {
    world.up('secret', '--secret-env', 'TOKEN=HOME')
    expect(world.inside('secret', 'echo $TOKEN')).toBe(`${process.env.HOME ?? ''}\n`)
    world.must('machine', 'stop', '--name', 'secret')
    expect(pack(world, 'secret', 'poisoned').exitCode).toBe(0)
    const made = world.run('machine', 'create', '--name', 'x', '--from', sidecar(world, 'poisoned'))
    expect(made.stderr).toMatch(/secret 'TOKEN': .*\(packs may not carry secret refs\)/)
    expect(world.run('machine', 'status', '--name', 'x').exitCode).toBe(1)
  })

  it('refuses an artifact that is missing, cut, changed or for other machines, and leaves no machine', () => {
    const create = (path: string) => world.run('machine', 'create', '--name', 'x', '--from', path)
    const path = join(world.double.dir, 'bad.smolmachine')
    expect(create(path).stderr).toBe(
      `Error: config operation failed: create from .smolmachine: file not found: ${path}\n`,
    )
    const bytes = readFileSync(sidecar(world, 'plain'))
    writeFileSync(path, bytes.subarray(0, -1))
    expect(create(path).stderr).toContain('invalid magic')
    const changed = Buffer.from(bytes)
    changed[5000] = (changed[5000] ?? 0) ^ 1
    writeFileSync(path, changed)
    expect(create(path).stderr).toContain('checksum mismatch')
    const other = process.arch === 'arm64' ? 'linux/amd64' : 'linux/arm64'
    writeFileSync(
      path,
      Buffer.from(
        bytes.toString('latin1').replace(/"platform": "linux\/a..64"/, `"platform": "${other}"`),
        'latin1',
      ),
    )
    expect(create(path).stderr).toContain(`artifact is for ${other}`)
    expect(world.run('machine', 'status', '--name', 'x').stderr).toBe('Error: vm not found: x\n')
  })

  it('stands on what the registry has at that moment', () => {
    world.up('moving')
    world.inside('moving', 'true')
    world.must(
      'machine',
      'exec',
      '--name',
      'moving',
      '--',
      'sh',
      '-c',
      'echo own > /home/user/own; rm /home/user/none 2>/dev/null; true',
    )
    world.must('machine', 'stop', '--name', 'moving')
    const tree = join(world.double.dir, 'tree')
    const moved = join(world.double.dir, 'moved.tar')
    writeFileSync(join(tree, 'etc/moved'), 'moved base')
    writeImageArchive(moved, tree, { reference: world.reference, kind: 'docker' })
    addRegistryImage(world.double.dir, world.reference, moved)
    expect(pack(world, 'moving', 'moved').exitCode).toBe(0)
    world.must('machine', 'create', '--name', 'moved', '--from', sidecar(world, 'moved'))
    world.must('machine', 'start', '--name', 'moved')
    expect(world.inside('moved', 'cat /etc/moved /home/user/own')).toBe('moved baseown\n')
    // A digest stays what it was.
    world.must(
      'machine',
      'create',
      '--name',
      'pinned',
      '--image',
      `docker.io/library/box@${world.digest}`,
      '--net',
    )
    world.must('machine', 'start', '--name', 'pinned')
    expect(world.inside('pinned', 'ls /etc')).not.toContain('moved')
    addRegistryImage(world.double.dir, world.reference, world.archive)
    rmSync(join(tree, 'etc/moved'))
  })

  it('says when the disk is full, and leaves what it had written', () => {
    world.double.setKnobs({ faults: [{ verb: 'pack create', kind: 'disk-full', bytes: 100_000 }] })
    const staging = join(world.double.dir, 'staging')
    expect(pack(world, 'box', 'full', '--staging-dir', staging)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('No space left on device'),
    })
    expect(statSync(sidecar(world, 'full')).size).toBe(100_000)
    expect(readdirSync(staging)).toEqual([])
  })

  it('leaves everything behind when it is killed', () => {
    world.double.setKnobs({ faults: [{ verb: 'pack create', kind: 'kill', bytes: 100_000 }] })
    const staging = join(world.double.dir, 'staging')
    expect(pack(world, 'box', 'killed', '--staging-dir', staging).exitCode).toBeNull()
    expect(readdirSync(staging)).toEqual([expect.stringMatching(/^pack-staging-/)])
    rmSync(join(staging, readdirSync(staging)[0] ?? 'none'), { recursive: true })
  })

  it('can lose its files in silence, and tell of a helper that never came up', () => {
    world.double.setKnobs({ faults: [{ verb: 'pack create', kind: 'hollow' }] })
    expect(pack(world, 'box', 'hollow').exitCode).toBe(0)
    world.double.setKnobs({ extra: { helperFails: true } })
    expect(pack(world, 'box', 'x').stderr).toContain('agent did not become ready within 30 seconds')
    world.double.setKnobs({})
    world.must('machine', 'create', '--name', 'hollow', '--from', sidecar(world, 'hollow'))
    world.must('machine', 'start', '--name', 'hollow')
    expect(world.inside('hollow', 'ls /home/user')).toBe('')
  })

  it('is shown without a machine', () => {
    expect(JSON.parse(world.must('pack', 'inspect', sidecar(world, 'one'), '--json'))).toMatchObject({
      cpus: 1,
    })
    expect(
      world.run('pack', 'run', '--sidecar', sidecar(world, 'one'), '--', 'cat', '/home/user/file'),
    ).toMatchObject({ exitCode: 0, stdout: 'kept\n' })
  })
})

describe('packs of other versions', () => {
  const inWorld = async (version: string, work: (world: SmolvmWorld) => void) => {
    const world = await installSmolvm(version, { User: 'user', Cmd: ['sleep', '1000'] })
    try {
      work(world)
    } finally {
      await world.dispose()
    }
  }

  it('1.0.2 takes a sidecar for an output, and loses the first pack when it packs again', () =>
    inWorld('1.0.2', (world) => {
      world.up('box')
      world.inside('box', 'echo first > /home/user/first')
      world.must('machine', 'stop', '--name', 'box')
      expect(pack(world, 'box', 'odd.smolmachine').exitCode).toBe(0)
      const odd = join(world.double.dir, 'odd.smolmachine.smolmachine')
      world.must('machine', 'create', '--name', 'two', '--from', odd)
      world.must('machine', 'start', '--name', 'two')
      world.must(
        'machine',
        'exec',
        '--name',
        'two',
        '--',
        'sh',
        '-c',
        'cat /home/user/first; echo second > /home/user/second',
      )
      world.must('machine', 'stop', '--name', 'two')
      expect(pack(world, 'two', 'again').exitCode).toBe(0)
      world.must('machine', 'create', '--name', 'three', '--from', sidecar(world, 'again'))
      world.must('machine', 'start', '--name', 'three')
      expect(world.inside('three', 'ls /home/user')).toBe('second\n')
    }))

  it('1.23.0 packs local images, keeps the user, and carries /workspace when told to', () =>
    inWorld('1.23.0', (world) => {
      world.must('machine', 'create', '--name', 'box', '--image', world.archive)
      world.must('machine', 'start', '--name', 'box')
      world.must('machine', 'exec', '--name', 'box', '--', 'true')
      writeFileSync(
        join(world.must('machine', 'data-dir', '--name', 'box').trim(), 'storage/workspace/file'),
        'work',
      )
      world.must('machine', 'stop', '--name', 'box')
      for (const [output, flags] of [
        ['with', ['--include-workspace']],
        ['without', []],
      ] as const) {
        expect(pack(world, 'box', output, ...flags).exitCode).toBe(0)
        world.must('machine', 'create', '--name', output, '--from', sidecar(world, output))
        world.must('machine', 'start', '--name', output)
      }
      expect(world.inside('with', 'cat /workspace/file; id -u')).toBe('work1000\n')
      expect(world.inside('without', 'ls /workspace')).toBe('')
    }))
})
