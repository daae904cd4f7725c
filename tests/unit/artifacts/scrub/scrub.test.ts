import { readdir, readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { findSecrets, scrubSnapshot } from '../../../../src-main/artifacts/scrub/scrub.ts'
import type { KnownSecret } from '../../../../src-main/artifacts/scrub/types.ts'
import type { StoredSnapshot } from '../../../../src-main/artifacts/store/types.ts'
import type { ScrubChoice } from '../../../../src-preload/contract/index.ts'
import { contentOf, type ScrubScene, scrubScene, signal, type TestEntry, tarOf, workers } from './scene.ts'

const TOKEN = 'ghp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6'
const LONG = `${'long/'.repeat(40)}.npmrc`
const VALUE = 'canary-value-7f3a'
const SECRETS: readonly KnownSecret[] = [{ name: 'API_KEY', value: VALUE }]

async function scene(...layers: readonly (readonly TestEntry[])[]) {
  const made = await scrubScene()
  const stored = await Promise.all(layers.map((entries) => made.put(tarOf(entries))))
  const run = (
    snapshot: StoredSnapshot,
    choice: ScrubChoice | undefined,
    ask?: Parameters<typeof scrubSnapshot>[0]['ask'],
    secrets = SECRETS,
  ) => scrubSnapshot({ store: made.store, workers, stored: snapshot, secrets, choice, ask }, signal)
  return { ...made, layers: stored, run }
}

/** Everything of a snapshot that would travel, as bytes. */
async function bytesOf({ read }: ScrubScene, stored: StoredSnapshot): Promise<Buffer> {
  const contents = await Promise.all([...stored.layers, ...stored.volumes].map(read))
  const { config, facts } = stored
  return Buffer.concat([Buffer.from(JSON.stringify({ config, facts })), ...contents])
}

// Worker threads start here, on a machine that may be busy.
describe('strip', { timeout: 60_000 }, () => {
  test('canaries in every place are nowhere afterwards, and everything else is as it was', async () => {
    const made = await scene(
      [
        { path: 'bin/', type: 'folder' },
        { path: 'bin/tool', content: 'tool '.repeat(3000) },
        { path: 'root/deleted-later', content: `key=${VALUE}` },
      ],
      [
        { path: 'root/.wh.deleted-later' },
        { path: 'root/.netrc', content: `machine example.com password ${VALUE}` },
        { path: 'root/.aws/credentials', content: '[default]\naws_access_key_id = AKIAQ7XZ2LM5NB4VC6KD' },
        { path: 'app/config.json', content: JSON.stringify({ token: TOKEN, name: 'kept' }) },
        { path: 'app/link', type: 'hardlink', link: 'app/config.json' },
        { path: 'app/netrc-link', type: 'hardlink', link: 'root/.netrc' },
        { path: LONG, content: '//registry.example.com/:_authToken=abcdef' },
        { path: 'app/.npmrc', content: ['//registry.example.com/:_authToken=$', '{NPM_TOKEN}'].join('') },
        { path: 'app/encoded', content: Buffer.from(`user:${VALUE}`).toString('base64') },
        { path: 'app/last', content: 'last' },
      ],
    )
    const volume = await made.put(tarOf([{ path: 'data/notes/a.txt', content: `of ${VALUE}` }]))
    const volumes = [{ ...volume, destination: '/data' }]
    const before = made.snapshot(made.layers, {
      config: {
        Env: ['PATH=/bin', `API_KEY=${VALUE}`, `OTHER=${TOKEN}`, 'DB_PASSWORD=hunter22'],
        Labels: { good: 'kept', bad: TOKEN },
        Cmd: ['run', `--key=${VALUE}`],
      },
      volumes,
    })
    before.facts.snapshot.note = `remember ${VALUE}`
    before.facts.definitions.agents.coder = `env: ${TOKEN}`
    before.facts.volumes.push({
      destination: '/data',
      kind: 'anonymous',
      name: '',
      bytes: volume.contentBytes,
      sha256: volume.diffId.slice(7),
    })
    const { stored, report } = await made.run(before, 'strip')
    const all = await bytesOf(made, stored)
    for (const text of [
      VALUE,
      TOKEN,
      Buffer.from(`user:${VALUE}`).toString('base64'),
      'AKIAQ7',
      'hunter22',
    ]) {
      expect(all.includes(text), text).toBe(false)
    }
    expect(stored.config).toEqual({
      Env: ['PATH=/bin'],
      Labels: { good: 'kept' },
      Cmd: ['run', `--key=${'x'.repeat(VALUE.length)}`],
    })
    const [low, high] = stored.layers
    if (!low || !high) throw new Error('layers are missing')
    const lower = await contentOf(await made.read(low))
    expect(lower.get('bin/tool')).toBe('tool '.repeat(3000))
    expect(lower.get('root/deleted-later')).toBe(`key=${'x'.repeat(VALUE.length)}`)
    const upper = await contentOf(await made.read(high))
    expect([...upper.keys()]).toEqual([
      'root/.wh.deleted-later',
      'app/config.json',
      'app/link',
      'app/.npmrc',
      'app/encoded',
      'app/last',
    ])
    expect(JSON.parse(upper.get('app/config.json') ?? '')).toEqual({
      token: 'x'.repeat(TOKEN.length),
      name: 'kept',
    })
    expect(stored.facts.volumes[0]?.sha256).toBe(stored.volumes[0]?.diffId.slice(7))
    expect(stored.volumes[0]?.destination).toBe('/data')
    expect(stored.facts.scrub).toEqual(report)
    const told = report.findings.map(({ where, name, rule, action }) =>
      [where, name, rule, action].join(' | '),
    )
    expect(told).toEqual([
      'env | API_KEY | declared secret API_KEY | removed',
      'env | DB_PASSWORD | named like a secret | removed',
      'env | OTHER | GitHub token | removed',
      'file | /app/config.json | GitHub token | replaced',
      'file | /app/encoded | declared secret API_KEY | replaced',
      'file | /app/netrc-link | a link to a removed file | removed',
      `file | /${LONG.slice(0, 200)}… | file .npmrc | removed`,
      'file | /root/.aws/credentials | AWS access key | removed',
      'file | /root/.aws/credentials | file .aws/credentials | removed',
      'file | /root/.netrc | declared secret API_KEY | removed',
      'file | /root/.netrc | file .netrc | removed',
      'file | /root/deleted-later | declared secret API_KEY | replaced',
      'history | Cmd | declared secret API_KEY | replaced',
      'label | bad | GitHub token | removed',
      'label | definitions.agents.coder | GitHub token | replaced',
      'label | snapshot.note | declared secret API_KEY | replaced',
      'volume | /data/notes/a.txt | declared secret API_KEY | replaced',
    ])
    expect(JSON.stringify(report)).not.toContain(VALUE)
  })

  test('a base layer is rebuilt too, and then counts as base no more', async () => {
    const made = await scene([{ path: 'a', content: 'a' }], [{ path: 'b', content: TOKEN }], [{ path: 'c' }])
    const before = made.snapshot(made.layers, { baseLayers: 2 })
    const { stored, report } = await made.run(before, 'strip')
    expect(report).toMatchObject({ layersSearched: 3, layers: 3 })
    expect(report.findings).toMatchObject([{ name: '/b', inBase: true, action: 'replaced' }])
    expect(stored.baseLayers).toBe(1)
    expect(stored.facts.baseLayers).toBe(1)
    expect(stored.layers[0]).toEqual(made.layers[0])
    expect(stored.layers[1]?.diffId).not.toBe(made.layers[1]?.diffId)
  })

  test('a name that holds a secret goes with its entry, and is not repeated', async () => {
    const made = await scene([
      { path: `tmp/${VALUE}/`, type: 'folder' },
      { path: `tmp/${VALUE}/a`, content: 'inside' },
      { path: 'tmp/attributes', content: 'x', xattrs: new Map([['user.k', TOKEN]]) },
      { path: 'tmp/kept', content: 'kept' },
    ])
    const { stored, report } = await made.run(made.snapshot(made.layers), 'strip')
    expect(JSON.stringify(report)).not.toContain(VALUE)
    expect(report.findings.map(({ name }) => name)).toEqual(['/tmp/…', '/…', '/tmp/…'].sort())
    const [layer] = stored.layers
    if (!layer) throw new Error('no layer')
    expect([...(await contentOf(await made.read(layer))).keys()]).toEqual(['tmp/kept'])
  })

  test('the same snapshot gives the same bytes', async () => {
    const one = await scene([{ path: 'a', content: TOKEN }])
    const two = await scene([{ path: 'a', content: TOKEN }])
    const first = await one.run(one.snapshot(one.layers), 'strip')
    const second = await two.run(two.snapshot(two.layers), 'strip')
    expect(first.stored).toEqual(second.stored)
  })
})

describe('the choice', { timeout: 60_000 }, () => {
  const found = { path: 'root/.netrc', content: 'machine a password b' }

  test('keep changes nothing and tells everything', async () => {
    const made = await scene([found])
    const before = made.snapshot(made.layers)
    const { stored, report } = await made.run(before, 'keep')
    expect({ ...stored, facts: { ...stored.facts, scrub: null } }).toEqual(before)
    expect(report.findings).toMatchObject([{ name: '/root/.netrc', action: 'kept' }])
  })
  test('without a choice it is asked, and only then', async () => {
    const made = await scene([found])
    const asked: unknown[] = []
    const ask = async (findings: unknown) => {
      asked.push(findings)
      return 'strip' as const
    }
    const { report } = await made.run(made.snapshot(made.layers), undefined, ask)
    expect(asked).toEqual([[{ where: 'file', name: '/root/.netrc', rule: 'file .netrc', inBase: false }]])
    expect(report.choice).toBe('strip')
    const clean = await scene([{ path: 'a', content: 'a' }])
    const { report: none } = await clean.run(clean.snapshot(clean.layers), undefined, ask)
    expect(none.findings).toEqual([])
    expect(asked).toHaveLength(1)
  })
  test('nobody to ask is an error that names the places', async () => {
    const made = await scene([found, { path: 'b', content: VALUE }])
    const failed = made.run(made.snapshot(made.layers), undefined)
    await expect(failed).rejects.toMatchObject({
      code: 'secrets-found',
      message: expect.stringContaining('/root/.netrc (file .netrc)'),
    })
    await expect(failed).rejects.not.toMatchObject({ message: expect.stringContaining(VALUE) })
  })
  test('cancel', async () => {
    const made = await scene([found])
    const failed = made.run(made.snapshot(made.layers), undefined, async () => 'cancel')
    await expect(failed).rejects.toMatchObject({ code: 'cancelled' })
  })
})

describe('what is remembered', { timeout: 60_000 }, () => {
  test('known forms by content, never what a value gave', async () => {
    const made = await scene([
      { path: 'a', content: TOKEN },
      { path: 'b', content: `x ${VALUE}` },
    ])
    const request = { store: made.store, workers, stored: made.snapshot(made.layers) }
    const all = [
      { where: 'file', name: '/a', rule: 'GitHub token', inBase: false },
      { where: 'file', name: '/b', rule: 'declared secret API_KEY', inBase: false },
    ]
    expect(await findSecrets({ ...request, secrets: SECRETS }, signal)).toEqual(all)
    const folder = made.root.path('icebox', 'cache', 'secrets')
    const texts = async () => {
      const names = await readdir(folder).catch(() => [])
      return Promise.all(names.map((name) => readFile(`${folder}/${name}`, 'utf8')))
    }
    expect(await texts()).toEqual([])
    expect(await findSecrets({ ...request, secrets: [] }, signal)).toEqual(all.slice(0, 1))
    expect(await texts()).toHaveLength(1)
    // Remembered, the layer is not read again for them, and is for values.
    const deaf = { ...workers, unpack: () => buffer as never }
    expect(await findSecrets({ ...request, workers: deaf, secrets: [] }, signal)).toEqual(all.slice(0, 1))
    expect(await findSecrets({ ...request, secrets: SECRETS }, signal)).toEqual(all)
    expect((await texts()).join('')).not.toContain('declared')
  })
  test('base layers are left out until they are to be stripped', async () => {
    const made = await scene([{ path: 'a', content: TOKEN }], [{ path: 'b', content: 'b' }])
    const stored = made.snapshot(made.layers, { baseLayers: 1 })
    expect(await findSecrets({ store: made.store, workers, stored, secrets: [] }, signal)).toEqual([])
  })
})
