import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../engine/conformance/suite.ts'
import type { Fault } from '../support/doubles/lib/knobs.ts'
import { readPack } from '../support/doubles/smolvm/pack-file.ts'
import { installSmolvm, type SmolvmWorld } from '../support/doubles/smolvm/world.ts'

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

describe('checkpoints of the double, 1.20.0', () => {
  let world: SmolvmWorld
  beforeAll(async () => {
    world = await installSmolvm('1.20.0', { Cmd: ['sleep', '1000'] })
    world.up('box', '--cpus', '2', '--mem', '512', '--label', 'a=b', '-e', 'OWN=1')
  })
  afterAll(() => world.dispose())
  const path = (name: string) => join(world.double.dir, name)
  const checkpoint = (name: string, output: string, ...further: readonly string[]) =>
    world.run('machine', 'checkpoint', '--name', name, '-o', path(output), ...further)

  it('keeps one instant of disks, memory file systems and commands, and the machine goes on', async () => {
    const loop = 'while :; do echo tick >> /root/ticks; sleep 0.1; done'
    world.must('machine', 'exec', '--name', 'box', '-d', '--', 'sh', '-c', loop)
    const ticks = (name: string) => world.inside(name, 'cat /root/ticks 2>/dev/null || true').length
    const goesOn = async (name: string) => {
      const before = ticks(name)
      await until(async () => ticks(name) > before)
    }
    await goesOn('box')
    const isLoop = (line: string) => line.includes('/root/ticks') && !line.includes('ps')
    world.inside('box', 'echo then | tee /tmp/t /run/t /dev/shm/t /root/t /workspace/t')
    const made = checkpoint('box', 'one.smolcheckpoint')
    expect(made).toMatchObject({ exitCode: 0, stderr: '' })
    expect(made.stdout).toMatch(
      /^Checkpointed 'box' to .*one\.smolcheckpoint \(\d+ MiB written, [\d.]+s total, [\d.]+s source pause\)\n$/,
    )
    await goesOn('box')
    world.inside('box', 'for f in /tmp/t /root/t; do echo now > $f; done')
    const { manifest } = readPack(path('one.smolcheckpoint'))
    expect(manifest.checkpoint).toMatchObject({ machine: 'box', memory_mib: 512 })

    world.must('machine', 'create', '--name', 'back', '--from', path('one.smolcheckpoint'), '-e', 'LATER=1')
    expect(world.must('machine', 'start', '--name', 'back')).toMatch(/^Machine 'back' running/)
    expect(world.inside('back', 'cat /tmp/t /run/t /dev/shm/t /root/t /workspace/t; echo $OWN$LATER')).toBe(
      'then\nthen\nthen\nthen\nthen\n11\n',
    )
    // For a moment each process that it begins looks like the loop itself.
    let processes = ''
    await until(async () => {
      processes = world.inside('back', 'ps')
      return processes.split('\n').filter(isLoop).length === 1
    })
    await goesOn('back')
    expect(processes.match(/sleep 1000/g)).toHaveLength(1)
    const rows: readonly Record<string, unknown>[] = JSON.parse(world.must('machine', 'ls', '--json'))
    expect(rows.find(({ name }) => name === 'back')).toMatchObject({
      cpus: 2,
      memory_mib: 512,
      labels: {},
      image: world.reference,
    })
  })

  it('never overwrites, wants its extension, and a machine that runs', () => {
    expect(checkpoint('box', 'one.smolcheckpoint').stderr).toContain('output already exists')
    expect(checkpoint('box', 'one.tar').stderr).toContain('output must end in .checkpoint')
    expect(checkpoint('gone', 'x.checkpoint').stderr).toBe('Error: vm not found: gone\n')
    world.must('machine', 'create', '--name', 'still')
    expect(checkpoint('still', 'x.checkpoint').stderr).toContain("machine 'still' is not running")
    expect(existsSync(path('x.checkpoint'))).toBe(false)
    expect(checkpoint('box', 'x.checkpoint').exitCode).toBe(0)
  })

  it('refuses what a checkpoint can not hold, by name', () => {
    mkdirSync(path('shared'))
    world.must(
      'machine',
      'create',
      '--name',
      'mounted',
      '-v',
      `${path('shared')}:/shared`,
      '--dns',
      '1.1.1.1',
    )
    world.must('machine', 'start', '--name', 'mounted')
    expect(checkpoint('mounted', 'y.checkpoint').stderr).toBe(
      'Error: agent operation failed: checkpoint: the initial portable checkpoint profile does not support host mounts, custom DNS; stop or detach these resources before capture\n',
    )
  })

  it('keeps its shape when it is restored, and knows no other way back', () => {
    const create = (...flags: readonly string[]) =>
      world.run('machine', 'create', '--name', 'x', '--from', path('one.smolcheckpoint'), ...flags)
    for (const flag of ['--cpus', '--mem', '--storage', '--overlay'])
      expect(create(flag, '4').exitCode).toBe(1)
    expect(world.run('machine', 'restore', '--from', 'x').exitCode).toBe(2)
    expect(world.run('machine', 'status', '--name', 'x').exitCode).toBe(1)
  })

  it('logs itself', () => {
    expect(world.must('machine', 'checkpoint-log', path('one.smolcheckpoint'))).toMatch(
      /^~0 {2}[0-9a-f]{12} {2}\S+Z {2}box {2}512 MiB {2}\(this checkpoint\)\n$/,
    )
  })

  it('is no checkpoint for a version before them', async () => {
    world.double.setVersion('1.9.3')
    try {
      expect(
        world.run('machine', 'create', '--name', 'x', '--from', path('one.smolcheckpoint')),
      ).toMatchObject({ exitCode: 1, stdout: '' })
    } finally {
      world.double.setVersion('1.20.0')
    }
  })

  it('lies in a store as links, with its history, for branchable machines only', () => {
    const store = path('store')
    expect(checkpoint('box', 's1.checkpoint', '--store', store).stderr).toContain(
      'requires file-backed guest RAM',
    )
    world.must('machine', 'stop', '--name', 'box')
    world.must('machine', 'start', '--name', 'box', '--branchable')
    for (const output of ['s1.checkpoint', 's2.checkpoint']) {
      world.inside('box', `echo ${output} > /root/which`)
      expect(checkpoint('box', output, '--store', store).exitCode).toBe(0)
    }
    expect(statSync(path('s2.checkpoint')).isDirectory()).toBe(true)
    expect(world.must('machine', 'checkpoint-log', path('s2.checkpoint')).trim().split('\n')).toHaveLength(2)
    world.must('machine', 'create', '--name', 'older', '--from', path('s2.checkpoint'), '--at', '~1')
    world.must('machine', 'start', '--name', 'older')
    expect(world.inside('older', 'cat /root/which')).toBe('s1.checkpoint\n')
    expect(
      world.run('machine', 'create', '--name', 'x', '--from', path('s2.checkpoint'), '--at', '~2').exitCode,
    ).toBe(1)
  })

  it('branches from a machine that goes on', () => {
    expect(world.run('machine', 'branch', '--from', 'older', '--name', 'x').stderr).toContain(
      'was not started as branchable',
    )
    world.inside('box', 'echo memory > /tmp/m')
    world.must('machine', 'branch', '--from', 'box', '--name', 'child')
    expect(world.inside('child', 'cat /tmp/m')).toBe('memory\n')
    expect(world.inside('box', 'cat /tmp/m')).toBe('memory\n')
    world.must('machine', 'stop', '--name', 'child')
    expect(world.run('pack', 'create', '--from-vm', 'child', '-o', path('child')).exitCode).toBe(0)
  })

  it('pauses and goes on, and takes no other way meanwhile', () => {
    world.inside('back', 'echo paused > /tmp/p')
    world.must('machine', 'pause', '--name', 'back')
    expect(world.must('machine', 'status', '--name', 'back')).toBe("Machine 'back': paused\n")
    expect(world.run('machine', 'stop', '--name', 'back').stderr).toBe(
      'Error: agent operation failed: stop: machine has saved execution; use resume or delete\n',
    )
    expect(world.run('machine', 'start', '--name', 'back').stderr).toContain(
      'machine has saved execution; use resume',
    )
    world.must('machine', 'resume', '--name', 'back')
    expect(world.inside('back', 'cat /tmp/p; ps')).toMatch(/^paused\n[\s\S]*root.ticks/)
  })
})

describe('forks up to 1.9.3', () => {
  it('freeze their golden for good, and can not be packed', async () => {
    const world = await installSmolvm('1.9.3', { Cmd: ['sleep', '1000'] })
    try {
      world.up('golden')
      const fork = () => world.run('machine', 'fork', '--golden', 'golden', '-n', 'clone')
      expect(fork().stderr).toContain("golden 'golden' is not running forkable; start it with")
      world.must('machine', 'stop', '--name', 'golden')
      world.must('machine', 'start', '--name', 'golden', '--forkable')
      world.inside('golden', 'echo memory > /tmp/m')
      expect(fork()).toMatchObject({
        exitCode: 0,
        stderr: expect.stringContaining("Freezing golden 'golden' as fork base..."),
      })
      expect(world.inside('clone', 'cat /tmp/m')).toBe('memory\n')
      expect(JSON.parse(world.must('machine', 'status', '--name', 'golden', '--json'))).toMatchObject({
        state: 'frozen',
        forkable: true,
      })
      const { pid } = JSON.parse(world.must('machine', 'status', '--name', 'golden', '--json'))
      expect(readFileSync(`/proc/${pid}/stat`, 'utf8')).toMatch(/\) T /)
      expect(world.run('machine', 'exec', '--name', 'golden', '--', 'true').exitCode).toBe(1)
      for (const verb of ['start', 'stop', 'delete'])
        expect(world.run('machine', verb, '--name', 'golden').exitCode).toBe(1)
      world.must('machine', 'stop', '--name', 'clone')
      expect(
        world.run('pack', 'create', '--from-vm', 'clone', '-o', join(world.double.dir, 'x')).stderr,
      ).toContain("machine 'clone' is a fork clone of 'golden'")
      expect(world.must('machine', 'delete', '--name', 'golden', '--cascade')).toContain(
        "Deleting dependent clone 'clone' (cascade)...",
      )
    } finally {
      await world.dispose()
    }
  })
})

describe('faults of the double, 1.23.0', () => {
  let world: SmolvmWorld
  beforeAll(async () => {
    world = await installSmolvm('1.23.0', { Cmd: ['sleep', '1000'] })
    world.up('box')
  })
  afterAll(() => world.dispose())
  afterEach(() => world.double.setKnobs({}))
  const fault = (...faults: readonly Fault[]) => world.double.setKnobs({ faults })
  const states = () =>
    JSON.parse(world.must('machine', 'ls', '--json')).map(
      ({ name, state }: Record<string, unknown>) => `${name} ${state}`,
    )

  it('tells of a locked database as often as it is told to', () => {
    fault({ verb: 'create', kind: 'locked', times: 1 })
    expect(world.run('machine', 'create', '--name', 'a')).toMatchObject({
      exitCode: 1,
      stderr: 'Error: database error: database is locked\n',
    })
    expect(world.run('machine', 'create', '--name', 'a').exitCode).toBe(0)
    world.must('machine', 'delete', '--name', 'a', '-f')
  })

  it('loses a race of creates by itself', async () => {
    // An image on stdin holds the store as long as it comes in.
    const first = spawn(world.double.program, ['machine', 'create', '--name', 'r1', '--image', '-'], {
      ...{ env: world.double.env, stdio: ['pipe', 'ignore', 'ignore'] },
    })
    const ended = new Promise((resolve) => first.once('exit', resolve))
    await until(async () => existsSync(join(world.double.dir, 'create.lock')))
    const second = world.run('machine', 'create', '--name', 'r2')
    first.stdin?.end(readFileSync(world.archive))
    expect(second).toMatchObject({ exitCode: 1, stderr: 'Error: database error: database is locked\n' })
    expect(await ended).toBe(0)
    world.must('machine', 'delete', '--name', 'r1', '-f')
  })

  it('leaves a half checkpoint when it is killed or the disk is full', () => {
    for (const [kind, output] of [
      ['kill', 'k.checkpoint'],
      ['disk-full', 'd.checkpoint'],
    ] as const) {
      fault({ verb: 'checkpoint', kind, bytes: 50_000 })
      const made = world.run('machine', 'checkpoint', '--name', 'box', '-o', join(world.double.dir, output))
      expect(made.exitCode).toBe(kind === 'kill' ? null : 1)
      expect(statSync(join(world.double.dir, output)).size).toBe(50_000)
      expect(
        world.run('machine', 'create', '--name', 'x', '--from', join(world.double.dir, output)).exitCode,
      ).toBe(1)
    }
    world.double.setKnobs({})
    expect(world.inside('box', 'echo goes on')).toBe('goes on\n')
    expect(readdirSync(join(world.double.dir, 'cache'))).toHaveLength(1)
  })

  it('cuts the output of a stream', () => {
    fault({ verb: 'exec', kind: 'kill', bytes: 1000 })
    const run = world.run('machine', 'exec', '--name', 'box', '--stream', '--', 'seq', '1000')
    expect([run.exitCode, run.stdout.length]).toEqual([null, 1000])
  })

  it('does the work and dies before it says so', () => {
    fault({ verb: 'stop', kind: 'kill-after' })
    expect(world.run('machine', 'stop', '--name', 'box')).toMatchObject({ exitCode: null })
    world.double.setKnobs({})
    expect(states()).toEqual(['box stopped'])
    world.must('machine', 'start', '--name', 'box')
  })

  it('is killed between the boot and the record, and the next start begins anew', async () => {
    world.must('machine', 'create', '--name', 'half', '--image', world.archive)
    fault({ verb: 'start', kind: 'kill', bytes: 0 })
    expect(world.run('machine', 'start', '--name', 'half').exitCode).toBeNull()
    world.double.setKnobs({})
    expect(states()).toContain('half created')
    world.must('machine', 'start', '--name', 'half')
    expect(world.inside('half', 'ps').match(/sleep 1000/g)).toHaveLength(1)
    const guests = () => readdirSync('/proc').filter((pid) => commandLine(pid).includes(`${dir}/rootfs`))
    const dir = world.must('machine', 'data-dir', '--name', 'half').trim()
    world.must('machine', 'delete', '--name', 'half', '-f')
    await until(async () => guests().length === 0)
  })

  it('ends when nobody reads what it prints', () => {
    fault({ verb: 'ls', kind: 'close-stdout' })
    expect(world.run('machine', 'ls')).toMatchObject({
      exitCode: 101,
      stdout: '',
      stderr: expect.stringContaining('Broken pipe'),
    })
  })

  it('hangs until it is ended', async () => {
    fault({ verb: 'ls', kind: 'hang' })
    const child = spawn(world.double.program, ['machine', 'ls'], { env: world.double.env, stdio: 'ignore' })
    await until(async () => world.double.calls().at(-1)?.pid === child.pid)
    expect(child.exitCode).toBeNull()
    child.kill('SIGKILL')
    expect(await new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))).toBe('SIGKILL')
  })

  it('has machines that do not answer although they run', () => {
    world.double.setKnobs({ extra: { unreachable: ['box'] } })
    expect(states()).toEqual(['box unreachable'])
    expect(world.run('machine', 'exec', '--name', 'box', '--', 'true').stderr).toContain('is not running')
    expect(world.must('machine', 'stop', '--name', 'box')).toContain('Stopped machine: box')
    world.double.setKnobs({ serviceDown: true })
    expect(world.run('machine', 'start', '--name', 'box').stderr).toContain(
      'agent did not become ready within 30 seconds',
    )
    expect(states()).toEqual(['box stopped'])
  })

  it('has stopped when its process was killed', async () => {
    world.must('machine', 'start', '--name', 'box')
    const [{ pid }] = JSON.parse(world.must('machine', 'ls', '--json'))
    process.kill(pid, 'SIGKILL')
    await until(async () => states()[0] === 'box stopped')
    expect(JSON.parse(world.must('machine', 'status', '--name', 'box', '--json'))).toMatchObject({
      state: 'stopped',
      pid: null,
    })
  })
})
