import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../engine/conformance/suite.ts'
import { installDouble } from '../support/doubles/lib/install.ts'
import { installSmolvm, type SmolvmWorld } from '../support/doubles/smolvm/world.ts'

const NO = { exitCode: 1, stdout: '' }

describe('the double of smolvm 1.9.3', () => {
  let world: SmolvmWorld
  beforeAll(async () => {
    world = await installSmolvm('1.9.3', { Env: ['FROM_IMAGE=yes'], Cmd: ['sleep', '1000'] })
    world.up('box', '--label', 'owner=a=b', '-e', 'OWN=1')
  })
  afterAll(() => world.dispose())
  const machine = (...args: readonly string[]) => world.run('machine', ...args)
  const rows = (): readonly Record<string, unknown>[] => JSON.parse(world.must('machine', 'ls', '--json'))

  it('lists machines in the shape of the version', () => {
    const [row] = rows()
    expect(row).toMatchObject({
      name: 'box',
      state: 'running',
      image: world.reference,
      network: true,
      cmd: ['sleep', '1000'],
    })
    expect(row).toMatchObject({
      labels: { owner: 'a=b' },
      mounts: 0,
      ports: 0,
      ephemeral: false,
      storage_gb: null,
    })
    expect(typeof row?.created_at).toBe('number')
    expect(typeof row?.pid).toBe('number')
    expect(JSON.parse(world.must('machine', 'status', '--name', 'box', '--json'))).toEqual(row)
    expect(existsSync(`/proc/${String(row?.pid)}`)).toBe(true)
  })

  it('refuses a taken name, a bad name, a bad label and an image that nobody can pull', () => {
    expect(machine('create', '--name', 'box')).toMatchObject({
      ...NO,
      stderr:
        "Error: config operation failed: create machine: machine 'box' already exists or is being created\n",
    })
    expect(machine('create', '--name', 'a.b').stderr).toBe(
      "Error: config operation failed: create machine: machine name contains invalid character: '.'\n",
    )
    expect(machine('create', '--name', 'c', '--label', 'x').stderr).toBe(
      "Error: config operation failed: --label: expected KEY=VALUE, got 'x'\n",
    )
    expect(machine('create', '--name', 'c', '--image', 'alpine').stderr).toContain(
      'must be pulled from a registry, but this machine has no network',
    )
    expect(machine('create', '--name', 'c', '-v', `${world.archive}:/x`)).toMatchObject(NO)
    expect(rows()).toHaveLength(1)
  })

  it('says of a machine that is not there, each verb in its own words', () => {
    for (const verb of [['start'], ['stop'], ['status'], ['data-dir'], ['delete', '-f']])
      expect(machine(...verb, '--name', 'gone')).toMatchObject({
        ...NO,
        stderr: 'Error: vm not found: gone\n',
      })
    expect(machine('exec', '--name', 'gone', '--', 'true').stderr).toBe('Error: vm not found: gone\n')
    expect(machine('cp', 'gone:/a', 'b').stderr).toBe('Error: vm not found: gone\n')
    expect(machine('status', '--name', 'gone', '--json').stderr).toBe(
      "Error: config operation failed: machine status: machine 'gone' not found\n",
    )
    expect(machine('exec', '--', 'true').stderr).toBe(
      "Error: agent operation failed: connect: machine 'default' not found\n",
    )
  })

  it('runs commands as the image and the machine say, and ends with their code', () => {
    expect(world.inside('box', 'echo $FROM_IMAGE $OWN; pwd; id -u')).toBe('yes 1\n/workspace\n0\n')
    const { exitCode, stdout, stderr } = machine(
      'exec',
      '--name',
      'box',
      '-e',
      'OWN=2',
      '-w',
      '/tmp',
      '--',
      'sh',
      '-c',
      'echo $OWN; pwd; echo no >&2; exit 7',
    )
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 7, stdout: '2\n/tmp\n', stderr: 'no\n' })
    expect(machine('exec', '--name', 'box', '--', 'sh', '-c', 'kill -9 $$').exitCode).toBe(137)
    expect(machine('exec', '--name', 'box', '--', 'nothing-here').exitCode).toBe(127)
    expect(machine('exec', '--name', 'box', '--timeout', '200ms', '--', 'sleep', '50').exitCode).toBe(124)
  })

  it('gives stdin only with -i', () => {
    const run = (...flags: readonly string[]) =>
      world.double.run(['machine', 'exec', '--name', 'box', ...flags, '--', 'cat'], { input: 'told' }).stdout
    expect([run(), run('--stream'), run('-i')]).toEqual(['', '', 'told'])
  })

  it('holds output back until the end, unless it streams', async () => {
    const path = join(world.double.dir, 'said')
    const said = () => readFileSync(path, 'utf8')
    const start = async (...flags: readonly string[]) => {
      const script =
        'echo early; touch /tmp/said; while [ ! -e /tmp/go ]; do sleep 0.05; done; rm /tmp/go /tmp/said; echo late'
      const out = openSync(path, 'w')
      const args = ['machine', 'exec', '--name', 'box', ...flags, '--', 'sh', '-c', script]
      const child = spawn(world.double.program, args, {
        ...{ env: world.double.env, stdio: ['ignore', out, 'inherit'] },
      })
      closeSync(out)
      const ended = new Promise((resolve) => child.once('close', resolve))
      await until(async () => world.inside('box', 'ls /tmp').includes('said'))
      return { ended, go: () => world.inside('box', 'touch /tmp/go') }
    }
    const live = await start('--stream')
    await until(async () => said() === 'early\n')
    live.go()
    await live.ended
    expect(said()).toBe('early\nlate\n')
    // With a variable of the caller's the call is one of its own, without one another process does it.
    for (const flags of [[], ['-e', 'HOME']]) {
      const held = await start(...flags)
      // What was said had as long to come through as another whole command takes.
      world.inside('box', 'true')
      expect(said()).toBe('')
      held.go()
      await held.ended
      expect(said()).toBe('early\nlate\n')
    }
  })

  it('leaves a detached command running and tells the number the guest knows it by', async () => {
    const pid = machine('exec', '--name', 'box', '-d', '--', 'sleep', '987').stdout.trim()
    // The number is there before the program is.
    await expect
      .poll(() => world.inside('box', `tr '\\0' ' ' < /proc/${pid}/cmdline`), { timeout: 10_000 })
      .toBe('sleep 987 ')
    world.inside('box', `kill ${pid}`)
  })

  it('copies single files into and out of a running machine', () => {
    const local = join(world.double.dir, 'local')
    writeFileSync(local, 'sent')
    world.must('machine', 'cp', local, 'box:/etc/sent', '--mode', '600', '--uid', '1000')
    expect(world.inside('box', 'cat /etc/sent; stat -c %a:%u:%g /etc/sent')).toBe('sent600:1000:0\n')
    world.must('machine', 'cp', 'box:/etc/sent', `${local}.back`)
    expect(readFileSync(`${local}.back`, 'utf8')).toBe('sent')
    expect(machine('cp', 'box:/etc', `${local}.folder`)).toMatchObject(NO)
    expect(machine('cp', world.double.dir, 'box:/etc/folder')).toMatchObject(NO)
    expect(machine('cp', 'a', 'b').stderr).toContain('one of SRC or DST must use machine:path syntax')
  })

  it('starts and stops twice without complaint, and says what it found', () => {
    expect(machine('start', '--name', 'box')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Machine 'box' already running \(PID: \d+\)\n$/),
    })
    expect(world.must('machine', 'stop', '--name', 'box')).toBe(
      "Stopping machine 'box'...\nStopped machine: box\n",
    )
    expect(world.must('machine', 'stop', '--name', 'box')).toBe(
      "Machine 'box' is not running (state: stopped)\n",
    )
    expect(machine('exec', '--name', 'box', '--', 'true').stderr).toBe(
      "Error: agent operation failed: connect: machine 'box' is not running. Use 'smolvm machine start --name box' first.\n",
    )
    // As `exec -it`: that it starts a stopped machine is only in its help.
    expect(machine('shell', '--name', 'box')).toMatchObject(NO)
    expect(world.must('machine', 'start', '--name', 'box')).toMatch(/^Machine 'box' running \(PID: \d+\)\n$/)
  })

  it('keeps disks over a stop, and loses what is in memory', () => {
    world.inside(
      'box',
      'echo kept | tee /root/file /workspace/file; echo lost | tee /tmp/x /run/x /dev/shm/x',
    )
    world.must('machine', 'stop', '--name', 'box')
    world.must('machine', 'start', '--name', 'box')
    expect(world.inside('box', 'cat /root/file /workspace/file; ls /tmp /run /dev/shm')).toBe(
      'kept\nkept\n/dev/shm:\n\n/run:\n\n/tmp:\n',
    )
  })

  it('asks before it deletes, takes silence for no, and has stopped the machine by then', () => {
    world.must('machine', 'create', '--name', 'short')
    world.must('machine', 'start', '--name', 'short')
    expect(machine('delete', '--name', 'short')).toMatchObject({
      exitCode: 0,
      stdout: "Stopping machine 'short'...\nCancelled\n",
    })
    expect(rows().find(({ name }) => name === 'short')).toMatchObject({ state: 'stopped', pid: null })
    const dir = world.must('machine', 'data-dir', '--name', 'short').trim()
    expect(world.double.run(['machine', 'delete', '--name', 'short'], { input: 'yes\n' }).stdout).toContain(
      'Deleted machine: short',
    )
    expect(existsSync(dir)).toBe(false)
    world.must('machine', 'create', '--name', 'short')
    expect(world.must('machine', 'rm', '--name', 'short', '-f')).toContain('Deleted machine: short')
  })

  it('shows the table for people with long names cut', () => {
    world.must('machine', 'create', '--name', 'bot-bottle-a-rather-long-name')
    expect(world.must('machine', 'ls')).toContain('bot-bottle-a-ra... ')
    world.must('machine', 'delete', '--name', 'bot-bottle-a-rather-long-name', '-f')
  })

  it('takes archives, a stream and folders as images', () => {
    const folder = join(world.double.dir, 'folder')
    mkdirSync(join(folder, 'bin'), { recursive: true })
    const images = [world.archive, '-', join(world.double.dir, 'tree')]
    for (const [at, image] of images.entries()) {
      const input = image === '-' ? readFileSync(world.archive) : ''
      const made = world.double.run(
        ['machine', 'create', '--name', `local${at}`, '--image', image, '--', 'true'],
        { input },
      )
      expect(made.exitCode).toBe(0)
      world.must('machine', 'start', '--name', `local${at}`)
      expect(world.inside(`local${at}`, 'id -u')).toBe('0\n')
    }
    const told = rows()
      .filter(({ name }) => String(name).startsWith('local'))
      .map(({ image }) => String(image).split(':')[0])
    expect(told).toEqual(['local', 'local', 'local-dir'])
    for (const at of images.keys()) world.must('machine', 'delete', '--name', `local${at}`, '-f')
  })

  it('changes only what does not run', () => {
    const update = (...flags: readonly string[]) => machine('update', '--name', 'other', ...flags)
    const name = /^Created machine: (vm-[0-9a-f]{8})$/m.exec(world.must('machine', 'create'))?.[1] ?? ''
    world.must('machine', 'delete', '--name', name, '-f')
    world.must('machine', 'create', '--name', 'other', '-e', 'A=1', '-e', 'B=1')
    expect(update('--cpus', '2', '--net', '-e', 'A=2', '--remove-env', 'B', '-w', '/tmp').exitCode).toBe(0)
    world.must('machine', 'start', '--name', 'other')
    expect(world.inside('other', 'echo $A$B; pwd')).toBe('2\n/tmp\n')
    expect(update('--cpus', '3')).toMatchObject(NO)
    expect(rows().find((row) => row.name === 'other')).toMatchObject({ cpus: 2, network: true })
    expect(world.must('machine', 'prune', '--name', 'other')).toContain('No unreferenced layers')
    expect(JSON.parse(world.must('machine', 'images', '--name', 'other', '--json'))).toMatchObject({
      images: [],
    })
    world.must('machine', 'delete', '--name', 'other', '-f')
    expect(machine('run', '-d', '--name', 'kept', '--image', world.archive, '--', 'true').exitCode).toBe(0)
    expect(world.inside('kept', 'id -u')).toBe('0\n')
    expect(machine('run', '-d', '--name', 'kept', '--image', world.archive)).toMatchObject(NO)
    world.must('machine', 'delete', '--name', 'kept', '-f')
  })

  it('only notices at the start that an image is none, and stays as it was', () => {
    const path = join(world.double.dir, 'none.tar')
    writeFileSync(path, 'no archive')
    world.must('machine', 'create', '--name', 'none', '--image', path)
    expect(machine('start', '--name', 'none')).toMatchObject(NO)
    expect(rows().find(({ name }) => name === 'none')).toMatchObject({ state: 'created' })
    world.must('machine', 'create', '--name', 'away', '--image', 'ghcr.io/none/none:1', '--net')
    expect(machine('start', '--name', 'away').stderr).toContain('lookup ghcr.io: no such host')
    for (const name of ['none', 'away']) world.must('machine', 'delete', '--name', name, '-f')
  })

  it('removes what a killed run left, with the next call', async () => {
    const args = ['machine', 'run', '--image', world.archive, '--', 'sleep', '1000']
    const child = spawn(world.double.program, args, { env: world.double.env, stdio: 'ignore' })
    await until(async () => rows().some(({ ephemeral, state }) => ephemeral === true && state === 'running'))
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    expect(rows().filter(({ ephemeral }) => ephemeral === true)).toEqual([])
  })

  it('runs a command in a machine that is gone afterwards', () => {
    expect(machine('run', '--image', world.archive, '--', 'sh', '-c', 'echo ran; exit 3')).toMatchObject({
      exitCode: 3,
      stdout: 'ran\n',
    })
    expect(rows().map(({ name }) => name)).toEqual(['box'])
  })
})

describe('older and other programs of the name', () => {
  it('1.0.1 has no labels in its JSON, takes names by position and no local image', async () => {
    const world = await installSmolvm('1.0.1')
    try {
      world.up('box')
      const [row] = JSON.parse(world.must('machine', 'ls', '--json'))
      for (const key of ['labels', 'cuda', 'forkable', 'forkpoint_held']) expect(row).not.toHaveProperty(key)
      expect(row).toHaveProperty('network', true)
      // A path is a reference like any other here.
      expect(world.run('machine', 'create', 'local', '--image', world.archive)).toMatchObject(NO)
      expect(world.must('machine', 'delete', 'box', '-f')).toContain('Deleted machine: box')
    } finally {
      await world.dispose()
    }
  })

  it('the other smolvm knows no machines', async () => {
    const double = await installDouble({ tool: 'smolvm', version: '0.0.14', config: { program: 'other' } })
    try {
      expect(double.run(['--version']).stdout).toContain('0.0.14')
      expect(double.run(['machine', '--help']).exitCode).toBe(2)
      expect(statSync(double.program).mode & 0o111).not.toBe(0)
    } finally {
      await double.dispose()
    }
  })
})
