import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CLI, type CliScene, openCliScene, sceneEnv, until } from './cli-scene.ts'

const run = promisify(execFile)

let scene: CliScene
let socket: string
beforeAll(async () => {
  scene = await openCliScene()
  socket = `icebox-cli-${process.pid}`
  await scene.started('calm', 'echo x > x')
})
afterAll(async () => {
  await tmux('kill-server').catch(() => undefined)
  await scene.dispose()
})

async function tmux(...args: readonly string[]): Promise<string> {
  // A person's terminal says nothing about colour, whatever the terminal of these tests says.
  const { NO_COLOR: _none, FORCE_COLOR: _force, ...env } = process.env
  return (await run('tmux', ['-L', socket, '-f', '/dev/null', ...args], { timeout: 20_000, env })).stdout
}

/** A terminal with a shell in which `icebox` is the built command. */
let name = 0
let pane = ''
beforeEach(async () => {
  name += 1
  pane = `pane${name}`
  const env = {
    ICEBOX_HOME: scene.home.dir,
    DOCKER_HOST: sceneEnv(scene.home.dir).DOCKER_HOST ?? '',
    LC_ALL: 'C.UTF-8',
    PS1: '> ',
  }
  const given = Object.entries(env).flatMap(([key, value]) => ['-e', `${key}=${value}`])
  await tmux(
    '-u',
    'new-session',
    '-d',
    '-s',
    pane,
    '-x',
    '100',
    '-y',
    '30',
    ...given,
    'bash --norc --noprofile',
  )
  await type(`icebox() { "${process.execPath}" "${CLI}" "$@"; }; clear`, 'Enter')
})

const type = (...keys: readonly string[]) => tmux('send-keys', '-t', pane, ...keys)
const screen = () => tmux('capture-pane', '-p', '-t', pane)
async function see(text: string): Promise<void> {
  let seen = ''
  await until(`${text} on the screen`, async () => {
    seen = await screen()
    return seen.includes(text)
  }).catch((error: Error) => {
    throw new Error(`${error.message}\n${seen.trimEnd()}`)
  })
}
/** Runs a line and shows its exit code in a form that typing it does not show. */
const command = (line: string) => type(`${line}; echo "code=$(($?))."`, 'Enter')

describe('an interactive agent', () => {
  test('has this terminal, is left with Ctrl-P Ctrl-Q, and goes on', async () => {
    await command('icebox start shell --label talk')
    await see('agent>')
    await type('echo a$((1+1))b', 'Enter')
    await see('a2b')
    await type('C-p', 'C-q')
    await see('code=0.')
    expect(await screen()).toContain('icebox attach talk')
    expect((await scene.home.must(['status', 'talk'])).json).toMatchObject({
      state: 'running',
      interactive: true,
    })
    // The terminal is as it was: lines are edited and echoed again.
    await type('echo $((40+2))', 'Enter')
    await see('42')
  })

  test('is found again by the picker, follows the size of the window, and gives its exit code', async () => {
    await command('icebox attach')
    await see('Which bottle?')
    await type('Enter')
    await see('agent>')
    await tmux('resize-window', '-t', pane, '-x', '90', '-y', '25')
    await type('while [ "$(stty size)" != "25 90" ]; do sleep 0.1; done; echo si$((0))zed', 'Enter')
    await see('si0zed')
    await type('exec sh -c "exit 5"', 'Enter')
    await see('code=5.')
  })
})

describe('questions', () => {
  test('a declined one changes nothing and is no failure', async () => {
    await command('icebox destroy calm --json')
    await see('Destroy calm')
    expect(await screen()).toContain('it was never frozen')
    await type('n')
    await see('code=0.')
    expect(await screen()).toContain('{"cancelled":true}')
    expect((await scene.home.must(['status', 'calm'])).json).toMatchObject({ slug: 'calm' })
  })

  test('a picker left with Escape changes nothing', async () => {
    await command('icebox freeze')
    await see('Which bottle?')
    await type('Escape')
    await see('code=0.')
    expect((await scene.home.must(['snapshots', 'calm'])).json).toEqual([])
  })

  test('an agreed one is done', async () => {
    await scene.started('doomed', 'true')
    await command('icebox destroy doomed')
    await see('Destroy doomed')
    await type('y')
    await see('code=0.')
    expect((await scene.home.must(['list'])).json).not.toContainEqual(
      expect.objectContaining({ slug: 'doomed' }),
    )
  })

  test('a secret is not shown', async () => {
    await command(`XDG_CONFIG_HOME=${scene.home.dir}/config icebox secret set TYPED`)
    await see('Value of TYPED')
    await type('canary-typed', 'Enter')
    await see('code=0.')
    expect(await screen()).not.toContain('canary')
  })
})

test('an error is red, a table fits the window', async () => {
  await command('icebox freeze nobody')
  await see('code=1.')
  expect(await tmux('capture-pane', '-e', '-p', '-t', pane)).toContain('\u001b[31micebox:')
  await tmux('resize-window', '-t', pane, '-x', '40', '-y', '25')
  await type('clear; icebox list; echo en$((0))d', 'Enter')
  await see('en0d')
  const lines = (await screen()).split('\n').filter((line) => line.includes('calm'))
  expect(lines).toHaveLength(1)
})
