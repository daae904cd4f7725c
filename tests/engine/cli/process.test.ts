import { access, mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CLI, type CliScene, openCliScene, until } from './cli-scene.ts'

let scene: CliScene
beforeAll(async () => {
  scene = await openCliScene({ isProcessOnce: true })
})
afterAll(() => scene.dispose())

const FOREVER = 'echo ready; while :; do sleep 0.1; done'
const start = (label: string, script: string) => [
  'start',
  'shell',
  '--headless',
  '--label',
  label,
  '--prompt',
  script,
]

describe('signals', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s ends the waiting with %d; the agent goes on', async (signal, code) => {
    const label = `by-${signal.toLowerCase()}`
    const running = scene.begin([...start(label, FOREVER), '--json'])
    await until('the agent runs', () => running.said.stderr.includes('ready'))
    running.child.kill(signal)
    const result = await running.ended
    expect({ code: result.code, stdout: result.stdout }).toEqual({ code, stdout: '' })
    const last = result.stderr.trim().split('\n').at(-1) ?? ''
    expect(JSON.parse(last)).toMatchObject({ error: { code: 'cancelled', slug: label } })
    expect((await scene.home.must(['status', label])).json).toMatchObject({ state: 'running' })
    expect((await scene.home.must(['stop', label])).code).toBe(0)
  })

  test('stop-all stops what runs and tells it row by row', async () => {
    for (const label of ['one', 'two']) {
      const running = scene.begin(start(label, FOREVER))
      await until('the agent runs', () => running.said.stdout.includes('ready'))
      running.child.kill('SIGINT')
      await running.ended
    }
    const { json } = await scene.home.must(['stop-all', '--force'])
    const rows = (json as { slug: string; ok: boolean; message: string }[]).toSorted((a, b) =>
      a.slug < b.slug ? -1 : 1,
    )
    expect(rows).toEqual([
      { slug: 'one', ok: true, message: expect.any(String) },
      { slug: 'two', ok: true, message: expect.any(String) },
    ])
    expect((await scene.home.must(['list', '--active'])).json).toEqual([])
  })
})

describe('a running agent', () => {
  test('is frozen from another process and followed by a third', async () => {
    const running = scene.begin(start('busy', FOREVER))
    await until('the agent runs', () => running.said.stdout.includes('ready'))
    const follower = scene.begin(['logs', 'busy', '-f'])
    await until('the follower follows', () => follower.said.stdout.includes('ready'))
    expect((await scene.home.must(['freeze', 'busy'])).json).toMatchObject({ slug: 'busy' })
    expect((await scene.home.must(['status', 'busy'])).json).toMatchObject({ state: 'running', snapshots: 1 })
    await scene.home.must(['stop', 'busy', '--force'])
    expect((await follower.ended).code).toBe(0)
    expect((await running.ended).code).toBeGreaterThan(128)
  })
})

describe('a reader that goes away', () => {
  beforeAll(() => scene.started('endless', 'seq 1 200000'))
  test.each([
    ['the list', 'icebox list | head -1'],
    ['the help', 'icebox --help | head -1'],
    ['a log without an end', 'icebox logs endless | head -1'],
    ['a log that is followed', 'icebox logs endless -f | head -1'],
    ['the output of an agent', `icebox start shell --headless --label heard --prompt 'yes'| head -1`],
  ])('%s ends quietly with 0', async (_what, line) => {
    const script = `icebox() { "${process.execPath}" "${CLI}" "$@"; }; set -o pipefail; ${line}`
    const { code, stderr } = await scene.begin(['-c', script], ['bash']).ended
    expect({ code, stderr: stderr.replace(/^(copying|starting)\n/gm, '') }).toEqual({ code: 0, stderr: '' })
    await scene.home.icebox(['stop-all', '--force'])
  })
})

describe('how it is run', () => {
  test('through a symbolic link', async () => {
    const link = join(scene.home.dir, 'cwd/icebox-link')
    await symlink(CLI, link)
    const version = JSON.parse(
      await readFile(join(import.meta.dirname, '../../../package.json'), 'utf8'),
    ).version
    expect(await scene.begin(['--version'], [process.execPath, link]).ended).toEqual({
      code: 0,
      stdout: `${version}\n`,
      stderr: '',
    })
  })

  test('a state root that is a file is an error, not a crash', async () => {
    const { code, errorCode } = await scene.home.icebox(['list', '--home', '/dev/null'])
    expect({ code, errorCode }).toEqual({ code: 1, errorCode: expect.any(String) })
  })

  test('--home leads to another root', async () => {
    const other = join(scene.home.dir, 'other')
    await mkdir(other)
    await scene.started('mine', 'true')
    expect((await scene.home.must(['list', '--home', other])).json).toEqual([])
  })

  test('whoever looks after a state root that was removed does not make it again', async () => {
    const gone = join(scene.home.dir, 'gone')
    const { code, errorCode } = await scene.home.icebox(['supervise', '--home', gone])
    expect({ code, errorCode }).toEqual({ code: 1, errorCode: 'not-found' })
    await expect(access(gone)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('-- ends options', async () => {
    const { code, stderr } = await scene.begin(['status', '--', '--json']).ended
    expect(code).toBe(1)
    expect(stderr).toContain('is not a bottle name')
  })

  test('nothing is coloured away from a terminal', async () => {
    const { stdout, stderr } = await scene.begin(['list']).ended
    const failed = await scene.begin(['freeze', 'nobody']).ended
    expect(stdout + stderr + failed.stderr).not.toContain('\u001b')
    expect(failed.stderr).toMatch(/^icebox: /)
  })
})
