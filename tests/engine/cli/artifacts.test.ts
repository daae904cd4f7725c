import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CliScene, openCliScene, until } from './cli-scene.ts'

// The commands of frozen bottles as files, as a new user types them, on bottles of this machine.

let scene: CliScene
let first = ''
let second = ''
const path = (name: string) => join(scene.home.dir, 'cwd', name)
const parse = (text: string) => JSON.parse(text) as Record<string, unknown>

beforeAll(async () => {
  scene = await openCliScene({ isProcessOnce: true })
  await scene.started('web', 'seq 1 500 > list.txt; echo one > work.txt')
  first = await freeze('web')
  await scene.home.must(['resume', 'web', '--headless', '--prompt', 'echo two >> work.txt; rm list.txt'])
  second = await freeze('web')
})
afterAll(() => scene.dispose())

async function freeze(slug: string): Promise<string> {
  const { stdout } = await scene.plain(['freeze', slug, '--quiet'])
  return stdout.trim()
}

describe('export', () => {
  test('writes a file, once, and the same bytes to a pipe', async () => {
    const made = await scene.plain(['export', 'web', '-o', 'web.bottle', '--json'])
    expect(made).toMatchObject({ code: 0, stderr: '' })
    const result = parse(made.stdout)
    const bytes = await readFile(path('web.bottle'))
    expect(result).toMatchObject({
      file: path('web.bottle'),
      bytes: bytes.byteLength,
      snapshot: second,
      thin: false,
      compression: 'gzip',
    })
    const again = await scene.plain(['export', 'web', '-o', 'web.bottle'])
    expect(again).toMatchObject({ code: 1 })
    expect(again.stderr).toContain('--force replaces it')
    expect((await scene.plain(['export', 'web', '-o', 'web.bottle', '--force'])).code).toBe(0)
    expect(await readFile(path('web.bottle'))).toEqual(bytes)
  })

  test.each([
    [['web', '--json'], 'say -o FILE'],
    [['web', '-o', '.'], 'is a folder'],
    [['web', '--compress', 'lz4', '-o', 'x'], 'gzip, zstd, none'],
    [['web', '--scrub', 'maybe', '-o', 'x'], 'strip, keep'],
    [[], 'Name a bottle'],
  ])('of %j is a wrong command line', async (args, words) => {
    const { code, stderr, stdout } = await scene.plain(['export', ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(words)
  })

  test.each([
    [['nope', '-o', 'x'], 'nope'],
    [['web@19990101', '-o', 'x'], 'web'],
    [['web', '-o', 'no/such/folder/x'], 'There is no folder'],
  ])('of %j fails and leaves no file', async (args, words) => {
    const { code, stderr } = await scene.plain(['export', ...args])
    expect(code).toBe(1)
    expect(stderr).toContain(words)
    await expect(stat(path('x'))).rejects.toThrow()
  })

  test('that is interrupted ends with 130 and leaves nothing beside the file', async () => {
    const running = scene.begin(['export', 'web', '-o', 'cut.bottle', '--compress', 'none'])
    await until('the first phase', () => running.said.stderr !== '')
    running.child.kill('SIGINT')
    const { code } = await running.ended
    // A fast machine may have been done by then.
    if (code === 0) return
    expect(code).toBe(130)
    expect((await readdir(path('.'))).filter((name) => name.includes('cut'))).toEqual([])
  })
})

describe('import', () => {
  test('brings the work back as a frozen bottle that resumes', async () => {
    await scene.plain(['export', `web@${first}`, '-o', 'first.bottle'])
    const made = await scene.plain(['import', 'first.bottle', '--label', 'back', '--json'])
    expect(made.code).toBe(0)
    expect(parse(made.stdout)).toMatchObject({ slug: 'back', backend: 'host' })
    const seen = await scene.plain([
      'resume',
      'back',
      '--headless',
      '--prompt',
      'wc -l < list.txt; cat work.txt',
    ])
    expect(seen.stdout).toMatch(/500\s+one/)
  })

  test('takes standard input, and many files each for itself', async () => {
    await scene.plain(['export', 'web', '-o', 'piped.bottle'])
    const piped = scene.begin(['import', '-', '--label', 'piped', '--json'])
    piped.child.stdin?.end(await readFile(path('piped.bottle')))
    expect(parse((await piped.ended).stdout)).toMatchObject({ slug: 'piped' })
    await writeFile(path('bad.bottle'), 'no archive')
    const many = await scene.plain(['import', 'bad.bottle', 'piped.bottle', '--json'])
    expect(many.code).toBe(1)
    expect(JSON.parse(many.stdout)).toMatchObject([
      { file: 'bad.bottle', error: { code: 'artifact-invalid' } },
      { file: 'piped.bottle', slug: expect.stringMatching(/^web/) },
    ])
  })

  test('refuses what is cut short, and keeps nothing', async () => {
    await scene.plain(['export', 'web', '-o', 'short.bottle'])
    await truncate(path('short.bottle'), 1500)
    const before = (await scene.plain(['list', '--quiet'])).stdout
    const { code, stderr } = await scene.plain(['import', 'short.bottle', '--json'])
    expect(code).toBe(1)
    expect(parse(stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({
      error: { code: 'artifact-invalid' },
    })
    expect((await scene.plain(['list', '--quiet'])).stdout).toBe(before)
  })

  test.each([
    [['none.bottle'], 1, 'There is no file'],
    [['.'], 1, 'is a folder'],
    [['a', 'b', '--label', 'x'], 2, '--label names one bottle'],
    [[], 2, 'Missing required argument'],
  ])('of %j says what is wrong', async (args, wanted, words) => {
    const { code, stderr } = await scene.plain(['import', ...args])
    expect(code).toBe(wanted)
    expect(stderr).toContain(words)
  })
})

test('diff tells files, and the text of one', async () => {
  const { stdout, code } = await scene.plain(['diff', `web@${first}`, `web@${second}`])
  expect(code).toBe(0)
  expect(stdout).toMatch(/D .*list\.txt/)
  expect(stdout).toMatch(/M .*work\.txt/)
  const { stdout: json } = await scene.plain(['diff', `web@${first}`, `web@${second}`, '--json'])
  const entry = (parse(json).entries as { path: string }[]).find(({ path: name }) =>
    name.endsWith('work.txt'),
  )
  const file = await scene.plain(['diff', `web@${first}`, `web@${second}`, '--file', entry?.path ?? ''])
  expect(file.stdout).toMatch(/^\+two$/m)
  expect((await scene.plain(['diff', 'web'])).stdout).toContain('Nothing differs')
})

test('verify tells the outcome, and the timeline shows it', async () => {
  const made = await scene.plain(['verify', `web@${first}`, '--json'])
  expect(made.code).toBe(0)
  expect(parse(made.stdout)).toMatchObject({
    slug: 'web',
    snapshot: { id: first, verified: { outcome: 'passed' } },
  })
  expect((await scene.plain(['snapshots', 'web'])).stdout).toMatch(/verified/)
})

test('du and prune tell sizes; a named snapshot goes to the trash and comes back', async () => {
  const { stdout } = await scene.plain(['du', '--json'])
  expect(parse(stdout)).toMatchObject({
    snapshots: expect.arrayContaining([expect.objectContaining({ slug: 'web', id: first })]),
  })
  // The snapshot that the last run began with stays, as the current one does.
  await scene.home.must(['resume', 'web', '--headless', '--prompt', 'echo three >> work.txt'])
  const third = await freeze('web')
  // The newest one that passed its proof stays as well, and the first passed above.
  expect((await scene.plain(['verify', 'web'])).code).toBe(0)
  const preview = await scene.plain(['prune', 'web', '--last', '1', '--dry-run', '--json'])
  expect(parse(preview.stdout)).toMatchObject({ dryRun: true, snapshots: [{ slug: 'web', id: first }] })
  expect((await scene.plain(['prune', 'web', '--last', '1'])).code).toBe(2)
  const gone = await scene.plain(['prune', `web@${first}`, '--yes'])
  expect(gone.code).toBe(0)
  expect((await scene.plain(['snapshots', 'web', '--quiet'])).stdout.trim()).toBe(`${second}\n${third}`)
  const { stdout: trash } = await scene.plain(['trash', 'list', '--json'])
  const entry = (JSON.parse(trash) as { id: string; snapshot?: string }[]).find(
    (item) => item.snapshot === first,
  )
  expect((await scene.plain(['trash', 'undo', entry?.id ?? ''])).code).toBe(0)
  expect((await scene.plain(['snapshots', 'web', '--quiet'])).stdout).toContain(first)
})

test('a declared secret is not let out unasked', async () => {
  await scene.started('leaky', 'printf "ghp_%s" "0123456789abcdefghijABCDEFGHIJ012345" > token.txt')
  await freeze('leaky')
  const refused = await scene.plain(['export', 'leaky', '-o', 'leaky.bottle'])
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('--scrub strip')
  expect(refused.stderr).not.toContain('0123456789abcdefghij')
  await expect(stat(path('leaky.bottle'))).rejects.toThrow()
  const stripped = await scene.plain([
    ...['export', 'leaky', '-o', 'leaky.bottle', '--scrub', 'strip', '--compress', 'none', '--json'],
  ])
  expect(parse(stripped.stdout)).toMatchObject({ scrub: { choice: 'strip' } })
  expect((await readFile(path('leaky.bottle'))).includes('0123456789abcdefghij')).toBe(false)
})
