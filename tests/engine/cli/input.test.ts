import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CliScene, openCliScene } from './cli-scene.ts'

let scene: CliScene
beforeAll(async () => {
  scene = await openCliScene({ isProcessOnce: true })
  await scene.started('web', 'echo x > x')
})
afterAll(() => scene.dispose())

const START = ['start', 'shell', '--headless', '--prompt', 'true']

describe('what bad input gets', () => {
  test.each([
    [['freeze', '../x'], 1, 'invalid-slug'],
    [['destroy', '../x'], 1, 'invalid-slug'],
    [['resume', '/etc', '--headless', '--prompt', 'x'], 1, 'invalid-slug'],
    [['logs', 'A'], 1, 'invalid-slug'],
    [['stop', ''], 1, 'invalid-slug'],
    [['freeze', 'nobody'], 1, 'not-found'],
    [['status', 'nobody'], 1, 'not-found'],
    [['info', 'nobody'], 1, 'not-found'],
    [['start', 'nobody', '--headless', '--prompt', 'x'], 1, 'not-found'],
    [[...START, '--bottle', 'nobody'], 1, 'not-found'],
    [[...START, '--backend', 'foo'], 1, 'unknown-backend'],
    [[...START, '--backend', 'smolmachines', '--bottle', 'boxed'], 1, 'engine-missing'],
    [[...START, '--bottle', 'boxed'], 1, 'engine-down'],
    [[...START, '--secret', 'ICEBOX_TEST_NOT_SET'], 1, 'secret-missing'],
    [[...START, '--cwd', '/nowhere'], 1, 'not-found'],
    [[...START, '--session', 'resume', '--resume-id', 'a-1'], 1, 'unsupported'],
    [[...START, '--session', 'again'], 2, 'usage'],
    [[...START, '--session', 'new', '--resume-id', 'a-1'], 2, 'usage'],
    [['start', 'shell', '--foreground'], 2, 'usage'],
    [['resume', 'web', '--no-preflight'], 1, 'unsupported'],
    [['resume', 'web@20200101T000000Z-aaaa', '--headless', '--prompt', 'x'], 1, 'snapshot-missing'],
    [['resume', 'web', '--headless', '--prompt', 'x', '--label', 'y'], 1, 'unsupported'],
    [['pin', 'web'], 1, 'snapshot-missing'],
    [['trash', 'undo', 'nobody'], 1, 'not-found'],
    [['secret', 'remove', 'ICEBOX_TEST_NOT_SET'], 1, 'not-found'],
    [['logs', 'web', '--run', '9'], 1, 'not-found'],
    [['start', 'shell', '--headless'], 2, 'usage'],
    [['start', 'shell'], 2, 'usage'],
    [['start'], 2, 'usage'],
    [[...START.slice(0, 3), '--prompt', ''], 2, 'usage'],
    [[...START, '--secret', 'A=b'], 2, 'usage'],
    [[...START, '--label', '!!!'], 2, 'usage'],
    [['fork', 'web', '-n', '0'], 2, 'usage'],
    [['freeze'], 2, 'usage'],
    [['attach', 'web'], 2, 'usage'],
    [['destroy', 'web'], 2, 'usage'],
    [['destroy', 'web', '--yes', '--freeze', '--purge'], 2, 'usage'],
    [['trash', 'empty'], 2, 'usage'],
    [['list', '--all', '--active'], 2, 'usage'],
    [['edit', 'shell'], 2, 'usage'],
    [['completion', 'tcsh'], 2, 'usage'],
    [['export', 'web'], 2, 'usage'],
  ])('%j ends with %d and %s', async (args, code, errorCode) => {
    const { stdout, stderr, ...result } = await scene.home.icebox(args)
    expect({ code: result.code, errorCode: result.errorCode, stdout }).toEqual({
      code,
      errorCode,
      stdout: '',
    })
    expect(stderr).not.toMatch(/\bat .*:\d+:\d+/)
  })

  test('nothing of it changed anything', async () => {
    expect(await readdir(join(scene.home.dir, 'state'))).toEqual(['web'])
    expect(await readdir(join(scene.home.dir, 'trash'))).toEqual([])
  })
})

describe('manifests', () => {
  test('every error of every manifest is told at once', async () => {
    expect((await scene.home.must(['validate'])).json).toEqual({ ok: true, problems: [] })
    const file = join(scene.home.dir, 'cwd/broken.md')
    await writeFile(file, '---\nprovder: claude\nskills: 7\n---\n')
    const { code, json, errorCode } = await scene.home.icebox(['validate', file])
    expect({ code, errorCode }).toEqual({ code: 1, errorCode: 'manifest-invalid' })
    const { ok, problems } = json as {
      ok: boolean
      problems: { file: string; line: number; message: string }[]
    }
    expect(ok).toBe(false)
    expect(problems.map((problem) => problem.line)).toEqual(expect.arrayContaining([2, 3]))
    expect(problems.every((problem) => problem.file === file)).toBe(true)
  })
  test('init writes an agent that loads, and never writes over one', async () => {
    const { json } = await scene.home.must(['init', 'writer'])
    expect(json).toMatchObject({ agent: 'writer', files: [expect.any(String), expect.any(String)] })
    expect((await scene.home.must(['validate', 'writer'])).json).toMatchObject({ ok: true })
    expect(await scene.home.icebox(['init', 'writer'])).toMatchObject({ code: 1, errorCode: 'exists' })
    expect(await scene.home.icebox(['init', '../x'])).toMatchObject({ code: 2, errorCode: 'usage' })
    const project = await scene.home.must(['init', 'local', '--project'])
    expect((project.json as { files: string[] }).files[0]).toBe(
      join(scene.home.dir, 'cwd/.bot-bottle/agents/local.md'),
    )
    expect((await scene.home.must(['info', 'local'])).json).toMatchObject({ source: 'project' })
  })
  test('the sample is written once', async () => {
    const first = (await scene.home.must(['init'])).json as { agent: string; files: string[] }
    expect(first.files).toHaveLength(2)
    expect((await scene.home.must(['init'])).json).toEqual({ agent: first.agent, files: [] })
  })
})

describe('secrets', () => {
  test('are kept from stdin, listed by name, used by a start, and forgotten', async () => {
    const folder = { XDG_CONFIG_HOME: join(scene.home.dir, 'config') }
    const set = await scene.plain(['secret', 'set', 'ICEBOX_TEST_KEY', '--json'], {
      input: 'canary-1\n',
      env: folder,
    })
    expect(set).toMatchObject({ code: 0, stderr: '' })
    expect(set.stdout).not.toContain('canary')
    expect((await scene.plain(['secret', 'list', '--json'], { env: folder })).stdout).toBe(
      '["ICEBOX_TEST_KEY"]\n',
    )
    const script = 'test "$ICEBOX_TEST_KEY" = canary-1'
    const start = [
      'start',
      'shell',
      '--headless',
      '--label',
      'keyed',
      '--secret',
      'ICEBOX_TEST_KEY',
      '--prompt',
      script,
    ]
    expect(await scene.plain(start, { env: folder })).toMatchObject({ code: 0 })
    expect(await scene.plain(['secret', 'remove', 'ICEBOX_TEST_KEY'], { env: folder })).toMatchObject({
      code: 0,
    })
    expect((await scene.plain(['secret', 'list', '--json'], { env: folder })).stdout).toBe('[]\n')
  })
})

describe('completion', () => {
  const complete = async (...words: readonly string[]) => {
    const { code, stdout, stderr } = await scene.plain(['__complete', '--', ...words])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return stdout
      .split('\n')
      .map((line) => line.split('\t')[0])
      .filter((value) => value !== '')
  }
  test('commands, flags, slugs, agents, values', async () => {
    expect(await complete('fre')).toEqual(['freeze'])
    expect(await complete('trash', '')).toEqual(expect.arrayContaining(['list', 'undo', 'empty']))
    expect(await complete('start', '--he')).toEqual(['--headless'])
    expect(await complete('freeze', 'w')).toEqual(['web'])
    expect(await complete('start', 'sh')).toEqual(['shell'])
    expect(await complete('start', '--backend', '')).toEqual([
      'docker',
      'host',
      'macos-container',
      'smolmachines',
    ])
    expect(await complete('start', 'shell', '--bottle', 'b')).toEqual(['box', 'boxed'])
    expect(await complete('resume', 'web@l')).toEqual(['web@latest'])
    expect(await complete('resume', '../x@')).toEqual([])
    expect(await complete('freeze', 'web', '')).toEqual([])
  })
  test('a broken state root is met with silence', async () => {
    expect(await complete('--home', '/dev/null', 'freeze', '')).toEqual([])
  })
  test('the script of bash completes', async () => {
    const { stdout: script } = await scene.plain(['completion', 'bash'])
    const line = 'icebox freeze w'
    const probe = `icebox() { "${process.execPath}" "$CLI" "$@"; }\n${script}\nCOMP_LINE='${line}' COMP_POINT=${line.length} _icebox\nprintf '%s,' "\${COMPREPLY[@]}"`
    const running = scene.begin(
      ['-c', probe],
      ['/usr/bin/env', `CLI=${(await import('./cli-scene.ts')).CLI}`, 'bash'],
    )
    expect(await running.ended).toEqual({ code: 0, stdout: 'web,', stderr: '' })
  })
})
