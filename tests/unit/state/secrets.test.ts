import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createSecretStore } from '../../../src-main/state/secrets.ts'

let home: string
let folder: string
let file: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'icebox-secrets-'))
  folder = join(home, 'config', 'icebox')
  file = join(folder, 'secrets.json')
  onTestFinished(() => rm(home, { recursive: true, force: true }))
})

const fileStore = () =>
  createSecretStore({ platform: 'linux', env: { HOME: home, XDG_CONFIG_HOME: join(home, 'config') } })

async function codeOf(run: Promise<unknown>): Promise<string> {
  return run.then(
    () => 'no error',
    (error: { code: string }) => error.code,
  )
}

describe('the file', () => {
  it('keeps values in a private file outside the state root', async () => {
    const store = fileStore()
    expect(await store.get('TOKEN')).toBeUndefined()
    expect(await store.list()).toEqual([])
    expect(await store.remove('TOKEN')).toBe(false)
    expect(await readdir(home)).toEqual([])
    await store.set('TOKEN', 'a "quoted"\nvalue ✓\n')
    await store.set('ALPHA', '1')
    expect(await fileStore().get('TOKEN')).toBe('a "quoted"\nvalue ✓\n')
    expect(await store.list()).toEqual(['ALPHA', 'TOKEN'])
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    expect(await store.remove('TOKEN')).toBe(true)
    expect(await store.get('TOKEN')).toBeUndefined()
    expect((await readdir(folder)).sort()).toEqual(['secrets.json'])
  })

  it('loses nothing when many write at once', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `NAME_${index}`)
    await Promise.all(names.map((name) => fileStore().set(name, name)))
    expect((await fileStore().list()).length).toBe(names.length)
  })

  it.each([0o640, 0o604, 0o666])('refuses a file of mode %o', async (mode) => {
    await fileStore().set('TOKEN', 'canary')
    await chmod(file, mode)
    expect(await codeOf(fileStore().get('TOKEN'))).toBe('permission')
    expect(await codeOf(fileStore().set('OTHER', 'x'))).toBe('permission')
  })

  it('refuses a folder that others may write, and a link in the place of the file', async () => {
    await fileStore().set('TOKEN', 'canary')
    await chmod(folder, 0o777)
    expect(await codeOf(fileStore().get('TOKEN'))).toBe('permission')
    await chmod(folder, 0o700)
    await rm(file)
    await symlink('/etc/hostname', file)
    expect(await codeOf(fileStore().get('TOKEN'))).toBe('permission')
  })

  it.each(['{"TOKEN": "canary"', '["canary"]', '{"TOKEN": 5}', ''])(
    'names a damaged file without quoting it: %s',
    async (text) => {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeFile(file, text, { mode: 0o600 })
      const failed = await fileStore()
        .get('TOKEN')
        .catch((error: Error) => error)
      expect(failed).toMatchObject({ code: 'corrupt-state' })
      expect(String((failed as Error).message)).toContain(file)
      expect(String((failed as Error).stack)).not.toContain('canary')
      expect(await readFile(file, 'utf8')).toBe(text)
    },
  )

  it.each(['', 'A-B', '../x', 'A=B', 'A\nB', '-w'])('refuses the name %j', async (name) => {
    expect(await codeOf(fileStore().set(name, 'x'))).toBe('usage')
    expect(await codeOf(fileStore().get(name))).toBe('usage')
  })
})

/** Programs that stand in for a keychain: they keep what comes by standard input and note their arguments. */
const SECRET_TOOL = `#!/bin/sh
printf '%s\\n' "$*" >> "$HOME/calls"
[ -f "$HOME/broken" ] && { echo 'Cannot autolaunch D-Bus' >&2; exit 1; }
verb=$1; shift
case $verb in store) case $1 in --label=*) shift ;; *) exit 2 ;; esac ;; esac
[ "$1 $2 $3" = 'service icebox account' ] || exit 2
kept=$HOME/kept-$4
case $verb in
  store) cat > "$kept" ;;
  lookup) [ -f "$kept" ] || exit 1; cat "$kept" ;;
  clear) rm -f "$kept" ;;
  *) exit 2 ;;
esac
`

const SECURITY = `#!/bin/sh
printf '%s\\n' "$*" >> "$HOME/calls"
case $1 in
  default-keychain) echo '"login.keychain-db"' ;;
  -i) read -r verb u s service a account w value
      [ "$verb $u $s $service $a $w" = 'add-generic-password -U -s icebox -a -w' ] || exit 2
      printf '%s' "$value" > "$HOME/kept-$account" ;;
  find-generic-password) [ -f "$HOME/kept-$5" ] || exit 44; cat "$HOME/kept-$5"; echo ;;
  delete-generic-password) rm "$HOME/kept-$5" 2>/dev/null || exit 44 ;;
  *) exit 2 ;;
esac
`

describe.each([
  ['secret-tool', SECRET_TOOL, 'linux'],
  ['security', SECURITY, 'darwin'],
] as const)('the keychain behind %s', (program, script, platform) => {
  const store = () =>
    createSecretStore({
      platform,
      env: {
        HOME: home,
        XDG_CONFIG_HOME: join(home, 'config'),
        XDG_RUNTIME_DIR: home,
        PATH: `${join(home, 'bin')}${delimiter}${process.env.PATH}`,
      },
    })

  beforeEach(async () => {
    await mkdir(join(home, 'bin'))
    await writeFile(join(home, 'bin', program), script, { mode: 0o755 })
  })

  it('keeps every byte, lists names only and passes no value as an argument', async () => {
    const value = 'canary with blanks, "quotes" and\na new line\n'
    expect(await store().get('TOKEN')).toBeUndefined()
    await store().set('TOKEN', value)
    expect(await store().get('TOKEN')).toBe(value)
    expect(await store().list()).toEqual(['TOKEN'])
    const calls = await readFile(join(home, 'calls'), 'utf8')
    expect(calls).not.toContain('canary')
    expect(calls).not.toContain(Buffer.from(value).toString('base64'))
    expect(await readdir(folder)).toEqual(['secret-names'])
    expect(await store().remove('TOKEN')).toBe(true)
    expect(await store().remove('TOKEN')).toBe(false)
    expect(await store().list()).toEqual([])
  })

  it('moves a value out of the file when it is set anew', async () => {
    await fileStore().set('TOKEN', 'old')
    expect(await store().get('TOKEN')).toBe('old')
    await store().set('TOKEN', 'new')
    expect(await store().get('TOKEN')).toBe('new')
    expect(await fileStore().list()).toEqual(['TOKEN'])
    expect(await fileStore().get('TOKEN')).toBeUndefined()
  })

  it('takes a value that somebody stored by hand', async () => {
    await writeFile(join(home, 'kept-TOKEN'), 'plain')
    expect(await store().get('TOKEN')).toBe('plain')
  })
})

describe('a keychain that does not work', () => {
  it('is passed over for the file', async () => {
    await mkdir(join(home, 'bin'))
    await writeFile(join(home, 'bin', 'secret-tool'), SECRET_TOOL, { mode: 0o755 })
    await writeFile(join(home, 'broken'), '')
    const env = {
      HOME: home,
      XDG_CONFIG_HOME: join(home, 'config'),
      XDG_RUNTIME_DIR: home,
      PATH: `${join(home, 'bin')}${delimiter}${process.env.PATH}`,
    }
    await createSecretStore({ platform: 'linux', env }).set('TOKEN', 'x')
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ TOKEN: 'x' })
    expect(await createSecretStore({ platform: 'linux', env }).get('TOKEN')).toBe('x')
  })
})
