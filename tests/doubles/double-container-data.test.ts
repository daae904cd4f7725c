import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TAR_END, writeTarHeader } from '../../src-main/workers/tar/writer.ts'
import { type ContainerDouble, installContainerDouble } from '../support/doubles/container-double.ts'
import { initOf } from '../support/doubles/lib/guest.ts'
import { writeBusyboxArchive } from '../support/doubles/lib/image-archive.ts'
import { lookUp } from '../support/doubles/lib/process-id.ts'
import { unpackLayer } from '../support/doubles/lib/root-file-system.ts'
import { readTarEntries } from '../support/doubles/lib/tar-entries.ts'

let double: ContainerDouble
let work = ''
beforeAll(async () => {
  double = await installContainerDouble({ version: '1.2.2' })
  work = join(double.dir, 'work')
})
beforeEach(() => {
  double.setVersion('1.2.2')
  double.setKnobs({})
  rmSync(work, { recursive: true, force: true })
  mkdirSync(join(work, 'tmp'), { recursive: true })
})
afterAll(() => double.dispose())

// The temp folder is the test's own, so that what a killed call leaves is seen.
const call = (...args: string[]) => double.run(args, { env: { TMPDIR: join(work, 'tmp') } })
const must = (...args: string[]) => {
  const { exitCode, stdout, stderr } = call(...args)
  if (exitCode !== 0) throw new Error(`container ${args.join(' ')}: ${exitCode} ${stderr}`)
  return stdout
}
const failure = (exitCode: number, stderr: string) => ({ exitCode, stdout: '', stderr: `${stderr}\n` })
const temps = () => readdirSync(join(work, 'tmp'))
const configOf = (reference: string) =>
  (JSON.parse(must('image', 'inspect', reference)) as [{ variants: [{ config: { config: object } }] }])[0]
    .variants[0].config.config

describe('export', () => {
  const tree =
    'cd /workspace; echo marker > file; chown 1000:1000 file; chmod 4755 file; ln file second; ln -s file link; mkfifo fifo; ' +
    'mknod device c 1 3; mkdir -m 700 folder; echo no > /shared/secret; echo no > /ram/gone; echo up; trap "exit 0" TERM; sleep 100 & wait'

  const start = (name: string) => {
    const shared = join(work, 'shared')
    mkdirSync(shared, { recursive: true })
    must(
      'run',
      '-d',
      '--name',
      name,
      '-e',
      'SECRET=1',
      '-v',
      `${shared}:/shared`,
      '--tmpfs',
      '/ram',
      'busybox',
      'sh',
      '-c',
      tree,
    )
    while (must('logs', name) !== 'up\n');
  }

  it('gives the files of a running container from 1.2.1 on, without what is mounted and what is no file', () => {
    start('live')
    const tar = join(work, 'live.tar')
    expect(must('export', '-o', tar, 'live')).toBe('')
    const entries = readTarEntries(tar)
    const find = (name: string) => entries.find((entry) => entry.name.replace(/\/$/, '') === name)
    expect(find('/workspace/file')).toMatchObject({ type: '0', mode: 0o4755, uid: 1000, gid: 1000 })
    expect(find('/workspace/second')).toMatchObject({ type: '1', linkName: '/workspace/file' })
    expect(find('/workspace/link')).toMatchObject({ type: '2', linkName: 'file' })
    expect(find('/workspace/folder')).toMatchObject({ type: '5', mode: 0o700 })
    expect(entries.at(-1)?.name).toBe('/workspace/second')
    for (const name of ['/shared', '/ram', '/lost+found']) expect(find(name)).toMatchObject({ type: '5' })
    for (const name of [
      '/workspace/fifo',
      '/workspace/device',
      '/shared/secret',
      '/ram/gone',
      '/proc/self',
      '/dev/null',
    ])
      expect(find(name)).toBeUndefined()
    expect(entries.every((entry) => entry.name.startsWith('/'))).toBe(true)
    expect(readFileSync(tar).includes('SECRET')).toBe(false)
    expect(must('list', '-q')).toBe('live\n')
    // An existing file is written over, and without a file the tar alone is on stdout.
    must('export', '-o', tar, 'live')
    const piped = execFileSync(double.program, ['export', 'live'], {
      env: { ...double.env, TMPDIR: join(work, 'tmp') },
      maxBuffer: 1 << 28,
    })
    expect(piped.subarray(257, 262).toString()).toBe('ustar')
    expect(temps()).toEqual([])
    must('delete', '-f', 'live')
  })

  it('wants a stopped container and a new file before', () => {
    start('old')
    double.setVersion('1.2.0')
    const tar = join(work, 'old.tar')
    const refused = 'Error: failed to export container (cause: "invalidState: "container is not stopped"")'
    expect(call('export', '-o', tar, 'old')).toEqual(failure(1, refused))
    expect(existsSync(tar)).toBe(false)
    must('stop', 'old')
    must('export', '-o', tar, 'old')
    expect(call('export', '-o', tar, 'old')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('already exists'),
    })
    expect(temps()).toEqual([])
    must('delete', 'old')
  })

  it('keeps extended attributes', () => {
    must('create', '--name', 'attributes', 'busybox')
    const layer = join(work, 'layer.tar')
    const xattrs = new Map([['user.note', 'kept']])
    writeFileSync(
      layer,
      Buffer.concat([writeTarHeader({ path: 'workspace/', type: 'folder', xattrs }), TAR_END]),
    )
    // What the guest's busybox can't set is set from here.
    unpackLayer(join(double.dir, 'state/containers/attributes/rootfs'), layer)
    must('export', '-o', join(work, 'x.tar'), 'attributes')
    const folder = readTarEntries(join(work, 'x.tar')).find(({ name }) => name === '/workspace/')
    expect(folder?.pax['SCHILY.xattr.user.note']).toBe('kept')
    must('delete', 'attributes')
  })

  it('holds the guest while its disk is copied, and lets it go on', async () => {
    must('run', '-d', '--name', 'writer', 'busybox', 'sh', '-c', 'while :; do echo >> /workspace/file; done')
    const init = initOf({ runDir: join(double.dir, 'state/containers/writer/run') })
    const state = () => lookUp(init?.pid ?? 0)?.state
    double.setKnobs({ extra: { copyTakesMs: 1500 } })
    const child = spawn(double.program, ['export', '-o', join(work, 'w.tar'), 'writer'], { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('close', resolve))
    const seen = new Set<string | undefined>()
    while (child.exitCode === null) {
      seen.add(state())
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(await ended).toBe(0)
    expect(seen).toContain('T')
    expect(state()).not.toBe('T')
    // Who kills the program in the middle doesn't kill the engine.
    const again = spawn(double.program, ['export', 'writer'], { stdio: 'ignore' })
    while (state() !== 'T') await new Promise((resolve) => setTimeout(resolve, 5))
    again.kill('SIGKILL')
    while (state() === 'T') await new Promise((resolve) => setTimeout(resolve, 5))
    must('delete', '-f', 'writer')
  })
})

describe('faults', () => {
  it('fill the disk, kill and hold an export, and the container stays', async () => {
    must('create', '--name', 'kept', 'busybox')
    const tar = join(work, 'f.tar')
    double.setKnobs({ faults: [{ verb: 'export', kind: 'disk-full', bytes: 300_000, times: 1 }] })
    expect(call('export', '-o', tar, 'kept')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('No space left on device'),
    })
    expect([existsSync(tar), temps()]).toEqual([false, []])
    double.setKnobs({ faults: [{ verb: 'export', kind: 'kill', bytes: 300_000, times: 1 }] })
    expect(call('export', '-o', tar, 'kept').exitCode).toBeNull()
    expect([existsSync(tar), temps().length]).toEqual([false, 1])
    double.setKnobs({ faults: [{ verb: 'export', kind: 'hang', times: 1 }] })
    const child = spawn(double.program, ['export', '-o', tar, 'kept'], { env: double.env, stdio: 'ignore' })
    while (double.calls().at(-1)?.pid !== child.pid) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(child.exitCode).toBeNull()
    const ended = new Promise((resolve) => child.once('close', (_, signal) => resolve(signal)))
    child.kill('SIGKILL')
    expect(await ended).toBe('SIGKILL')
    double.setKnobs({})
    must('export', '-o', tar, 'kept')
    must('delete', 'kept')
  })

  it('end calls in other ways', () => {
    double.setKnobs({ faults: [{ verb: 'list', kind: 'locked', times: 1 }] })
    expect(call('list')).toEqual(failure(1, 'Error: database is locked'))
    double.setKnobs({ faults: [{ verb: 'list', kind: 'close-stdout', times: 1 }] })
    expect(call('list', '--format', 'json')).toMatchObject({ exitCode: 141, stdout: '' })
    double.setKnobs({ faults: [{ verb: '*', kind: 'fail', message: 'Error: no', exitCode: 3, times: 1 }] })
    expect(call('inspect', 'x')).toEqual(failure(3, 'Error: no'))
    double.setKnobs({ faults: [{ verb: 'create', kind: 'kill-after', times: 1 }] })
    expect(call('create', '--name', 'made', 'busybox')).toMatchObject({ exitCode: null, stdout: '' })
    expect(must('delete', 'made')).toBe('made\n')
    double.setKnobs({ faults: [{ verb: 'version', kind: 'slow', ms: 300, times: 1 }] })
    const before = performance.now()
    must('--version')
    expect(performance.now() - before).toBeGreaterThan(300)
  })

  it('strike calls that are otherwise answered without a process of their own', () => {
    double.setKnobs({ faults: [{ verb: 'inspect', kind: 'kill', times: 1 }] })
    expect(call('inspect', 'x').exitCode).toBeNull()
    expect(call('inspect', 'x').exitCode).toBe(1)
    expect(call('list').exitCode).toBe(0)
  })
})

describe('images', () => {
  it('go out as an OCI layout and come in again with their digest', () => {
    const tar = join(work, 'i.tar')
    const before = must('image', 'inspect', 'busybox')
    expect(must('image', 'save', '-o', tar, 'busybox')).toBe('docker.io/library/busybox:latest\n')
    const names = readTarEntries(tar).map(({ name }) => name)
    expect(names).toContain('./oci-layout')
    expect(names).not.toContain('./manifest.json')
    const index = JSON.parse(execFileSync('tar', ['-xOf', tar, './index.json']).toString()) as {
      manifests: [{ annotations: object; mediaType: string }]
    }
    expect(index.manifests[0]).toMatchObject({
      mediaType: 'application/vnd.oci.image.index.v1+json',
      annotations: { 'io.containerd.image.name': 'docker.io/library/busybox:latest' },
    })
    expect(must('image', 'delete', 'busybox')).toBe('busybox:latest\n')
    expect(must('image', 'load', '-i', tar)).toBe('docker.io/library/busybox:latest\n')
    const withoutDate = (text: string) => text.replace(/"creationDate" : "[^"]*"/, '')
    expect(withoutDate(must('image', 'inspect', 'busybox'))).toBe(withoutDate(before))
  })

  it('go to stdout alone, and before 1.1.0 with their name behind the archive', () => {
    const bytes = () =>
      execFileSync(double.program, ['image', 'save', 'busybox'], {
        env: double.env,
        stdio: ['ignore', 'pipe', 'ignore'],
        maxBuffer: 1 << 28,
      })
    expect(bytes().toString('latin1')).not.toMatch(/docker\.io\/library\/busybox:latest\n$/)
    double.setVersion('1.0.0')
    expect(bytes().toString('latin1')).toMatch(/docker\.io\/library\/busybox:latest\n$/)
  })

  it('are refused for a platform that they don’t have, and for what isn’t there', () => {
    const none = call('image', 'save', '--platform', 'linux/riscv64', '-o', join(work, 'n.tar'), 'busybox')
    expect(none.stderr).toMatch(
      /^Error: image docker\.io\/library\/busybox:latest has no content for platform linux\/riscv64; available platforms: linux\//,
    )
    expect(call('image', 'save', '-o', join(work, 'n.tar'), 'nix')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Error: failed to save image(s)'),
    })
    expect(call('image', 'load', '-i', join(work, 'nix.tar'))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/file does not exist .*path=/),
    })
    expect(call('image', 'tag', 'nix', 'nox').stderr).toMatch(
      /^Error: image with reference docker\.io\/library\/nix:latest/,
    )
    expect(must('image', 'tag', 'busybox', 'other:1')).toBe('docker.io/library/other:1\n')
    expect(must('image', 'delete', 'other:1')).toBe('other:1\n')
  })

  it('come in as an OCI layout only, whole and with a name', () => {
    const tar = join(work, 'a.tar')
    const load = () => call('image', 'load', '--input', tar)
    writeBusyboxArchive(tar, { reference: 'docker.io/library/in:1', kind: 'docker' })
    expect(load()).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('OCI layout') })
    writeFileSync(tar, 'x'.repeat(1024))
    expect(load()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no tar archive') })
    writeBusyboxArchive(tar, { reference: 'docker.io/library/in:1', kind: 'both' })
    const data = readFileSync(tar)
    const at = data.indexOf('root:x:0:0')
    data[at] = 0x52
    writeFileSync(tar, data)
    expect(load()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('digest mismatch') })
    expect(call('image', 'inspect', 'in:1').exitCode).toBe(1)
    data[at] = 0x72
    writeFileSync(tar, data)
    expect(double.run(['image', 'load'], { input: data }).stdout).toBe('docker.io/library/in:1\n')
    must('image', 'delete', 'in:1')
  })
})

describe('build', () => {
  const build = (dockerfile: string, ...args: string[]) => {
    writeFileSync(join(work, 'Dockerfile'), dockerfile)
    return call('build', '-t', 'built:1', '--progress', 'plain', ...args, work)
  }

  it('brings a file system and its config back', () => {
    must(
      'run',
      '--name',
      'source',
      'busybox',
      'sh',
      '-c',
      'echo marker > /workspace/file; chown 1000 /workspace/file',
    )
    must('export', '-o', join(work, 'rootfs.tar'), 'source')
    const text = [
      'FROM scratch',
      'ADD rootfs.tar /',
      'ENV PATH="/bin" QUOTED="a \\"b\\" \\$c \\\\d"',
      'WORKDIR /workspace',
      'USER user',
      'LABEL one="two three"',
      'EXPOSE 80',
      'STOPSIGNAL SIGINT',
      'ENTRYPOINT ["sh","-c"]',
      'CMD ["stat -c %u file; cat file"]',
    ]
    expect(build(text.join('\n'))).toMatchObject({ exitCode: 0, stdout: 'docker.io/library/built:1\n' })
    expect(configOf('built:1')).toEqual({
      Env: ['PATH=/bin', 'QUOTED=a "b" $c \\d'],
      WorkingDir: '/workspace',
      User: 'user',
      Labels: { one: 'two three' },
      ExposedPorts: { '80/tcp': {} },
      StopSignal: 'SIGINT',
      Entrypoint: ['sh', '-c'],
      Cmd: ['stat -c %u file; cat file'],
    })
    expect(must('run', '--rm', 'built:1')).toBe('1000\nmarker\n')
    must('delete', 'source')
    must('image', 'delete', 'built:1')
  })

  it('has stages, runs commands and copies', () => {
    writeFileSync(join(work, 'note'), 'noted')
    const text =
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Dockerfiles write variables like that.
      'ARG BASE=busybox\nFROM ${BASE} AS one\nARG WHO\nRUN echo "$WHO" > /who\nFROM busybox\nCOPY --from=one /who /who\nCOPY --chown=user note /notes/\nENTRYPOINT ["cat", "/who", "/notes/note"]\n'
    expect(build(text, '--build-arg', 'WHO=me')).toMatchObject({ exitCode: 0 })
    expect(must('run', '--rm', 'built:1')).toBe('me\nnoted')
    // A command of the base goes with a new entrypoint.
    expect(configOf('built:1')).not.toHaveProperty('Cmd')
    must('image', 'delete', 'built:1')
  })

  it('refuses big Dockerfiles, missing ones and what fails', () => {
    expect(build(`FROM scratch\n#${'x'.repeat(16 * 1024)}`)).toMatchObject({ exitCode: 1, stdout: '' })
    expect(call('build', join(work, 'nowhere')).exitCode).toBe(64)
    rmSync(join(work, 'Dockerfile'))
    expect(call('build', work).exitCode).toBe(64)
    expect(build('FROM busybox\nRUN exit 3').stderr).toContain('exit code: 3')
    expect(build('FROM scratch\nADD nothing /').stderr).toContain('not found')
    expect(build('FROM scratch\nNONSENSE').exitCode).toBe(1)
    expect(build('FROM nowhere:1').stderr).toContain('failed to pull image')
  })

  it('loses the config when a test wants to see that noticed', () => {
    double.setKnobs({ faults: [{ verb: 'build', kind: 'hollow' }] })
    expect(build('FROM busybox\nENV A=1')).toMatchObject({ exitCode: 0 })
    expect(configOf('built:1')).toEqual({})
    const tar = join(work, 'h.tar')
    writeBusyboxArchive(tar, { reference: 'docker.io/library/hollow:1', kind: 'oci' })
    double.setKnobs({ faults: [{ verb: 'image load', kind: 'hollow' }] })
    must('image', 'load', '-i', tar)
    expect(configOf('hollow:1')).toEqual({})
  })
})
