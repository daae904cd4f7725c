import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AgentAccess, ScreenText } from '../../../src-main/backends/agent-access.ts'
import type { RuntimeRef } from '../../../src-main/backends/backend.ts'
import { must } from '../../support/busybox-image.ts'
import { runChild } from '../../support/child.ts'
import { type DockerScene, makeDockerScene, until } from '../../support/docker-scene.ts'
import { ensureBusyboxImage, makeImageWithoutShell } from '../../support/images.ts'
import { rawEngine } from '../../support/raw-engine.ts'

let scene: DockerScene
let image: string
let access: AgentAccess
beforeAll(async () => {
  image = await ensureBusyboxImage()
  scene = await makeDockerScene()
  const found = await scene.backend.access?.()
  if (!found) throw new Error('no access')
  access = found
})
afterAll(() => scene.dispose())

const launch = (script: string, more: object = {}): Promise<RuntimeRef> =>
  scene.launch(scene.plan(image, script, { tty: true, ...more }))
const shown = (screen: ScreenText | null): string => screen?.lines.join('\n').trimEnd() ?? ''
const screenOf = async (ref: RuntimeRef): Promise<string> => shown(await access.screen(ref, scene.signal))
const bytes = (text: string): Uint8Array => Buffer.from(text)
const at = (path: string) => ({ base: 'home', path }) as const
const textOf = async (ref: RuntimeRef, path: string, tail: number | null = null): Promise<string | null> => {
  const found = await access.read(ref, at(path), tail, scene.signal)
  return found && Buffer.from(found).toString()
}

const ECHO = 'printf "say? "; while IFS= read -r x; do printf "got[%s]\\n" "$x"; done'
/** Asks for pastes in brackets and arrows of the other kind, then shows byte by byte what comes. */
const RAW =
  'stty raw -echo; printf "\\033[?2004h\\033[?1hready\\r\\n"; while :; do dd bs=1 count=1 2>/dev/null | od -An -tx1 | tr -d "\\n"; done'

describe('the terminal', () => {
  it('shows a question without a line end, takes texts as they are, and ends with the agent', async () => {
    // Its size is right from its first moment on.
    const ref = await launch(`size=$(stty size); sleep 0.5; echo "$size"; ${ECHO}`)
    await until(async () => (await screenOf(ref)).includes('say?'))
    const first = await access.screen(ref, scene.signal)
    expect(first).toMatchObject({ cols: 120, rows: 32 })
    expect(first?.lines[0]).toBe('32 120')
    const nasty = `$HOME ^C \\n ; é中 "q" 'x' \`id\``
    await access.type(ref, [{ text: nasty }, { key: 'Enter' }], scene.signal)
    await until(async () => (await screenOf(ref)).includes(`got[${nasty}]`))
    await access.type(ref, [{ key: 'C-d' }], scene.signal)
    expect((await scene.backend.wait(ref, scene.signal))?.exitCode).toBe(0)
    expect(await access.screen(ref, scene.signal)).toBeNull()
    await expect(access.type(ref, [{ text: 'x' }], scene.signal)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('types lines as one paste and keys as the program asked for them', async () => {
    const ref = await launch(RAW)
    await until(async () => (await screenOf(ref)).includes('ready'))
    await access.type(ref, [{ text: 'a\nb' }, { key: 'Up' }, { key: 'Enter' }], scene.signal)
    const expected = ` ${'1b5b3230307e610d621b5b3230317e1b4f410d'.replace(/..(?=.)/g, '$& ')}`
    await until(async () => (await screenOf(ref)).replaceAll('\n', '').includes(expected))
  })

  it('knows the size that another process gave it, and goes on over a pause', async () => {
    // As a program with a screen does: draws all of it whenever the size changes, without a line end.
    const draw =
      'paint() { printf "\\033[H\\033[2Jsize %s\\r\\nsay? " "$(stty size)"; }; trap paint WINCH; paint'
    const ref = await launch(`${draw}; while :; do sleep 0.1; done`)
    await until(async () => (await screenOf(ref)) === 'size 32 120\nsay?')
    const channel = await scene.backend.attach(ref, { cols: 70, rows: 20 }, scene.signal)
    channel.detach()
    await until(async () => (await screenOf(ref)) === 'size 20 70\nsay?')
    // A second supervisor begins with the log, which holds no question, and with the size that the first process gave.
    const other = await otherAccess(scene)
    await until(async () => shown(await other.screen(ref, scene.signal)) === 'size 20 70\nsay?')
    expect(await other.screen(ref, scene.signal)).toMatchObject({ cols: 70, rows: 20 })
    await pause(ref, async () => expect(await screenOf(ref)).toContain('say?'))
  })

  it('begins anew when the container is started again', async () => {
    const plan = scene.plan(image, 'echo first; read x; echo second; read x', { tty: true })
    const ref = await scene.launch(plan)
    await until(async () => (await screenOf(ref)) === 'first')
    await scene.backend.stop(ref, { graceSeconds: 0 }, scene.signal)
    const again = await scene.backend.restart(ref, plan, scene.signal)
    await until(async () => (await screenOf(again)) === 'first')
    const other = await otherAccess(scene)
    expect(shown(await other.screen(again, scene.signal))).toBe('first')
  })

  it('keeps no process alive by a look alone', async () => {
    const ref = await launch('echo up; read x')
    await until(async () => (await screenOf(ref)) === 'up')
    const backend = new URL('../../../src-main/backends/docker/docker-backend.ts', import.meta.url)
    const script = `const { createDockerBackend } = await import(${JSON.stringify(backend.href)})
      const access = await createDockerBackend({ rootId: 'r', home: ${JSON.stringify(scene.root.dir)} }).access()
      const screen = await access.screen(${JSON.stringify(ref)}, new AbortController().signal)
      console.log(screen.lines[0])`
    const { exitCode, output } = await runChild(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 30_000,
    })
    expect([exitCode, output.trim()]).toEqual([0, 'up'])
  })

  it('has none for a headless run, whose output is told all the same', async () => {
    const ref = await scene.launch(scene.plan(image, 'while :; do sleep 0.2; echo x; done'))
    expect(await access.screen(ref, scene.signal)).toBeNull()
    await expect(access.type(ref, [{ text: 'x' }], scene.signal)).rejects.toMatchObject({
      code: 'unsupported',
    })
    const stop = new AbortController()
    let told = 0
    for await (const time of access.output(ref, stop.signal)) {
      expect(Math.abs(Date.now() - time)).toBeLessThan(10_000)
      if (++told === 2) stop.abort()
    }
    expect(told).toBe(2)
  })

  it('tells of output, and ends with the run', async () => {
    const ref = await launch('read x; echo one; read x')
    const times: number[] = []
    const ended = (async () => {
      for await (const time of access.output(ref, scene.signal)) times.push(time)
    })()
    await until(async () => (await screenOf(ref)) !== null)
    const before = times.length
    await access.type(ref, [{ key: 'Enter' }], scene.signal)
    await until(async () => times.length > before)
    await access.type(ref, [{ key: 'Enter' }], scene.signal)
    await ended
  })
})

describe('files', () => {
  it.each([
    ['root', null, '/root', '0:0'],
    ['a user', 'user', '/workspace', '1000:1000'],
  ])(
    'of %s are written, listed, read and removed, while running, paused and stopped',
    async (_who, user, home, owner) => {
      const ref = await launch('read x', { user })
      const { signal } = scene
      // Images give users homes of their own; this one's is still root's.
      await must('docker', [
        'exec',
        '-u',
        '0',
        ref.id,
        'sh',
        '-c',
        `mkdir -p ${home}; chown ${owner} ${home}`,
      ])
      await access.write(ref, at('a/b/new'), bytes('one'), signal)
      expect(await textOf(ref, 'a/b/new')).toBe('one')
      expect(await textOf(ref, 'a/b/new', 2)).toBe('ne')
      expect(await textOf(ref, 'a/b')).toBeNull()
      expect(await textOf(ref, 'a/none')).toBeNull()
      expect(await inside(ref, `stat -c "%u:%g %a" ${home}/a/b/new ${home}/a`)).toBe(
        `${owner} 600\n${owner} 700\n`,
      )
      await inside(ref, `chmod 640 ${home}/a/b/new; touch -d 2020-01-01 ${home}/a/old`)
      await access.write(ref, at('a/b/new'), bytes('two'), signal)
      await pause(ref, async () => {
        await access.write(ref, at('a/c/late'), bytes('paused'), signal)
        await access.write(ref, at('a/b/new'), bytes('three'), signal)
        expect(await textOf(ref, 'a/c/late')).toBe('paused')
      })
      expect(await inside(ref, `stat -c "%u:%g %a" ${home}/a/b/new ${home}/a/c/late`)).toBe(
        `${owner} 640\n${owner} 600\n`,
      )
      const listed = await access.list(ref, at('a'), 10, signal)
      expect(listed.map(({ path, bytes }) => [path, bytes])).toContainEqual(['c/late', 6])
      expect(listed.at(-1)?.path).toBe('old')
      expect((await access.list(ref, at('a'), 1, signal)).length).toBe(1)
      expect(await access.list(ref, at('none'), 10, signal)).toEqual([])
      await access.remove(ref, at('a/c/late'), signal)
      await access.remove(ref, at('a/c/late'), signal)
      expect(await textOf(ref, 'a/c/late')).toBeNull()
      await scene.backend.stop(ref, { graceSeconds: 0 }, signal)
      expect(await textOf(ref, 'a/b/new')).toBe('three')
      await access.write(ref, at('a/b/new'), bytes('four'), signal)
      expect(await textOf(ref, 'a/b/new')).toBe('four')
      await expect(access.remove(ref, at('a/b/new'), signal)).rejects.toMatchObject({ code: 'unsupported' })
      await access.remove(ref, at('a/none'), signal)
    },
  )

  it('never goes through a link, nor out of the base', async () => {
    const ref = await launch('ln -s /etc ~/link; ln -s /etc/passwd ~/file; mkdir ~/dir; touch ~/done; read x')
    await until(async () => (await textOf(ref, 'done')) !== null)
    const { signal } = scene
    await expect(access.write(ref, at('link/x'), bytes('x'), signal)).rejects.toMatchObject({
      code: 'permission',
    })
    await expect(access.remove(ref, at('link/passwd'), signal)).rejects.toMatchObject({ code: 'permission' })
    await expect(access.write(ref, at('dir'), bytes('x'), signal)).rejects.toMatchObject({
      code: 'permission',
    })
    expect(await textOf(ref, 'file')).toBeNull()
    expect(await access.list(ref, at('link'), 10, signal)).toEqual([])
    await pause(ref, async () => {
      await expect(access.write(ref, at('link/x'), bytes('x'), signal)).rejects.toMatchObject({
        code: 'permission',
      })
    })
    await access.write(ref, at('file'), bytes('mine'), signal)
    expect(await inside(ref, 'cat ~/file; head -c 4 /etc/passwd; ls /etc/x 2>&1 || true')).toMatch(
      /^mineroot.*No such/s,
    )
    for (const path of ['../x', '/etc/passwd', 'a/../../x', 'a\0b']) {
      await expect(access.read(ref, at(path), null, signal), path).rejects.toMatchObject({ code: 'denied' })
    }
  })

  it('large ones: the end alone, and a list without their content', async () => {
    const ref = await launch(
      'mkdir ~/big; i=0; while [ $i -lt 3 ]; do i=$((i+1)); head -c 5000000 /dev/zero > ~/big/$i; printf end >> ~/big/$i; done; touch ~/done; read x',
    )
    await until(async () => (await textOf(ref, 'done')) !== null)
    expect(await textOf(ref, 'big/1', 3)).toBe('end')
    const whole = await access.read(ref, at('big/1'), null, scene.signal)
    expect(whole?.length).toBe(5_000_003)
    const listed = await access.list(ref, at('big'), 10, scene.signal)
    expect(listed.map(({ bytes }) => bytes)).toEqual([5_000_003, 5_000_003, 5_000_003])
    const content = Buffer.alloc(3_000_000, 'x')
    await access.write(ref, at('big/1'), content, scene.signal)
    expect(await inside(ref, 'md5sum < ~/big/1')).toContain(createHash('md5').update(content).digest('hex'))
    await access.write(ref, at('big/1'), bytes(''), scene.signal)
    expect(await textOf(ref, 'big/1')).toBe('')
  })

  it('in the folder that the agent works in, with its HOME, and in an image without a shell', async () => {
    const ref = await launch('pwd > $HOME/where; read x', {
      workdir: '/srv/work',
      env: { HOME: '/srv/home' },
    })
    await access.write(ref, { base: 'workspace', path: 'note' }, bytes('n'), scene.signal)
    expect(await inside(ref, 'cat /srv/work/note')).toBe('n')
    await inside(ref, 'mkdir -p /srv/home; echo x > /srv/home/f')
    expect(await textOf(ref, 'f')).toBe('x\n')
    const bare = await scene.launch(
      scene.plan(await makeImageWithoutShell(), null, { argv: ['/busybox', 'sleep', '1000'] }),
    )
    await access.write(bare, at('.a/f'), bytes('plain'), scene.signal)
    expect(await textOf(bare, '.a/f')).toBe('plain')
    await scene.backend.remove(bare, scene.signal)
    expect(await textOf(bare, '.a/f')).toBeNull()
    expect(await access.list(bare, at('.a'), 10, scene.signal)).toEqual([])
    await expect(access.write(bare, at('f'), bytes('x'), scene.signal)).rejects.toMatchObject({
      code: 'not-found',
    })
  })
})

/** Another process's access to the same bottles. */
async function otherAccess({ root }: DockerScene): Promise<AgentAccess> {
  const { createDockerBackend } = await import('../../../src-main/backends/docker/docker-backend.ts')
  const found = await createDockerBackend({ rootId: root.id, home: root.dir }).access?.()
  if (!found) throw new Error('no access')
  return found
}

async function inside(ref: RuntimeRef, script: string): Promise<string> {
  return must('docker', ['exec', ref.id, 'sh', '-c', script])
}

async function pause(ref: RuntimeRef, work: () => Promise<void>): Promise<void> {
  await rawEngine().call('POST', `/containers/${ref.id}/pause`)
  try {
    await work()
  } finally {
    await rawEngine().call('POST', `/containers/${ref.id}/unpause`)
  }
}
