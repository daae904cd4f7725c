import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { staticClosure } from '../../support/arch/habits.ts'
import { importsOf } from '../../support/arch/imports.ts'
import { readSources, type Sources } from '../../support/arch/sources.ts'

const ROOT = join(import.meta.dirname, '../../..')

/** Each costs more to load than a whole command may take; commands load them on use. */
const HEAVY = [
  'electron',
  'electron-store',
  'dockerode',
  'zod',
  'execa',
  'conf',
  'ws',
  'yaml',
  '@clack/prompts',
]

describe('the built entries', () => {
  let built: Sources
  beforeAll(async () => {
    built = await readSources(ROOT, ['out/main'], /\.js$/).catch((cause: unknown) => {
      throw new Error('These tests read the build: run npm run build first.', { cause })
    })
  })

  test('the command line starts without any heavy package', () => {
    const { packages } = staticClosure('out/main/cli.js', built)
    expect([...packages].filter((name) => HEAVY.includes(name))).toEqual([])
  })

  test.each(['cli', 'serve', 'api'])('%s never reaches electron, not even later', (entry) => {
    expect(everReached(`out/main/${entry}.js`, built)).not.toContain('electron')
    expect(everReached(`out/main/${entry}.js`, built)).not.toContain('electron-store')
    expect(everReached(`out/main/${entry}.js`, built)).not.toContain('electron-updater')
  })
})

function everReached(entry: string, built: Sources): Set<string> {
  const all = new Map([...built].map(([path, text]) => [path, text.replace(/\bawait import\(/g, 'import(')]))
  const packages = new Set<string>()
  const queue = [entry]
  const seen = new Set<string>()
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path)) continue
    seen.add(path)
    for (const { specifier } of importsOf(all.get(path) ?? '')) {
      if (specifier.startsWith('.')) queue.push(new URL(specifier, `file:///${path}`).pathname.slice(1))
      else packages.add(specifier)
    }
  }
  return packages
}

describe('the Docker library', () => {
  /** What only its unused parts need, or only some endpoints. */
  const UNUSED = ['@grpc/', 'protobufjs', 'tar-fs', 'require("https")', 'require("tls")', 'ssh2/lib']
  const withoutUse = (built: Sources) =>
    [...built]
      .filter(([, text]) => text.includes('docker-modem/lib/modem.js'))
      .flatMap(([path, text]) =>
        UNUSED.filter((part) => text.includes(part)).map((part) => `${path} has ${part}`),
      )

  test('is built without what its users never need', async () => {
    const built = await readSources(ROOT, ['out/main'], /\.js$/)
    expect([...built.values()].filter((text) => text.includes('docker-modem/lib/modem.js'))).toHaveLength(1)
    expect(withoutUse(built)).toEqual([])
  })
  test('is found when it has', () => {
    const text = '// docker-modem/lib/modem.js\n// node_modules/@grpc/grpc-js/index.js'
    expect(withoutUse(new Map([['out/a.js', text]]))).toEqual(['out/a.js has @grpc/'])
  })
})

describe('the rule can fail', () => {
  const built: Sources = new Map([
    ['out/main/cli.js', `import { a } from './chunks/a.js'\nconst b = () => import('./chunks/b.js')`],
    ['out/main/chunks/a.js', `import { z } from "zod";`],
    ['out/main/chunks/b.js', `import Docker from 'dockerode'\nimport { app } from 'electron'`],
  ])
  test('a heavy package behind a chunk is seen, one behind a dynamic import is not', () => {
    expect([...staticClosure('out/main/cli.js', built).packages]).toEqual(['zod'])
  })
  test('a package is reached at last through a dynamic import', () => {
    expect(everReached('out/main/cli.js', built)).toEqual(new Set(['zod', 'dockerode', 'electron']))
  })
  test('a missing chunk is an error', () => {
    expect(() => staticClosure('out/main/none.js', built)).toThrow('was not built')
  })
})
