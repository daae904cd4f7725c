import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type ContainerDouble, installContainerDouble } from '../support/doubles/container-double.ts'

// What the contract says about the tool, checked on its double: a line that the double forgets makes a test fail.
let double: ContainerDouble
beforeAll(async () => {
  double = await installContainerDouble({ version: '1.2.2' })
})
beforeEach(() => {
  double.setVersion('1.2.2')
  double.setKnobs({})
})
afterAll(() => double.dispose())

const call = (...args: string[]) => double.run(args)
const must = (...args: string[]) => {
  const { exitCode, stdout, stderr } = call(...args)
  if (exitCode !== 0) throw new Error(`container ${args.join(' ')}: ${exitCode} ${stderr}`)
  return stdout
}
const said = (exitCode: number, stderr: string, stdout = '') => ({ exitCode, stdout, stderr: `${stderr}\n` })
const create = (name: string, ...args: string[]) => must('create', '--name', name, ...args)
const sleeper = (name: string) =>
  must('run', '-d', '--name', name, 'busybox', 'sh', '-c', 'trap "exit 0" TERM; sleep 100 & wait')

describe('words of container', () => {
  it('end with 64 for what the grammar doesn’t know, with 1 for what fails', () => {
    const { exitCode, stdout, stderr } = call('run', '--privileged', 'busybox')
    expect({ exitCode, stdout, first: stderr.split('\n')[0] }).toEqual({
      exitCode: 64,
      stdout: '',
      first: "Error: Unknown option '--privileged'",
    })
    expect(call('commit', 'x')).toEqual(said(64, "Error: Plugin 'container-commit' not found."))
    for (const verb of ['pause', 'rename', 'wait', 'events', 'checkpoint', 'attach'])
      expect(call(verb, 'x').stderr).toBe(`Error: Plugin 'container-${verb}' not found.\n`)
    expect(call('image', 'import').exitCode).toBe(64)
    expect(call('delete')).toEqual(said(1, 'Error: no containers specified and --all not supplied'))
    expect(call('stop', '--all', 'x')).toEqual(
      said(1, 'Error: explicitly supplied container IDs conflict with the --all flag'),
    )
  })

  it('give what was asked on stdout, and help for each verb', () => {
    expect(must('--version')).toMatch(
      /^container CLI version 1\.2\.2 \(build: release, commit: [0-9a-f]{7}\)\n$/,
    )
    expect(must('export', '--help')).toContain('-o, --output <output>')
    expect(must('list', '--format', 'json')).toBe('[]\n')
    expect(must('list')).toBe('ID  IMAGE  OS  ARCH  STATE  IP  CPUS  MEMORY  STARTED\n')
    expect(must('list', '-q')).toBe('')
  })

  it('name what isn’t there in the words of each verb', () => {
    const missing = (verb: string) =>
      `Error: internalError: "failed to ${verb} container" (cause: "notFound: "container with ID nix not found"")`
    expect(call('start', 'nix')).toEqual(said(1, 'Error: get failed: container nix not found'))
    expect(call('exec', 'nix', 'true')).toEqual(said(1, 'Error: get failed: container nix not found'))
    expect(call('logs', 'nix')).toEqual(said(1, 'Error: get failed: container nix not found'))
    expect(call('stop', 'nix')).toEqual(said(1, missing('stop')))
    expect(call('kill', 'nix')).toEqual(said(1, missing('kill')))
    expect(call('delete', '--force', 'nix')).toEqual(said(1, missing('delete')))
    expect(call('inspect', 'nix', 'nox')).toEqual(said(1, 'Error: container not found: nix, nox'))
    expect(call('image', 'inspect', 'nix')).toEqual(said(1, 'Error: image not found: nix'))
    expect(call('image', 'delete', 'nix')).toEqual(
      said(1, 'Error: failed to delete one or more images: ["nix"]'),
    )
    expect(call('image', 'delete', '--force', 'nix').exitCode).toBe(0)
    expect(call('stats', '--no-stream', 'nix')).toEqual(said(1, 'Error: no such container: nix'))
    expect(call('export', 'nix')).toEqual(
      said(1, 'Error: failed to export container (cause: "notFound: "container with ID nix not found"")'),
    )
  })

  it('refuse bad names, labels, mounts, memory and networks', () => {
    const refused = (...args: string[]) => call('create', ...args, 'busybox').stderr
    expect(refused('--name', 'a')).toBe('Error: container ID a is not a valid container ID\n')
    expect(refused('--name', 'a b')).toContain('is not a valid container ID')
    expect(refused('--name', 'a'.repeat(64))).toContain('is not a valid container ID')
    expect(refused('-l', 'k=a=b')).toBe('Error: invalid label format k=a=b\n')
    expect(refused('-m', '100M')).toBe(
      'Error: minimum memory amount allowed is 200 MiB (got 104857600 bytes)\n',
    )
    expect(refused('--network', 'none')).toBe('Error: network none not found\n')
    expect(refused('-v', '/nowhere:/x')).toBe("Error: path '/nowhere' does not exist\n")
    const file = join(double.dir, 'file')
    writeFileSync(file, '')
    expect(refused('-v', `${file}:/x`)).toBe(`Error: path '${file}' is not a directory\n`)
    expect(refused('--mount', `type=bind,source=${file},target=/x`)).toContain('is not a directory')
    expect(call('run', 'nowhere:1').stderr).toMatch(
      /^Error: failed to pull image docker\.io\/library\/nowhere:1 /,
    )
    expect(must('list', '-aq')).toBe('')
  })

  it('say that a name is taken, each verb in its own way', () => {
    create('taken', 'busybox')
    expect(call('create', '--name', 'taken', 'busybox')).toEqual(
      said(1, 'Error: container already exists: taken'),
    )
    expect(call('run', '--name', 'taken', 'busybox')).toEqual(
      said(1, 'Error: container with id taken already exists'),
    )
    must('delete', 'taken')
  })

  it('run nothing from an image without a command', () => {
    double.addImage('docker.io/library/bare:1', { config: { Cmd: [] } })
    expect(call('run', 'bare:1')).toEqual(
      said(1, 'Error: command/entrypoint not specified for container process'),
    )
    expect(call('run', '--name', 'gone', 'bare:1', '/no/such')).toEqual(
      said(1, 'Error: failed to find target executable /no/such'),
    )
    expect(must('list', '-aq')).toBe('')
  })
})

describe('lives of containers', () => {
  it('are stopped, running or stopping, and keep no exit code', () => {
    const state = (name: string) => (JSON.parse(must('inspect', name)) as [{ status: object }])[0].status
    create('life', 'busybox', 'sh', '-c', 'exit 7')
    expect(state('life')).toEqual({ state: 'stopped', networks: [] })
    expect(must('start', 'life')).toBe('life\n')
    expect(must('stop', 'life')).toBe('life\n')
    expect(state('life')).toEqual({ state: 'stopped', networks: [] })
    expect(call('exec', 'life', 'true')).toEqual(said(1, 'Error: container life is not running'))
    must('delete', 'life')
    sleeper('busy')
    expect(state('busy')).toMatchObject({
      state: 'running',
      startedDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}Z$/),
    })
    expect(must('start', 'busy')).toBe('busy\n')
    expect(call('start', '-a', 'busy')).toEqual(
      said(1, 'Error: attach is currently unsupported on already running containers'),
    )
    expect(call('delete', 'busy')).toEqual(
      said(
        1,
        'Error: internalError: "failed to delete container" (cause: "invalidState: "container busy is running and can not be deleted"")',
      ),
    )
    expect(must('delete', '--all')).toBe('')
    expect(call('stop', 'nix', 'busy')).toMatchObject({ exitCode: 1, stdout: 'busy\n' })
    expect(must('stop', 'busy')).toBe('busy\n')
    expect(must('prune')).toBe('busy\n')
  })

  it('end politely within the time given, then hard, and are stopping meanwhile', async () => {
    const script = 'trap "" TERM; echo up; while :; do sleep 1; done'
    must('run', '-d', '--name', 'deaf', 'busybox', 'sh', '-c', script)
    while (must('logs', 'deaf') !== 'up\n');
    const before = performance.now()
    const child = spawn(double.program, ['stop', '--time', '2', 'deaf'], { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('close', resolve))
    while (child.exitCode === null && !must('inspect', 'deaf').includes('"state" : "stopping"'))
      await new Promise((resolve) => setTimeout(resolve, 5))
    expect(call('delete', '--force', 'deaf').stderr).toContain(
      'container deaf is stopping and can not be deleted',
    )
    expect(await ended).toBe(0)
    expect(performance.now() - before).toBeGreaterThan(2000)
    expect(must('list', '-q')).toBe('')
    must('delete', 'deaf')
  })

  it('pass streams, exit codes, environment, user and folder on', () => {
    const script = 'echo out; echo err >&2; id -u; pwd; echo "$A-$B"; exit 7'
    const ran = call('run', '--rm', '-e', 'A=a b', '-u', 'user', '-w', '/tmp', 'busybox', 'sh', '-c', script)
    expect(ran).toEqual({ exitCode: 7, stdout: 'out\n1000\n/tmp\na b-\n', stderr: 'err\n' })
    expect(must('list', '-aq')).toBe('')
    must(
      'run',
      '-d',
      '--name',
      'box',
      '-e',
      'A=1',
      '-u',
      '1000',
      '-w',
      '/home/user',
      'busybox',
      'sleep',
      '100',
    )
    expect(call('exec', '-e', 'B=2', 'box', 'sh', '-c', 'echo $A$B $(id -u) $PWD; exit 3')).toEqual({
      exitCode: 3,
      stdout: '12 1000 /home/user\n',
      stderr: '',
    })
    expect(double.run(['exec', '-i', 'box', 'cat'], { input: 'words' }).stdout).toBe('words')
    expect(double.run(['exec', 'box', 'cat'], { input: 'words' }).stdout).toBe('')
    expect(must('exec', '-d', 'box', 'true')).toBe('box\n')
    expect(call('exec', '-t', 'box', 'true').exitCode).toBe(1)
    must('delete', '-f', 'box')
  })

  it('keep one log of both streams, without blank lines at its end', () => {
    must('run', '--name', 'talk', 'busybox', 'sh', '-c', 'echo 1; echo 2; echo; echo')
    expect(must('logs', 'talk')).toBe('1\n2\n')
    expect(must('logs', '-n', '1', 'talk')).toBe('2\n')
    must('start', 'talk')
    must('stop', 'talk')
    expect(must('logs', 'talk')).toBe('1\n2\n\n\n1\n2\n')
    must('delete', 'talk')
  })

  it('get signals, also through the program that is attached', async () => {
    const script = 'trap "echo hup" HUP; trap "echo term; exit 5" TERM; echo up; while :; do sleep 0.05; done'
    must('run', '-d', '--name', 'ears', 'busybox', 'sh', '-c', script)
    const log = (text: string) => {
      while (must('logs', 'ears') !== text);
    }
    log('up\n')
    expect(must('kill', '-s', 'HUP', 'ears')).toBe('ears\n')
    log('up\nhup\n')
    expect(call('kill', '-s', 'LOUD', 'ears')).toEqual(said(1, 'Error: invalid signal: LOUD'))
    expect(must('kill', 'ears')).toBe('ears\n')
    expect(must('list', '-q')).toBe('')
    const child = spawn(double.program, ['start', '-a', 'ears'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = new Promise((resolve) => child.once('close', resolve))
    await new Promise((resolve) => child.stdout.once('data', resolve))
    child.kill('SIGTERM')
    expect(await ended).toBe(128 + 15)
    log('up\nhup\nup\nterm\n')
    must('delete', 'ears')
  })

  it('are followed for ever, also when they have stopped', async () => {
    must('run', '--name', 'past', 'busybox', 'echo', 'word')
    const child = spawn(double.program, ['logs', '-f', 'past'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = new Promise((resolve) => child.once('close', (_, signal) => resolve(signal)))
    expect(String(await new Promise((resolve) => child.stdout.once('data', resolve)))).toBe('word\n')
    must('start', 'past')
    expect(String(await new Promise((resolve) => child.stdout.once('data', resolve)))).toBe('word\n')
    expect(child.exitCode).toBeNull()
    child.kill('SIGKILL')
    expect(await ended).toBe('SIGKILL')
    must('delete', 'past')
  })

  it('see folders of this machine, and nothing of them stays', () => {
    const folder = join(double.dir, 'shared')
    mkdirSync(folder, { recursive: true })
    must('run', '--rm', '-v', `${folder}:/icebox`, 'busybox', 'sh', '-c', 'echo hi > /icebox/f')
    expect(readFileSync(join(folder, 'f'), 'utf8')).toBe('hi\n')
    expect(
      call('run', '--rm', '-v', `${folder}:/icebox:ro`, 'busybox', 'touch', '/icebox/g').exitCode,
    ).not.toBe(0)
    expect(call('run', '--rm', '--read-only', 'busybox', 'touch', '/g').exitCode).not.toBe(0)
  })

  it('are measured for two seconds', () => {
    sleeper('measured')
    create('resting', 'busybox')
    const before = performance.now()
    const sample = JSON.parse(must('stats', '--format', 'json')) as { id: string; numProcesses: number }[]
    expect(performance.now() - before).toBeGreaterThanOrEqual(2000)
    expect(sample).toMatchObject([{ id: 'measured', numProcesses: 2 }])
    must('delete', '-f', 'measured', 'resting')
  })

  it('take and give files while they run', () => {
    sleeper('files')
    const file = join(double.dir, 'given')
    writeFileSync(file, 'given')
    expect(must('cp', file, 'files:/workspace')).toBe('files:/workspace\n')
    must('cp', 'files:/workspace/given', join(double.dir, 'back'))
    expect(readFileSync(join(double.dir, 'back'), 'utf8')).toBe('given')
    expect(call('cp', 'files:/a', 'files:/b').exitCode).toBe(1)
    must('stop', 'files')
    expect(call('cp', file, 'files:/workspace')).toEqual(said(1, 'Error: container files is not running'))
    double.setVersion('0.12.3')
    expect(call('cp', file, 'files:/x')).toEqual(said(64, "Error: Plugin 'container-cp' not found."))
    must('delete', 'files')
  })
})

describe('generations of its JSON', () => {
  it('differ in shape and in dates', () => {
    create('shape', '-l', 'a=b', 'busybox')
    must('start', 'shape')
    const entry = (): Record<string, unknown> =>
      (JSON.parse(must('list', '--all', '--format', 'json')) as [Record<string, unknown>])[0]
    expect(Object.keys(entry())).toEqual(['configuration', 'id', 'status'])
    expect(entry()).toMatchObject({
      id: 'shape',
      configuration: { labels: { a: 'b' }, creationDate: expect.stringMatching(/Z$/) },
    })
    expect(must('inspect', 'shape')).toMatch(/^\[\n {2}\{\n {4}"configuration" : \{/)
    expect(must('inspect', 'shape')).toContain('application\\/vnd.oci.image.index.v1+json')
    double.setVersion('0.12.3')
    expect(entry()).toMatchObject({
      status: expect.stringMatching(/running|stopped/),
      networks: expect.any(Array),
    })
    expect(entry()).not.toHaveProperty('id')
    expect((entry().configuration as { creationDate: unknown }).creationDate).toEqual(expect.any(Number))
    expect(call('inspect', 'nix')).toEqual({ exitCode: 0, stdout: '[\n\n]\n', stderr: '' })
    expect(call('list', '--format', 'toml').exitCode).toBe(64)
    must('delete', '-f', 'shape')
  })
})

describe('the service', () => {
  it('is told to be away in the tool’s words', () => {
    double.setKnobs({ serviceDown: true })
    const hint = '\nEnsure container system service has been started with `container system start`.'
    expect(call('list', '--all', '--format', 'json')).toEqual(
      said(
        1,
        `Error: internalError: "failed to list containers" (cause: "interrupted: "XPC connection error: Connection invalid"")${hint}`,
      ),
    )
    expect(call('inspect', 'x')).toEqual(
      said(1, `Error: interrupted: "XPC connection error: Connection invalid"${hint}`),
    )
    expect(call('commit', 'x').stderr).toMatch(
      /^Error: Plugins are unavailable\. Start the container system services and retry:/,
    )
    expect(call('system', 'status', '--format', 'json')).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('"status":"not running"'),
    })
    expect(JSON.parse(must('system', 'version', '--format', 'json'))).toHaveLength(1)
    expect(call('system', 'start', '--enable-kernel-install').exitCode).toBe(1)
    expect(must('--version')).toContain('1.2.2')
  })

  it('stops its containers, is unregistered, and starts again', () => {
    sleeper('cut')
    must('system', 'stop')
    expect(call('system', 'status')).toMatchObject({
      exitCode: 1,
      stdout: 'apiserver is not running and not registered with launchd\n',
    })
    expect(call('list').exitCode).toBe(1)
    expect(double.run(['system', 'start'], { input: '' }).exitCode).toBe(0)
    const status = JSON.parse(must('system', 'status', '--format', 'json')) as Record<string, string>
    expect(status).toMatchObject({ status: 'running', apiServerVersion: expect.stringContaining('1.2.2') })
    expect(must('list', '-q')).toBe('')
    must('delete', 'cut')
  })

  it('asks for a kernel where nobody said whether it may install one', async () => {
    const other = await installContainerDouble({ version: '1.2.2', service: 'stopped', kernel: false })
    try {
      const asked = other.run(['system', 'start'], { input: '' })
      expect(asked).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('Error: failed to read user input'),
      })
      expect(other.run(['create', 'busybox']).stderr).toContain('default kernel not configured')
      expect(other.run(['system', 'start', '--enable-kernel-install'], { input: '' }).exitCode).toBe(0)
      expect(other.run(['create', 'busybox']).exitCode).toBe(0)
    } finally {
      await other.dispose()
    }
  })
})

describe('two at once', () => {
  it('get one container of a name, and a reader never sees half of one', async () => {
    const ends = await Promise.all(
      [1, 2, 3].map(
        () =>
          new Promise((resolve) => {
            spawn(double.program, ['create', '--name', 'one', 'busybox'], { stdio: 'ignore' }).once(
              'close',
              resolve,
            )
          }),
      ),
    )
    expect(ends.toSorted()).toEqual([0, 1, 1])
    must('delete', 'one')
  })
})
