import { execFileSync, spawnSync } from 'node:child_process'
import { lstat, mkdir, mkdtemp, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { homeScript } from '../../../../src-main/backends/guest/home-files.ts'
import { runFiles } from '../../../../src-main/backends/guest/run-files.ts'

let dir: string
let home: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'home-files-'))
  home = join(dir, 'user home')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const NASTY = `a'b"c\\d $HOME \`id\`\n\n`

/** Lays the run folder out as an archive would and runs the start script in it. */
async function start(
  homeFiles: Record<string, string>,
  environment: Record<string, string> = { HOME: home },
) {
  const run = join(dir, 'run')
  await rm(run, { recursive: true, force: true })
  const recipe = { argv: ['sh', '-c', 'echo ran; umask'], env: {}, secrets: {}, homeFiles }
  for (const entry of runFiles(recipe)) {
    const path = join(run, entry.name)
    if (entry.type === 'directory') await mkdir(path, { mode: entry.mode, recursive: true })
    else await writeFile(path, String(entry.content).replaceAll('/run/icebox', run), { mode: entry.mode })
  }
  return spawnSync('/bin/sh', ['-c', `umask 077; exec /bin/sh ${join(run, 'start')}`], {
    env: { PATH: '/usr/bin:/bin', ...environment },
    encoding: 'utf8',
  })
}

describe('the home files of a run', () => {
  it('come into HOME as they are, readable, and the agent runs after them with its own settings', async () => {
    const done = await start({ '.agent/a b/it’s': NASTY, '.agent/empty': '', top: 'x' })
    expect(done).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/^ran\n0*77\n$/) })
    expect(await readFile(join(home, '.agent/a b/it’s'), 'utf8')).toBe(NASTY)
    expect(await readFile(join(home, '.agent/empty'), 'utf8')).toBe('')
    expect((await stat(join(home, '.agent/a b/it’s'))).mode & 0o777).toBe(0o644)
    expect((await stat(join(home, '.agent/a b'))).mode & 0o777).toBe(0o755)
  })

  it('replace what differs and leave alone what is right', async () => {
    await mkdir(join(home, 'd'), { recursive: true })
    for (const name of ['same', 'other']) {
      await writeFile(join(home, 'd', name), `${name}\n`, { mode: 0o400 })
      await utimes(join(home, 'd', name), 1, 1)
    }
    expect((await start({ 'd/same': 'same\n', 'd/other': 'other\n\n' })).status).toBe(0)
    expect((await stat(join(home, 'd/same'))).mtimeMs).toBe(1000)
    expect(await readFile(join(home, 'd/other'), 'utf8')).toBe('other\n\n')
  })

  it('never go through a link: a linked folder ends the run with a reason, a linked file is replaced', async () => {
    await mkdir(join(dir, 'elsewhere'), { recursive: true })
    await mkdir(home)
    await symlink(join(dir, 'elsewhere'), join(home, 'd'))
    const refused = await start({ 'd/file': 'new' })
    expect(refused).toMatchObject({ status: 125, stdout: '' })
    expect(refused.stderr).toContain(`${home}/d is a link`)
    await writeFile(join(dir, 'elsewhere', 'kept'), 'kept')
    await symlink(join(dir, 'elsewhere', 'kept'), join(home, 'file'))
    expect((await start({ file: 'new' })).status).toBe(0)
    expect((await lstat(join(home, 'file'))).isFile()).toBe(true)
    expect(await readFile(join(dir, 'elsewhere', 'kept'), 'utf8')).toBe('kept')
  })

  it('end the run with a reason where a folder is in the way', async () => {
    await mkdir(join(home, 'file'), { recursive: true })
    const refused = await start({ file: 'new' })
    expect(refused).toMatchObject({ status: 125, stdout: '' })
    expect(refused.stderr).toContain("can't be written")
  })

  it('find the home of a user who is given none', () => {
    const uid = process.getuid?.() ?? -1
    const passwd = join(dir, 'passwd')
    const script = homeScript({ 'd/f': '' }).replaceAll('/etc/passwd', passwd)
    const upTo = script.slice(0, script.indexOf('refuse()'))
    const row = `a:x:${uid + 1}:1::/wrong:/bin/sh\nme:x:${uid}:1:Me:${home}:/bin/sh\n`
    const shown = execFileSync(
      '/bin/sh',
      ['-c', `printf '%s' "$1" > "$2"; ${upTo} printf %s "$HOME" )`, 'x', row, passwd],
      {
        env: { PATH: '/usr/bin:/bin', HOME: '' },
        encoding: 'utf8',
      },
    )
    expect(shown).toBe(home)
  })

  it('are nothing at all when there are none, and refused when they lead out', () => {
    expect(homeScript({})).toBe('')
    for (const name of ['../x', 'a/../../x', '/x', '..']) {
      expect(() => homeScript({ [name]: '' })).toThrow(/leads out/)
    }
  })
})
