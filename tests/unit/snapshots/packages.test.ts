import { describe, expect, test } from 'vitest'
import { comparePackages } from '../../../src-main/snapshots/packages/compare-packages.ts'
import { managerOf } from '../../../src-main/snapshots/packages/package-files.ts'
import { parsePackages } from '../../../src-main/snapshots/packages/parse-packages.ts'

describe('package lists are known by their paths', () => {
  test.each([
    ['var/lib/dpkg/status', 'dpkg'],
    ['var/lib/dpkg/status-old', null],
    ['var/lib/dpkg/status.d/base-files', 'dpkg'],
    ['lib/apk/db/installed', 'apk'],
    ['app/node_modules/.package-lock.json', 'npm'],
    ['node_modules/.package-lock.json', 'npm'],
    ['app/package-lock.json', null],
    ['usr/local/lib/node_modules/npm/package.json', 'npm'],
    ['usr/local/lib/node_modules/@scope/tool/package.json', 'npm'],
    ['usr/local/lib/node_modules/npm/node_modules/abbrev/package.json', null],
    ['app/node_modules/abbrev/package.json', null],
    ['usr/lib/python3/dist-packages/requests-2.1.dist-info/METADATA', 'pip'],
    ['usr/lib/python3/dist-packages/x.egg-info/PKG-INFO', 'pip'],
  ])('%s: %s', (path, manager) => {
    expect(managerOf(path)).toBe(manager)
  })
})

describe('package lists', () => {
  test('dpkg: only what is installed, and each architecture of it', () => {
    const text = [
      'Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\nDescription: shell\n Version: not this',
      'Package: gone\nStatus: deinstall ok config-files\nVersion: 1',
      'Package: libc6\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 2.36',
      'Package: libc6\nStatus: install ok installed\nArchitecture: i386\nVersion: 2.35',
    ].join('\n\n')
    expect([...parsePackages('dpkg', 'var/lib/dpkg/status', text)]).toEqual([
      ['bash', '5.2-1'],
      ['libc6', '2.36'],
      ['libc6:i386', '2.35'],
    ])
  })

  test('apk', () => {
    const text = 'C:Q1abc=\nP:musl\nV:1.2.4-r1\nA:x86_64\n\nC:Q1def=\nP:zlib\nV:1.3-r0\n\n'
    expect([...parsePackages('apk', 'lib/apk/db/installed', text)]).toEqual([
      ['musl', '1.2.4-r1'],
      ['zlib', '1.3-r0'],
    ])
  })

  test('npm: a lock file with two versions of one package, and a global one', () => {
    const lock = JSON.stringify({
      packages: {
        '': { version: '0' },
        'node_modules/a': { version: '2.0.0' },
        'node_modules/b/node_modules/a': { version: '1.0.0' },
        'node_modules/@s/b': { version: '3.0.0' },
        'node_modules/linked': { link: true },
      },
    })
    expect([...parsePackages('npm', 'app/node_modules/.package-lock.json', lock)]).toEqual([
      ['a', '1.0.0, 2.0.0'],
      ['@s/b', '3.0.0'],
    ])
    const global = 'usr/lib/node_modules/npm/package.json'
    expect([...parsePackages('npm', global, '{"name": "npm", "version": "11.1.0"}')]).toEqual([
      ['npm', '11.1.0'],
    ])
  })

  test('pip: the head only', () => {
    const text =
      'Metadata-Version: 2.1\r\nName: ruamel.yaml\r\nVersion: 0.18\r\n\r\nName: not this\nVersion: 9'
    expect([...parsePackages('pip', 'x/METADATA', text)]).toEqual([['ruamel.yaml', '0.18']])
  })

  test.each(['dpkg', 'apk', 'npm', 'pip'] as const)('%s: rubbish is no package', (manager) => {
    for (const text of [
      '',
      'null',
      '{',
      '[]',
      '\0\0',
      ':\n:\n\n:',
      '{"packages": null}',
      '{"packages": {"node_modules/x": null}}',
    ])
      expect([...parsePackages(manager, 'x/node_modules/.package-lock.json', text)]).toEqual([])
  })
})

test('packages that came, went and changed', () => {
  const metadata = (name: string, version: string) => `Name: ${name}\nVersion: ${version}\n\n`
  const status = (version: string) => `Package: bash\nStatus: install ok installed\nVersion: ${version}\n`
  const lock = (version: string) => JSON.stringify({ packages: { 'node_modules/left-pad': { version } } })
  const changes = comparePackages([
    { path: 'var/lib/dpkg/status', before: status('1'), after: status('2') },
    // An upgrade by pip is one folder gone and another one there.
    { path: 'p/requests-1.dist-info/METADATA', before: metadata('requests', '1'), after: null },
    { path: 'p/requests-2.dist-info/METADATA', before: null, after: metadata('requests', '2') },
    { path: 'p/old-1.dist-info/METADATA', before: metadata('old', '1'), after: null },
    { path: 'app/node_modules/.package-lock.json', before: null, after: lock('1.3.0') },
    { path: 'same/node_modules/.package-lock.json', before: lock('1'), after: lock('1') },
  ])
  expect(changes).toEqual([
    { manager: 'dpkg', name: 'bash', before: '1', after: '2' },
    { manager: 'npm', name: 'app: left-pad', before: null, after: '1.3.0' },
    { manager: 'pip', name: 'old', before: '1', after: null },
    { manager: 'pip', name: 'requests', before: '1', after: '2' },
  ])
})
