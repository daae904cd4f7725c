import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CliScene, openCliScene } from './cli-scene.ts'

let scene: CliScene
beforeAll(async () => {
  scene = await openCliScene({ isProcessOnce: true })
})
afterAll(() => scene.dispose())

const workspace = (slug: string, file: string) =>
  readFile(join(scene.home.dir, 'state', slug, 'live/workspace', file), 'utf8')

const SNAPSHOT_ID = /^\d{8}T\d{6}Z-[0-9a-z]{4}$/

describe('an agent that fails', () => {
  test('gives its code, and the result is on stdout all the same', async () => {
    const args = [
      'start',
      'shell',
      '--headless',
      '--label',
      'seven',
      '--prompt',
      'echo out; echo kept > marker; exit 7',
    ]
    const { code, json, errorCode, stderr } = await scene.home.icebox(args)
    expect(json).toEqual({ slug: 'seven', exitCode: 7 })
    expect({ code, errorCode }).toEqual({ code: 7, errorCode: 'agent-exited' })
    expect(stderr).toContain('out\n')
    const error = JSON.parse(stderr.trim().split('\n').at(-1) ?? '')
    expect(error).toEqual({
      error: {
        code: 'agent-exited',
        message: expect.stringContaining('seven'),
        detail: null,
        retryable: false,
        slug: 'seven',
        exitCode: 7,
      },
    })
  })
  test('can be frozen and resumed', async () => {
    const frozen = await scene.home.must(['freeze', 'seven', '--note', 'as it failed', '--pin'])
    expect(frozen.json).toMatchObject({
      slug: 'seven',
      snapshot: {
        id: expect.stringMatching(SNAPSHOT_ID),
        parent: null,
        reference: expect.stringContaining('seven'),
        backend: 'host',
        createdAt: expect.stringMatching(/Z$/),
        fidelity: 'files',
        leftOut: [],
        bytes: expect.any(Number),
        note: 'as it failed',
        pinned: true,
      },
    })
    const { id } = (frozen.json as { snapshot: { id: string } }).snapshot
    const resumed = await scene.home.must([
      'resume',
      'seven',
      '--headless',
      '--prompt',
      'cat marker >> again',
    ])
    expect(resumed.json).toEqual({ slug: 'seven', snapshot: id, exitCode: 0 })
    expect(await workspace('seven', 'again')).toBe('kept\n')
  })
  test('resume freezes newer work first and drops nothing', async () => {
    const before = (await scene.home.must(['snapshots', 'seven'])).json as {
      id: string
      parent: string | null
    }[]
    const resumed = await scene.home.must(['resume', 'seven', '--headless', '--prompt', 'cat marker again'])
    expect(resumed.stderr).toContain('kept\nkept\n')
    const after = (await scene.home.must(['snapshots', 'seven'])).json as typeof before
    expect(after).toHaveLength(before.length + 1)
    expect(after.find((one) => one.id === (resumed.json as { snapshot: string }).snapshot)?.parent).toBe(
      before[0]?.id,
    )
  })
})

describe('for a person', () => {
  test('the output of the agent is on stdout, progress and hints on stderr', async () => {
    const { code, stdout, stderr } = await scene.plain([
      ...['start', 'shell', '--headless', '--label', 'plain', '--prompt', 'echo one; echo two >&2'],
    ])
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'one\ntwo\n' })
    expect(stderr).toContain('icebox freeze plain')
  })
  test('quiet is the slug, or the id of the snapshot, and nothing else', async () => {
    const start = ['start', 'shell', '--headless', '--quiet', '--label', 'hush', '--prompt', 'echo noise']
    expect(await scene.plain(start)).toEqual({ code: 0, stdout: 'hush\n', stderr: '' })
    const { stdout, stderr } = await scene.plain(['commit', 'hush', '--quiet'])
    expect(stdout.trim()).toMatch(SNAPSHOT_ID)
    expect(stderr).toBe('')
  })
  test('a prompt comes from stdin', async () => {
    const args = ['start', 'shell', '--headless', '--label', 'piped', '--prompt', '-']
    expect((await scene.plain(args, { input: 'echo from stdin' })).stdout).toBe('from stdin\n')
  })
  test('logs are raw bytes, whole or in part', async () => {
    await scene.started('noisy', 'printf "1\\n2\\n3\\n\\377"')
    const { child, ended } = scene.begin(['logs', 'noisy'])
    const bytes: Buffer[] = []
    child.stdout?.on('data', (chunk: Buffer) => bytes.push(chunk))
    await ended
    expect(Buffer.concat(bytes)).toEqual(Buffer.from([49, 10, 50, 10, 51, 10, 255]))
    expect((await scene.plain(['logs', 'noisy', '-n', '3'])).stdout.slice(0, 4)).toBe('2\n3\n')
    await scene.home.must(['resume', 'noisy', '--headless', '--prompt', 'echo second'])
    expect((await scene.plain(['logs', 'noisy'])).stdout).toBe('second\n')
    expect((await scene.plain(['logs', 'noisy', '--run', '1', '-n', '2'])).stdout.slice(0, 2)).toBe('3\n')
    expect((await scene.plain(['logs', 'noisy', '--all', '-n', '1'])).stdout).toContain('second\n')
  })
  test('the list is a table, one line a bottle', async () => {
    const { stdout } = await scene.plain(['list'])
    expect(stdout).toMatch(/^BOTTLE {2,}STATE/)
    expect(stdout).toMatch(/^seven {2,}[^ ] frozen \(exited 0\) .* host /m)
  })
})

describe('forks', () => {
  test('three at once are an array, each with its own slug', async () => {
    await scene.started('root', 'echo base > base')
    const { json } = await scene.home.must([
      'fork',
      'root',
      '-n',
      '3',
      '--headless',
      '--prompt',
      'cat base > copy',
    ])
    const rows = json as { slug: string; exitCode: number }[]
    expect(rows.map((row) => row.exitCode)).toEqual([0, 0, 0])
    expect(new Set(rows.map((row) => row.slug)).size).toBe(3)
    for (const { slug } of rows) expect(await workspace(slug, 'copy')).toBe('base\n')
  })
  test('one is an object; a failing one gives its code and is told', async () => {
    const args = ['fork', 'root@latest', '--headless', '--label', 'branch', '--prompt', 'exit 4']
    const { code, json, errorCode } = await scene.home.icebox(args)
    expect(json).toEqual({ slug: 'branch', exitCode: 4 })
    expect({ code, errorCode }).toEqual({ code: 4, errorCode: 'agent-exited' })
  })
})

describe('snapshots', () => {
  test('are pinned and annotated by id, by its beginning and by latest', async () => {
    await scene.started('notes', 'echo a > a')
    await scene.home.must(['freeze', 'notes'])
    const [first] = (await scene.home.must(['snapshots', 'notes'])).json as { id: string }[]
    const pinned = await scene.home.must(['pin', 'notes@latest'])
    expect(pinned.json).toMatchObject({ id: first?.id, pinned: true })
    const noted = await scene.home.must(['note', `notes@${first?.id.slice(0, 12)}`, 'two', 'words'])
    expect(noted.json).toMatchObject({ note: 'two words', pinned: true })
    expect((await scene.home.must(['pin', 'notes@latest', '--off'])).json).toMatchObject({ pinned: false })
    expect((await scene.plain(['snapshots', 'notes'])).stdout).toMatch(/^[*] \S+ .*"two words"\n$/)
  })
})

describe('the end of a bottle', () => {
  test('stop, destroy, destroy again, undo, empty', async () => {
    await scene.started('going', 'echo x > x')
    await scene.home.must(['freeze', 'going'])
    const stopped = await scene.home.must(['stop', 'going'])
    expect(stopped.json).toMatchObject({ slug: 'going', left: [], unrecoverable: [] })
    const gone = await scene.home.must(['destroy', 'going', '--yes'])
    expect(gone.json).toMatchObject({ slug: 'going', left: [], unrecoverable: [] })
    expect((gone.json as { done: string[] }).done.length).toBeGreaterThan(0)
    expect((await scene.home.must(['destroy', 'going', '--yes'])).json).toMatchObject({ left: [] })
    const trash = (await scene.home.must(['trash', 'list'])).json as { id: string; slug: string }[]
    expect(trash).toMatchObject([{ slug: 'going', snapshots: 1 }])
    expect((await scene.home.must(['trash', 'undo', 'going'])).json).toEqual({ slug: 'going' })
    const back = await scene.home.must(['resume', 'going', '--headless', '--prompt', 'cat x'])
    expect(back.stderr).toContain('x\n')
    await scene.home.must(['destroy', 'going', '--yes'])
    await scene.home.must(['trash', 'empty', '--yes'])
    expect((await scene.home.must(['trash', 'list'])).json).toEqual([])
  })
  test('a dry run does nothing', async () => {
    const before = (await scene.home.must(['list'])).json as unknown[]
    const { json } = await scene.home.must([
      'start',
      'shell',
      '--headless',
      '--prompt',
      'true',
      '--label',
      'dry',
      '--dry-run',
    ])
    expect(json).toMatchObject({ slug: 'dry', backend: 'host', agent: 'shell', argv: ['sh', '-c', 'true'] })
    expect((await scene.home.must(['list'])).json).toHaveLength(before.length)
  })
})

test('what is asked about a bottle and about agents has the shape of the contract', async () => {
  await scene.started('shape', 'true')
  const row = {
    slug: 'shape',
    state: 'stopped',
    agentState: 'exited',
    exitCode: 0,
    backend: 'host',
    agent: 'shell',
  }
  expect((await scene.home.must(['list', '--all'])).json).toContainEqual(expect.objectContaining(row))
  expect((await scene.home.must(['list', '--active'])).json).toEqual([])
  expect((await scene.home.must(['status', 'shape'])).json).toMatchObject(row)
  expect((await scene.home.must(['info', 'shape'])).json).toMatchObject({
    ...row,
    runs: [{ exitCode: 0 }],
    tree: [],
  })
  const agent = { name: 'shell', kind: 'agent', provider: 'custom', bottle: 'box', problem: null }
  expect((await scene.home.must(['info', 'shell'])).json).toMatchObject(agent)
  expect((await scene.home.must(['agents'])).json).toMatchObject([agent])
  expect((await scene.home.must(['list', '--agents'])).json).toMatchObject([agent])
  expect((await scene.home.must(['stop-all'])).json).toEqual([])
  const { engines } = (await scene.home.must(['doctor'])).json as {
    engines: { name: string; state: string }[]
  }
  expect(engines.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'docker down',
    'host ready',
    'macos-container missing',
    'smolmachines missing',
  ])
})
