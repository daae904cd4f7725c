import {
  appendFile,
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AgentAccess, ScreenText } from '../../../src-main/backends/agent-access.ts'
import type { RuntimeRef } from '../../../src-main/backends/backend.ts'
import { createHostBackend } from '../../../src-main/backends/host/host-backend.ts'
import { openTerminal } from '../../../src-main/backends/local/terminal.ts'
import { tmuxMultiplexer } from '../../../src-main/backends/local/tmux.ts'
import { runCommand } from '../../../src-main/system/run-command.ts'
import { barePlan, type HostWorld, never, openHostWorld, textOf, until } from '../host/host-fixture.ts'

let world: HostWorld
let access: AgentAccess
const refs: RuntimeRef[] = []

beforeAll(async () => {
  world = await openHostWorld()
  const found = await world.backend.access?.()
  if (!found) throw new Error('no access')
  access = found
})
afterEach(async () => {
  for (const ref of refs.splice(0)) await world.backend.remove(ref, never())
})
afterAll(() => world.close())

/** Starts a bottle of its own in the same world. */
async function launch(
  script: string,
  slug: string,
  multiplexer: 'tmux' | 'screen' = 'tmux',
  more: object = {},
): Promise<RuntimeRef> {
  const stateDir = world.root.path('state', slug)
  await mkdir(stateDir, { recursive: true })
  const plan = {
    ...barePlan(world.root.id, slug, stateDir),
    argv: ['/bin/sh', '-c', script],
    tty: true,
    multiplexer,
    ...more,
  }
  const ref = await world.backend.launch(plan, () => undefined, never())
  refs.push(ref)
  return ref
}

const shown = (screen: ScreenText | null): string => screen?.lines.join('\n').trimEnd() ?? ''
const screenOf = async (ref: RuntimeRef): Promise<string> => shown(await access.screen(ref, never()))
const logOf = (ref: RuntimeRef): string => world.root.path('state', ref.slug, 'logs', `${ref.runId}.log`)

/** As another process sees the same bottles, which has looked at nothing yet. */
async function anotherAccess(): Promise<AgentAccess> {
  const backend = createHostBackend({ rootId: world.root.id, home: world.root.dir })
  const found = await backend.access?.()
  if (!found) throw new Error('no access')
  return found
}

const ECHO = 'stty size; printf "say? "; while IFS= read -r x; do printf "got[%s]\\n" "$x"; done'

describe.each(['tmux', 'screen'] as const)('%s', (multiplexer) => {
  it('shows the screen, types texts as they are, and ends with the agent', async () => {
    const ref = await launch(ECHO, `talk-${multiplexer}`, multiplexer)
    await until('the question', async () => (await screenOf(ref)).includes('say?'))
    const first = await access.screen(ref, never())
    expect(first).toMatchObject({ cols: 120, rows: 32 })
    expect(first?.lines).toHaveLength(32)
    expect(first?.lines[0]).toBe('32 120')
    const nasty = `$HOME ^C \\n ; %n é中 "q" 'x' \`id\` #{pane_id} end;`
    await access.type(ref, [{ text: nasty }, { key: 'Enter' }], never())
    await until('the answer', async () => (await screenOf(ref)).includes(`got[${nasty}]`))
    await access.type(ref, [{ key: 'C-d' }], never())
    expect((await world.backend.wait(ref, never()))?.exitCode).toBe(0)
    expect(await access.screen(ref, never())).toBeNull()
    await expect(access.type(ref, [{ text: 'x' }], never())).rejects.toMatchObject({ code: 'not-found' })
  })

  it('weakness 15: session names are matched exactly, a sibling whose name begins alike is untouched', async () => {
    const web = await launch(ECHO, `web-${multiplexer}`, multiplexer)
    const sibling = await launch(ECHO, `web-${multiplexer}-2`, multiplexer)
    for (const ref of [web, sibling])
      await until('both ask', async () => (await screenOf(ref)).includes('say?'))
    await access.type(web, [{ text: 'only me' }, { key: 'Enter' }], never())
    await until('web answers', async () => (await screenOf(web)).includes('got[only me]'))
    expect(await screenOf(sibling)).not.toContain('only me')
    await world.backend.stop(web, { graceSeconds: 2 }, never())
    await world.backend.remove(web, never())
    await access.type(sibling, [{ text: 'still here' }, { key: 'Enter' }], never())
    await until('the sibling answers', async () => (await screenOf(sibling)).includes('got[still here]'))
    // Asked by the name of the one that is gone, which is where the sibling's begins, nobody answers.
    await expect(access.type(web, [{ text: 'lost' }], never())).rejects.toMatchObject({ code: 'not-found' })
    expect(await screenOf(sibling)).not.toContain('lost')
  })

  it('weakness 20: the full output is on disk, far beyond what the terminal keeps', async () => {
    const ref = await launch(
      'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); echo line-$i; done; read x',
      `full-${multiplexer}`,
      multiplexer,
    )
    await until('the end', async () => (await screenOf(ref)).includes('line-30000'))
    await until('the log', async () => (await readFile(logOf(ref), 'utf8')).includes('line-30000\r\n'))
    const text = await readFile(logOf(ref), 'utf8')
    expect(text.startsWith('line-1\r\n')).toBe(true)
    expect(text.match(/line-/g)).toHaveLength(30_000)
  })
})

/** What programs do to a screen: repaints, another buffer, wide characters, scroll regions, tabs, line drawing. */
const PICTURES: Readonly<Record<string, string>> = {
  repaint: String.raw`i=0; while [ $i -lt 50 ]; do i=$((i+1)); printf '\033[H\033[2J\033[5;10Hframe %s\033[K\r\n\033[1;31mred\033[0m\033[20;1Hbottom\033[2A\033[10Dup' $i; done`,
  'inline redraw': String.raw`printf 'a\nb\nc\n'; i=0; while [ $i -lt 20 ]; do i=$((i+1)); printf '\033[3A\033[Jline %s\nmore\nlast\n' $i; done`,
  'alternate buffer': String.raw`printf 'before\n'; printf '\033[?1049h\033[2J\033[3;3Hinside\033[?1049l'; printf 'after\n'; printf '\033[?1049h\033[HIN'`,
  'scroll region': String.raw`printf '\033[2J\033[3;8r\033[3;1H'; i=0; while [ $i -lt 30 ]; do i=$((i+1)); printf 'row %s\r\n' $i; done; printf '\033[r\033[1;1Htop\033[5;1H\033[2L\033[10;1H\033[M\033[12;1Habcdef\033[12;2H\033[2P\033[12;4H\033[3@'`,
  'wide characters': String.raw`printf 'x 中文字 y\r\n한국어 │ ─ ╭╮ ⏵⏵ ✻ ● ❯ ⎿ …\r\n'; printf '\033[1;4HZ'; j=0; while [ $j -lt 70 ]; do j=$((j+1)); printf '中'; done`,
  'long lines and tabs': String.raw`printf 'a\tb\tc\r\n'; i=0; while [ $i -lt 300 ]; do i=$((i+1)); printf '%s,' $i; done; printf '\r\nend \b\b!\033[s\033[30;5Hx\033[uY'`,
  scrolling: String.raw`i=0; while [ $i -lt 100 ]; do i=$((i+1)); printf 'l%s\r\n' $i; done; printf '\033[5;5H\033M\033[1;1H\033M\033D no end'`,
}

describe('a screen that is drawn from the log', () => {
  it.each(Object.entries(PICTURES))('looks as in tmux: %s', async (name, script) => {
    const ref = await launch(
      `${script}; printf '\\033[32;100Hdone'; read x`,
      `pic-${name.replaceAll(' ', '-')}`,
    )
    await until('the picture', async () => (await screenOf(ref)).endsWith('done'))
    const socket = String(ref.facts.socket)
    const real = await tmuxMultiplexer('/usr/bin/tmux').capture(socket, never())
    // Without its server only the log can tell.
    await rename(socket, `${socket}.away`)
    expect(await (await anotherAccess()).screen(ref, never())).toEqual(real)
    await rename(`${socket}.away`, socket)
  })

  it('asks the server where terminals disagree, once after each output', async () => {
    const ref = await launch(ECHO, 'disputed')
    await until('the question', async () => (await screenOf(ref)).includes('say?'))
    const socket = String(ref.facts.socket)
    await access.type(ref, [{ text: '🎉 ok' }, { key: 'Enter' }], never())
    // The whole line: what comes later would be another output.
    await until('the answer', async () => (await readFile(logOf(ref), 'utf8')).includes('ok]\r\n'))
    await until('the picture', async () => (await screenOf(ref)).includes('got[🎉 ok]'))
    await rename(socket, `${socket}.away`)
    expect(await screenOf(ref)).toContain('got[🎉 ok]')
    await appendFile(logOf(ref), 'x')
    await expect(access.screen(ref, never())).rejects.toThrow()
    await rename(`${socket}.away`, socket)
  })

  it.each(['tmux', 'screen'] as const)(
    'follows the size that a person at %s gave it',
    async (multiplexer) => {
      const draw = String.raw`paint() { printf '\033[H\033[2Jsize %s' "$(stty size)"; }; trap paint WINCH; paint; while :; do sleep 0.1; done`
      const ref = await launch(draw, `resized-${multiplexer}`, multiplexer)
      await until('first', async () => (await screenOf(ref)) === 'size 32 120')
      const channel = await world.backend.attach(ref, { cols: 70, rows: 20 }, never())
      void (async () => {
        for await (const _ of channel.data);
      })()
      await until('second', async () => (await screenOf(ref)) === 'size 20 70')
      expect(await access.screen(ref, never())).toMatchObject({ cols: 70, rows: 20 })
      channel.detach()
    },
  )

  it('begins anew when the run is started again', async () => {
    const script = 'echo up; read x; echo down; exit 0'
    const ref = await launch(script, 'again')
    await until('up', async () => (await screenOf(ref)) === 'up')
    await access.type(ref, [{ key: 'Enter' }], never())
    await world.backend.wait(ref, never())
    await world.backend.runEnded(ref, never())
    const stateDir = world.root.path('state', 'again')
    const plan = { ...barePlan(world.root.id, 'again', stateDir), argv: ['/bin/sh', '-c', script], tty: true }
    const next = await world.backend.restart(ref, { ...plan, runId: ref.runId }, never())
    refs.push(next)
    await until('up again', async () => (await screenOf(next)) === 'up')
  })

  it('knows of a person who came by the program itself', async () => {
    const ref = await launch(ECHO, 'by-hand')
    await until('the question', async () => (await screenOf(ref)).includes('say?'))
    const channel = await openTerminal(
      {
        file: '/usr/bin/tmux',
        args: ['-S', String(ref.facts.socket), 'attach'],
        env: { PATH: '/usr/bin:/bin' },
      },
      { cols: 60, rows: 15 },
      never(),
    )
    await until('the size', async () => (await access.screen(ref, never()))?.cols === 60)
    channel.detach()
  })
})

describe('files', () => {
  const at = (path: string) => ({ base: 'home', path }) as const
  const textIn = async (ref: RuntimeRef, path: string, tail: number | null = null) => {
    const found = await access.read(ref, at(path), tail, never())
    return found && Buffer.from(found).toString()
  }
  const bytes = (text: string): Uint8Array => Buffer.from(text)
  const homeOf = (ref: RuntimeRef): string => world.root.path('state', ref.slug, 'live', 'home')

  it('are written, listed, read and removed, also after the end, and not for a run that is gone', async () => {
    const ref = await launch('read x', 'files', 'tmux', { workdir: 'sub/work' })
    await access.write(ref, at('a/b/new'), bytes('one'), never())
    const file = join(homeOf(ref), 'a/b/new')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    await chmod(file, 0o640)
    await access.write(ref, at('a/b/new'), bytes('three'), never())
    expect((await stat(file)).mode & 0o777).toBe(0o640)
    expect(await textIn(ref, 'a/b/new')).toBe('three')
    expect(await textIn(ref, 'a/b/new', 2)).toBe('ee')
    expect(await textIn(ref, 'a/b/new', 100)).toBe('three')
    expect(await textIn(ref, 'a/b')).toBeNull()
    expect(await textIn(ref, 'a/none')).toBeNull()
    await access.write(ref, at('a/old'), bytes(''), never())
    await utimes(join(homeOf(ref), 'a/old'), 1000, 1000)
    const listed = await access.list(ref, at('a'), 10, never())
    expect(listed.map(({ path, bytes }) => [path, bytes])).toEqual([
      ['b/new', 5],
      ['old', 0],
    ])
    expect(listed[1]?.modifiedAt).toBe(1_000_000)
    expect(await access.list(ref, at('a'), 1, never())).toHaveLength(1)
    expect(await access.list(ref, at('none'), 10, never())).toEqual([])
    await access.write(ref, { base: 'workspace', path: 'note' }, bytes('n'), never())
    expect(await textOf(world.root.path('state', ref.slug, 'live/workspace/sub/work/note'))).toBe('n')
    await access.remove(ref, at('a/old'), never())
    await access.remove(ref, at('a/old'), never())
    expect(await textIn(ref, 'a/old')).toBeNull()
    await world.backend.stop(ref, { graceSeconds: 0 }, never())
    expect(await textIn(ref, 'a/b/new')).toBe('three')
    await world.backend.remove(ref, never())
    expect(await textIn(ref, 'a/b/new')).toBeNull()
    expect(await access.list(ref, at('a'), 10, never())).toEqual([])
    await expect(access.write(ref, at('x'), bytes('x'), never())).rejects.toMatchObject({ code: 'not-found' })
  })

  it('never go through a link, a pipe, or out of the base', async () => {
    const ref = await launch('read x', 'links')
    const home = homeOf(ref)
    await writeFile(join(world.userHome, 'secret'), 'secret')
    await symlink(world.userHome, join(home, 'link'))
    await symlink(join(world.userHome, 'secret'), join(home, 'file'))
    await mkdir(join(home, 'dir'))
    await runCommand('mkfifo', [join(home, 'pipe')], { timeout: 5000 })
    for (const path of ['link/secret', 'file', 'pipe', 'dir'])
      expect(await textIn(ref, path), path).toBeNull()
    expect(await access.list(ref, at('link'), 10, never())).toEqual([])
    expect(await access.list(ref, at(''), 10, never())).toEqual([])
    for (const path of ['link/x', 'file/x', 'dir']) {
      const write = access.write(ref, at(path), bytes('x'), never())
      await expect(write, path).rejects.toMatchObject({ code: 'permission' })
    }
    await access.remove(ref, at('link/secret'), never())
    await access.write(ref, at('file'), bytes('mine'), never())
    await access.remove(ref, at('link'), never())
    expect(await readdir(world.userHome)).toEqual(['secret'])
    expect(await textOf(join(world.userHome, 'secret'))).toBe('secret')
    for (const path of ['../x', '/etc/passwd', 'a/../../x', 'a\0b']) {
      await expect(access.read(ref, at(path), null, never()), path).rejects.toMatchObject({ code: 'denied' })
    }
  })

  it('stay inside while the agent swaps folders and links under the reader', async () => {
    const outside = join(world.userHome, 'swapped')
    await mkdir(join(outside, 'deep'), { recursive: true })
    await writeFile(join(outside, 'deep/file'), 'secret')
    await writeFile(join(outside, 'secret'), 'secret')
    const ref = await launch(
      `mkdir -p $HOME/real/deep; echo mine > $HOME/real/deep/file; ln -s ${outside} $HOME/evil; cd $HOME
       mv real at; while :; do mv at real; mv evil at; mv at evil; mv real at; done`,
      'swap',
    )
    let read = 0
    for (let round = 0; round < 2000 && (round < 300 || read < 20); round++) {
      const found = await textIn(ref, 'at/deep/file')
      if (found !== null) read++
      expect(found ?? 'mine\n').toBe('mine\n')
      const listed = await access.list(ref, at('at'), 10, never())
      expect(listed.map(({ path }) => path)).not.toContain('secret')
    }
    expect(read).toBeGreaterThanOrEqual(20)
    for (let round = 0; round < 200; round++) {
      await access.write(ref, at('at/new'), bytes('x'), never()).catch(() => undefined)
      await access.remove(ref, at('at/secret'), never()).catch(() => undefined)
    }
    expect(await readdir(outside)).toEqual(['deep', 'secret'])
    expect(await textOf(join(outside, 'deep/file'))).toBe('secret')
  })
})

it('tells of output as it comes, and ends with the run or the signal', async () => {
  const ref = await launch(
    'read x; echo one; read x; i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo $i; done; read x',
    'output',
  )
  const times: number[] = []
  const ended = (async () => {
    for await (const time of access.output(ref, never())) times.push(time)
  })()
  const stop = new AbortController()
  const other = (async () => {
    for await (const _ of access.output(ref, stop.signal));
  })()
  await access.type(ref, [{ key: 'Enter' }], never())
  await until('the first', () => times.length > 0)
  stop.abort()
  await other
  await access.type(ref, [{ key: 'Enter' }], never())
  await until('all', async () => (await screenOf(ref)).includes('2000'))
  // Thousands of lines are a handful of times.
  expect(times.length).toBeLessThan(30)
  expect(times.every((time) => Math.abs(Date.now() - time) < 60_000)).toBe(true)
  await access.type(ref, [{ key: 'Enter' }], never())
  await ended
})
