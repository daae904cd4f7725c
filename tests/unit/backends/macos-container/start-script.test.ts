import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmod, lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  fillRunFolder,
  hasBegun,
  type RunDelivery,
  type RunFolder,
  readAgentPid,
  readExit,
  readStarts,
  runFolder,
  wipeRunFolder,
} from '../../../../src-main/backends/macos-container/run-folder.ts'

const never = new AbortController().signal
let dir: string
let folder: RunFolder
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'start-script-'))
  folder = runFolder(dir, 'web-1', 'abc123xyz0')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

/** Fills the folder and turns the path inside into the one of this test, since nothing is mounted here. */
async function fill(script: string, more: Partial<RunDelivery> = {}): Promise<void> {
  const recipe = { argv: ['/bin/sh', '-c', script], env: {}, secrets: {} }
  await fillRunFolder(folder, { recipe, hasTerminal: false, workdir: null, copied: null, ...more }, never)
  for (const name of ['start', 'home.sh', 'place.sh']) {
    const text = await readFile(join(folder.guest, name), 'utf8')
    await chmod(join(folder.guest, name), 0o755)
    await writeFile(join(folder.guest, name), text.replaceAll('/run/icebox', folder.guest))
  }
}

const SHELLS = ['/bin/sh', '/bin/bash', 'busybox sh'].filter((shell) => {
  const [file = ''] = shell.split(' ')
  return spawnSync(file, ['-c', 'true']).error === undefined
})
const wordsOf = (shell: string): readonly [string, readonly string[]] => {
  const [file = '', ...args] = shell.split(' ')
  return [file, [...args, join(folder.guest, 'start')]]
}
const env = { PATH: '/usr/local/bin:/usr/bin:/bin' }

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10))
}
const endOf = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))

describe.each(SHELLS)('the start script in %s', (shell) => {
  const run = () => {
    const [file, args] = wordsOf(shell)
    return spawnSync(file, args, { env, encoding: 'utf8', input: 'typed' })
  }
  const launch = () => {
    const [file, args] = wordsOf(shell)
    return spawn(file, args, { env, stdio: ['ignore', 'pipe', 'ignore'] })
  }

  it('writes down how the agent ended, and tells its start', async () => {
    await fill('exit 7')
    expect(run().status).toBe(7)
    expect(await readExit(folder)).toMatchObject({ exitCode: 7 })
    expect(await readStarts(folder)).toBe('sg')
  })

  it('gives environment, arguments and an empty input, and keeps the streams apart', async () => {
    const nasty = `a'b"c $HOME \`id\`\n\\`
    await fill('', {
      recipe: {
        argv: ['/bin/sh', '-c', 'printf "%s|%s|%s" "$A" "$1" "$(cat)"; echo err >&2', 'sh', nasty],
        env: { A: nasty },
        secrets: { B: 'x' },
      },
    })
    const done = run()
    expect(done.stdout).toBe(`${nasty}|${nasty}|`)
    expect(done.stderr).toBe('err\n')
  })

  it('hands a polite stop on to the agent and waits for its end', async () => {
    await fill('trap "echo bye; exit 5" TERM; echo ready; while :; do sleep 0.02; done')
    const child = launch()
    const ended = endOf(child)
    await until(async () => (await readStarts(folder)) === 'sg')
    // The agent's own handler may come a moment after its start.
    await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()))
    child.kill('SIGTERM')
    expect(await ended).toBe(5)
    expect(await readExit(folder)).toMatchObject({ exitCode: 5 })
  })

  it('tells an agent that a signal ended by 128 and the signal', async () => {
    await fill('kill -KILL $$')
    expect(run().status).toBe(137)
    expect(await readExit(folder)).toMatchObject({ exitCode: 137 })
  })

  it('ends with 125 when it can not begin, and the agent has not', async () => {
    await fill('true', { workdir: '/proc/nowhere' })
    expect(run().status).toBe(125)
    expect(await readStarts(folder)).toBe('s')
    expect(await readExit(folder)).toMatchObject({ exitCode: 125 })
  })

  it('makes the working folder and copies into it what is given', async () => {
    const source = join(dir, 'source')
    await mkdir(join(source, 'deep'), { recursive: true })
    await writeFile(join(source, 'deep/file'), 'content', { mode: 0o600 })
    await symlink('deep/file', join(source, 'link'))
    const workdir = join(dir, 'work it')
    await fill('pwd; cat link', { workdir, copied: source })
    expect(run().stdout).toBe(`${workdir}\ncontent`)
    expect((await lstat(join(workdir, 'link'))).isSymbolicLink()).toBe(true)
    // Readable by whatever user the agent is.
    expect((await lstat(join(folder.guest, 'cwd/deep/file'))).mode & 0o777).toBe(0o644)
  })

  it('runs an agent of a terminal in the foreground and tells its number', async () => {
    await fill('echo $$; exit 3', { hasTerminal: true })
    const done = run()
    expect(done.status).toBe(3)
    expect(await readAgentPid(folder)).toBe(Number(done.stdout.trim()))
    expect(await readExit(folder)).toMatchObject({ exitCode: 3 })
  })

  it('forgets the former end when the container is started once more', async () => {
    const again = join(dir, 'again')
    await fill(`[ -e ${again} ] && exec sleep 60; exit 4`)
    expect(run().status).toBe(4)
    await writeFile(again, '')
    const before = (await readStarts(folder)) ?? ''
    const child = launch()
    const ended = endOf(child)
    await until(async () => hasBegun(await readStarts(folder), before))
    expect(await readExit(folder)).toBeNull()
    child.kill('SIGTERM')
    expect(await ended).toBe(143)
  })
})

describe('the run folder', () => {
  it('shuts everybody else out', async () => {
    await fill('true')
    expect((await lstat(folder.dir)).mode & 0o777).toBe(0o700)
  })

  it('goes on counting starts over a restart', async () => {
    await fill('true')
    spawnSync('/bin/sh', [join(folder.guest, 'start')], { env })
    await fill('true')
    expect(await readStarts(folder)).toBe('sgr')
    expect(await readExit(folder)).toBeNull()
  })

  it('holds nothing of the run once that has ended, but how it ended', async () => {
    await fill('exit 2', {
      recipe: { argv: ['sh', '-c', 'exit 2 # PROMPT'], env: {}, secrets: { K: 'SECRET' } },
    })
    spawnSync('/bin/sh', [join(folder.guest, 'start')], { env })
    await wipeRunFolder(folder)
    const left = spawnSync('grep', ['-rlE', 'SECRET|PROMPT', folder.dir])
    expect(left.stdout.toString()).toBe('')
    expect(await readExit(folder)).toMatchObject({ exitCode: 2 })
  })

  it('never reads or writes through what an agent put into its place', async () => {
    await fill('true')
    const prey = join(dir, 'prey')
    await writeFile(prey, '{"exitCode":0}')
    for (const name of ['exit.json', 'starts', 'start', 'env']) {
      await rm(join(folder.guest, name))
      await symlink(prey, join(folder.guest, name))
    }
    expect(await readExit(folder)).toBeNull()
    expect(await readStarts(folder)).toBeNull()
    await fill('true')
    expect(await readFile(prey, 'utf8')).toBe('{"exitCode":0}')
    expect((await lstat(join(folder.guest, 'start'))).isFile()).toBe(true)
  })

  it('does not wait for a pipe, and takes a damaged result for an unknown one', async () => {
    await fill('true')
    await rm(join(folder.guest, 'exit.json'))
    execFileSync('mkfifo', [join(folder.guest, 'exit.json')])
    expect(await readExit(folder)).toBeNull()
    await rm(join(folder.guest, 'exit.json'))
    await writeFile(join(folder.guest, 'exit.json'), '{"exitCode":')
    expect(await readExit(folder)).toMatchObject({ exitCode: null })
  })

  it('refuses ids that would lead elsewhere', () => {
    expect(() => runFolder(dir, '../x', 'abc')).toThrow()
    expect(() => runFolder(dir, 'web-1', '../x')).toThrow()
  })
})
