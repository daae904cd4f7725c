import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BUNDLED, configure } from '../../../.electron-builder.config.ts'

const ROOT = join(import.meta.dirname, '../../..')

test('without credentials nothing is signed, notarised or published', () => {
  const { mac, publish } = configure({})
  expect(publish).toBeNull()
  expect(mac).toMatchObject({ identity: '-', notarize: false, hardenedRuntime: false })
})

test('a certificate brings the hardened runtime', () => {
  expect(configure({ CSC_LINK: 'x' }).mac).toMatchObject({ hardenedRuntime: true })
  expect(configure({ CSC_LINK: 'x' }).mac).not.toHaveProperty('identity')
})

test('notarising needs a certificate and one whole set of credentials', () => {
  const key = { APPLE_API_KEY: 'k', APPLE_API_KEY_ID: 'i', APPLE_API_ISSUER: 's' }
  const { APPLE_API_ISSUER: _, ...half } = key
  expect(configure({ CSC_LINK: 'x', ...key }).mac?.notarize).toBe(true)
  expect(configure({ CSC_LINK: 'x', ...half }).mac?.notarize).toBe(false)
  expect(configure(key).mac?.notarize).toBe(false)
})

describe('updates', () => {
  test('come from a repository or an address', () => {
    expect(configure({ ICEBOX_UPDATE_REPO: 'someone/icebox' }).publish).toMatchObject({
      provider: 'github',
      owner: 'someone',
      repo: 'icebox',
    })
    expect(configure({ ICEBOX_UPDATE_URL: 'https://updates.example.org/' }).publish).toEqual({
      provider: 'generic',
      url: 'https://updates.example.org/',
    })
  })
  test('from an address that is not https are refused', () => {
    expect(() => configure({ ICEBOX_UPDATE_URL: 'http://updates.example.org/' })).toThrow('https')
  })
  test('from half a name do not come at all', () => {
    expect(configure({ ICEBOX_UPDATE_REPO: 'someone' }).publish).toBeNull()
  })
  test('on macOS need the zip beside the dmg', () => {
    const targets = configure({}).mac?.target
    expect(
      Array.isArray(targets) && targets.map((each) => (typeof each === 'string' ? each : each.target)),
    ).toEqual(['dmg', 'zip'])
  })
})

test('the hardened runtime has one exception', async () => {
  const text = await readFile(join(ROOT, 'src-main/shell/resources/entitlements.plist'), 'utf8')
  expect([...text.matchAll(/<key>([^<]+)<\/key>/g)].map(([, key]) => key)).toEqual([
    'com.apple.security.cs.allow-jit',
  ])
})

test('every file that the configuration names is there', async () => {
  const { mac, linux, deb } = configure({})
  const scripts = (deb?.fpm ?? []).map((mapping) => mapping.split('=')[0] ?? '')
  const named = [
    mac?.entitlements,
    mac?.entitlementsInherit,
    `src-main/shell/resources/${mac?.icon}`,
    `src-main/shell/resources/${linux?.icon}/512x512.png`,
    ...scripts,
  ]
  for (const path of named) await access(path?.startsWith('/') ? path : join(ROOT, String(path)))
  expect(scripts).toHaveLength(1)
})

test('packages that are left out are those that the build takes in', async () => {
  const build = await readFile(join(ROOT, 'electron.vite.config.ts'), 'utf8')
  const [, list = ''] = /externalizeDeps: \{\s*exclude: \[([^\]]*)\]/.exec(build) ?? []
  expect([...list.matchAll(/'([^']+)'/g)].map(([, name]) => name)).toEqual([...BUNDLED])
})
