import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findCredentials } from '../../../../src-main/artifacts/registry/credentials.ts'
import { tempFolder } from '../../../support/test-root.ts'

const signal = new AbortController().signal
const basic = (text: string) => Buffer.from(text).toString('base64')

/** A home folder with these files, and an environment that points into it. */
async function home(files: Readonly<Record<string, unknown>>, env: Readonly<Record<string, string>> = {}) {
  const dir = await tempFolder()
  for (const [name, content] of Object.entries(files)) {
    const file = join(dir, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
    if (name.startsWith('bin/')) await chmod(file, 0o755)
  }
  return { HOME: dir, PATH: `${join(dir, 'bin')}:${process.env.PATH}`, ...env }
}

const find = async (env: Readonly<Record<string, string>>, host = 'r.example.com', path = 'me/web') =>
  findCredentials(host, path, env, signal)

const password = (username: string, word: string) => ({
  credentials: { kind: 'password', username, password: word },
  problem: null,
})

describe('docker', () => {
  test('entries by host, with and without scheme; Docker Hub by its old name', async () => {
    const env = await home({
      '.docker/config.json': {
        auths: {
          'https://r.example.com': { auth: basic('me:se:cret') },
          'https://index.docker.io/v1/': { auth: basic('hub:word\0\0') },
          'r.example.com:5000': { identitytoken: 'refresh' },
          'b.example.com': { registrytoken: 'ready' },
        },
      },
    })
    expect(await find(env)).toEqual(password('me', 'se:cret'))
    expect(await find(env, 'docker.io')).toEqual(password('hub', 'word'))
    expect((await find(env, 'r.example.com:5000')).credentials).toEqual({
      kind: 'identity',
      token: 'refresh',
    })
    expect((await find(env, 'b.example.com')).credentials).toEqual({ kind: 'bearer', token: 'ready' })
    expect(await find(env, 'evil-r.example.com')).toEqual({ credentials: null, problem: null })
  })
  test('DOCKER_CONFIG', async () => {
    const env = await home({ 'other/config.json': { auths: { 'r.example.com': { auth: basic('a:b') } } } })
    expect(await find({ ...env, DOCKER_CONFIG: join(env.HOME, 'other') })).toEqual(password('a', 'b'))
  })
  test('a damaged file is told without its words', async () => {
    const env = await home({ '.docker/config.json': '{"auths": {"r.example.com": {"auth": "c2VjcmV0' })
    const { credentials, problem } = await find(env)
    expect(credentials).toBeNull()
    expect(problem).toMatch(/config\.json could not be read/)
    expect(problem).not.toContain('c2VjcmV0')
  })
})

describe('helpers', () => {
  const helper = (answer: string) => `#!/bin/sh\ncat > "$HOME/asked"\n[ "$1" = get ] || exit 9\n${answer}\n`

  test('the host goes in on standard input', async () => {
    const env = await home({
      '.docker/config.json': { credHelpers: { 'r.example.com': 'one' }, credsStore: 'two', auths: {} },
      'bin/docker-credential-one': helper(`echo '{"ServerURL":"","Username":"me","Secret":"s1"}'`),
      'bin/docker-credential-two': helper(`echo '{"Username":"<token>","Secret":"s2"}'`),
    })
    expect(await find(env)).toEqual(password('me', 's1'))
    expect(await readFile(join(env.HOME, 'asked'), 'utf8')).toBe('r.example.com')
    expect((await find(env, 'docker.io')).credentials).toEqual({ kind: 'identity', token: 's2' })
    expect(await readFile(join(env.HOME, 'asked'), 'utf8')).toBe('https://index.docker.io/v1/')
  })
  test('one that has nothing, is absent, or fails', async () => {
    const env = await home({
      '.docker/config.json': {
        credHelpers: { 'a.example.com': 'none', 'b.example.com': 'absent-here', 'c.example.com': 'broken' },
      },
      'bin/docker-credential-none': helper('echo credentials not found; exit 1'),
      'bin/docker-credential-broken': helper('echo canary-secret >&2; echo canary-secret; exit 3'),
    })
    expect(await find(env, 'a.example.com')).toEqual({ credentials: null, problem: null })
    expect((await find(env, 'b.example.com')).problem).toBe(
      'The credential helper docker-credential-absent-here is not installed.',
    )
    expect((await find(env, 'c.example.com')).problem).toBe(
      'The credential helper docker-credential-broken failed.',
    )
  })
  test.each(['../evil', 'a/b', 'a b', '-x', ''])('no program of the name %s is run', async (name) => {
    const env = await home({ '.docker/config.json': { credHelpers: { 'r.example.com': name } } })
    expect((await find(env)).credentials).toBeNull()
  })
})

describe('podman', () => {
  test('its file comes after docker, and the longest folder wins', async () => {
    const env = await home({
      'run/containers/auth.json': {
        auths: {
          'r.example.com': { auth: basic('all:1') },
          'r.example.com/me': { auth: basic('mine:2') },
          'r.example.com/me/web': { auth: basic('web:3') },
          'r.example.com/m': { auth: basic('no:4') },
        },
      },
    })
    const found = { ...env, XDG_RUNTIME_DIR: join(env.HOME, 'run') }
    expect(await find(found)).toEqual(password('web', '3'))
    expect(await find(found, 'r.example.com', 'me/other')).toEqual(password('mine', '2'))
    expect(await find(found, 'r.example.com', 'you/web')).toEqual(password('all', '1'))
    const file = join(env.HOME, 'run', 'containers', 'auth.json')
    expect(await find({ ...env, REGISTRY_AUTH_FILE: file })).toEqual(password('web', '3'))
  })
})
