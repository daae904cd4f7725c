import { mkdtemp, readdir, readFile, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { TerminalChannel } from '../../../src-main/backends/backend.ts'
import { runCommand } from '../../../src-main/system/run-command.ts'
import { canary, type HostWorld, never, openHostWorld, textOf, until } from './host-fixture.ts'

const worlds: HostWorld[] = []
const open = async (options?: Parameters<typeof openHostWorld>[0]): Promise<HostWorld> => {
  const world = await openHostWorld(options)
  worlds.push(world)
  return world
}
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close()
})

const SIZE = { cols: 90, rows: 25 }
const ASK = 'stty size; printf "name? "; read name; echo "hello $name"; read again; exit 5'

/** Collects what a terminal shows. */
function screenOf(channel: TerminalChannel): { text(): string; readonly ended: Promise<void> } {
  let seen = ''
  const ended = (async () => {
    for await (const chunk of channel.data) seen += Buffer.from(chunk).toString()
  })()
  return { text: () => seen, ended }
}

for (const isolation of [undefined, 'none'] as const) {
  it(`talks with an interactive agent across two attachments (${isolation ?? 'bwrap'})`, async () => {
    const world = await open(isolation ? { isolation } : {})
    const ref = await world.launch(ASK, { tty: true })
    const channel = await world.backend.attach(ref, SIZE, never())
    const screen = screenOf(channel)
    await until('prompt', () => screen.text().includes('name?'))
    channel.write('bob\r')
    await until('greeting', () => screen.text().includes('hello bob'))
    channel.detach()
    await screen.ended
    expect((await world.backend.list(never()))[0]?.state).toBe('running')
    const again = await world.backend.attach(ref, SIZE, never())
    const second = screenOf(again)
    await until('old text', () => second.text().includes('hello bob'))
    again.write('\r')
    await second.ended
    expect((await world.backend.wait(ref, never()))?.exitCode).toBe(5)
    await until('log', async () => (await world.outputOf(ref)).includes('hello bob'))
    await expect(world.backend.attach(ref, SIZE, never())).rejects.toMatchObject({ code: 'not-found' })
  })
}

it('follows the size of the window', async () => {
  const world = await open()
  const ref = await world.launch('while read x; do stty size; done', { tty: true })
  const channel = await world.backend.attach(ref, SIZE, never())
  const screen = screenOf(channel)
  await until('first size', () => {
    channel.write('\r')
    return screen.text().includes('25 90')
  })
  await channel.resize(70, 20)
  await until('second size', () => {
    channel.write('\r')
    return screen.text().includes('20 70')
  })
})

it('passes long and nasty arguments, and leaves neither them nor secrets behind', async () => {
  const world = await open()
  const secret = canary()
  const prompt = `${canary()} 'quoted' "double" $HOME \`x\` \\ \n;\n${'long '.repeat(10_000)}`
  const ref = await world.launch('', {
    tty: true,
    argv: [
      '/bin/sh',
      '-c',
      'printf %s "$1" > prompt; printf %s "$TOKEN" > token; sleep 100',
      'agent',
      prompt,
    ],
    prompt,
    secrets: { TOKEN: secret },
  })
  await until('token', async () => (await textOf(join(world.workspace, 'token'))) === secret)
  expect(await readFile(join(world.workspace, 'prompt'), 'utf8')).toBe(prompt)
  for (const name of await readdir(join(world.stateDir, 'run', ref.runId))) {
    const text = await readFile(join(world.stateDir, 'run', ref.runId, name), 'utf8')
    expect(text, name).not.toContain(secret)
    expect(text, name).not.toContain(prompt.slice(0, 40))
  }
  const socket = String(ref.facts.socket)
  const shown = await runCommand('tmux', ['-S', socket, 'show-environment', '-g'], { timeout: 5000 })
  expect(shown.stdout).not.toContain(secret)
  expect((await stat(join(socket, '..'))).mode & 0o077).toBe(0)
})

it('freezes and stops an interactive agent', async () => {
  const world = await open()
  const ref = await world.launch('i=0; while :; do i=$((i+1)); echo $i > count; done', { tty: true })
  const count = async (): Promise<number> => Number((await textOf(join(world.workspace, 'count'))) ?? 0)
  await until('it counts', async () => (await count()) > 5)
  const snapshot = await world.freeze(ref)
  expect(Number(snapshot.facts.pausedMs)).toBeGreaterThan(0)
  const before = await count()
  await until('it goes on', async () => (await count()) > before)
  await world.backend.stop(ref, { graceSeconds: 5 }, never())
  expect((await world.backend.wait(ref, never()))?.exitCode).toBe(143)
  const socket = String(ref.facts.socket)
  await until('the terminal is gone', async () => {
    const asked = await runCommand('tmux', ['-S', socket, 'has-session'], { timeout: 5000, okCodes: [0, 1] })
    return asked.exitCode === 1
  })
  await world.backend.runEnded(ref, never())
  expect(await stat(socket).catch(() => null)).toBeNull()
})

it('finds a short place for the socket of a state root far down', async () => {
  const deep = await open()
  const world = await openHostWorld({ base: await mkdtemp(join(deep.userHome, 'x'.repeat(60))) })
  const ref = await world.launch('echo up; read x', { tty: true })
  const socket = String(ref.facts.socket)
  expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(100)
  await until('up', async () => (await world.outputOf(ref)).includes('up'))
  await world.close()
  // Only an empty folder of this state root is left.
  await rmdir(dirname(socket))
})

it('has no terminal for a headless run, and none without tmux', async () => {
  const world = await open()
  const ref = await world.launch('sleep 100')
  await expect(world.backend.attach(ref, SIZE, never())).rejects.toMatchObject({ code: 'unsupported' })
  const bare = await open({ env: { PATH: '/nonexistent' } })
  await expect(bare.backend.preflight(bare.plan('true', { tty: true }), never())).rejects.toMatchObject({
    code: 'engine-missing',
    message: expect.stringContaining('tmux'),
  })
})
