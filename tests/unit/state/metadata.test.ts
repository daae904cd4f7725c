import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  latestRun,
  METADATA_VERSION,
  metadataToJson,
  parseMetadata,
  readMetadata,
  requireMetadata,
  requireWritable,
  withRun,
  writeMetadata,
} from '../../../src-main/state/metadata.ts'
import type { StateRoot } from '../../../src-main/state/root.ts'
import { sampleMetadata, sampleRef, sampleRun } from '../../support/samples.ts'
import { testRoot } from '../../support/test-root.ts'

async function put(root: StateRoot, slug: string, content: unknown): Promise<string> {
  const file = root.path('state', slug, 'metadata.json')
  await mkdir(root.path('state', slug), { recursive: true })
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

const onDisk = async (root: StateRoot, slug: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(root.path('state', slug, 'metadata.json'), 'utf8'))

/** As bot-bottle wrote it when each key had come. */
const HISTORY: readonly (readonly [string, Record<string, unknown>])[] = [
  ['the first keys only', { identity: 'web', agent_name: 'reviewer', cwd: '', copy_cwd: false }],
  ['a start time', { identity: 'web', agent_name: 'reviewer', started_at: '2026-01-02T03:04:05+00:00' }],
  ['a compose project', { identity: 'web', agent_name: 'reviewer', compose_project: 'bot-bottle-web' }],
  ['an empty backend', { identity: 'web', agent_name: 'reviewer', backend: '' }],
  ['a label and a colour', { identity: 'web', agent_name: 'reviewer', label: 'Web', color: 'blue' }],
  ['bottle names', { identity: 'web', agent_name: 'reviewer', bottle_names: ['a', 'b'] }],
  ['nothing at all', {}],
]

describe('parseMetadata', () => {
  test.each(HISTORY)('reads a file with %s', (_what, raw) => {
    const metadata = parseMetadata(raw)
    expect(metadata).toMatchObject({ copyCwd: false, backend: 'docker', icebox: null })
    expect(metadata.agentName).toBe(raw.agent_name ?? '')
    expect(metadata.bottleNames).toEqual(raw.bottle_names ?? [])
    expect(metadata.startedAt).toBe(raw.started_at ?? '')
  })

  test('takes any JSON and gives the right types', () => {
    const keys = ['identity', 'agent_name', 'cwd', 'copy_cwd', 'backend', 'bottle_names', 'icebox', 'label']
    const raw = fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string()), fc.jsonValue())
    fc.assert(
      fc.property(raw, (value) => {
        const metadata = parseMetadata(value)
        for (const text of [metadata.identity, metadata.agentName, metadata.cwd, metadata.label]) {
          expect(typeof text).toBe('string')
        }
        expect(typeof metadata.copyCwd).toBe('boolean')
        expect(metadata.backend).not.toBe('')
        expect(metadata.bottleNames.every((name) => typeof name === 'string')).toBe(true)
      }),
    )
  })

  test('takes any JSON where our own facts should be', () => {
    const keys = ['version', 'root', 'runs', 'policy', 'secretNames', 'forkOf', 'volumes', 'notices']
    const run = fc.oneof(
      fc.jsonValue(),
      fc.record({ id: fc.jsonValue(), ref: fc.jsonValue(), exit: fc.jsonValue() }),
      fc.record({ ref: fc.record({ id: fc.string(), volumes: fc.jsonValue(), facts: fc.jsonValue() }) }),
    )
    const facts = fc.oneof(
      fc.jsonValue(),
      fc.record({ runs: fc.array(run), volumes: fc.jsonValue() }),
      fc.dictionary(fc.constantFrom(...keys), fc.jsonValue()),
    )
    fc.assert(
      fc.property(facts, (icebox) => {
        const metadata = parseMetadata({ icebox })
        for (const known of metadata.icebox?.runs ?? []) {
          expect(typeof known.id).toBe('string')
          if (!known.ref) continue
          expect(Array.isArray(known.ref.volumes)).toBe(true)
          expect(typeof known.ref.facts).toBe('object')
        }
        // What was read can be worked on and written again.
        expect(() => metadataToJson(withRun(metadata, sampleRun()))).not.toThrow()
      }),
    )
  })
})

describe('a write', () => {
  test('keeps unknown keys at both levels and in runs', async () => {
    const root = await testRoot()
    await put(root, 'web', {
      identity: 'web',
      later_key: { deep: [1, 2] },
      icebox: { version: 1, root: root.id, later: 'kept', runs: [{ id: 'run1', laterToo: 7 }] },
    })
    const metadata = await requireMetadata(root, 'web')
    const run = latestRun(metadata)
    if (!run) throw new Error('no run')
    await writeMetadata(root, 'web', withRun({ ...metadata, label: 'New' }, { ...run, isStopped: true }))
    expect(await onDisk(root, 'web')).toMatchObject({
      label: 'New',
      later_key: { deep: [1, 2] },
      icebox: { later: 'kept', runs: [{ id: 'run1', laterToo: 7, isStopped: true }] },
    })
  })

  test('has the keys and types that bot-bottle reads', async () => {
    const root = await testRoot()
    await put(root, 'web', {})
    await writeMetadata(root, 'web', sampleMetadata({ cwd: '/src', copyCwd: true, bottleNames: ['a'] }))
    expect(await onDisk(root, 'web')).toMatchObject({
      identity: 'web',
      agent_name: 'reviewer',
      cwd: '/src',
      copy_cwd: true,
      started_at: expect.any(String),
      compose_project: expect.any(String),
      backend: 'docker',
      label: '',
      color: '',
      bottle_names: ['a'],
    })
  })

  test('is a fixed point: reading and writing again changes nothing', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (raw) => {
        const once = JSON.parse(JSON.stringify(metadataToJson(parseMetadata(raw))))
        expect(JSON.parse(JSON.stringify(metadataToJson(parseMetadata(once))))).toEqual(once)
      }),
    )
  })

  test('leaves a bottle that bot-bottle alone has written without a part of ours', async () => {
    const root = await testRoot()
    await put(root, 'web', { identity: 'web', backend: '' })
    await writeMetadata(root, 'web', await requireMetadata(root, 'web'))
    expect(await onDisk(root, 'web')).not.toHaveProperty('icebox')
  })

  test('refuses what a newer Icebox wrote, also when its version was put over', async () => {
    const root = await testRoot()
    const content = { identity: 'web', icebox: { version: METADATA_VERSION + 1, root: root.id, news: 1 } }
    const file = await put(root, 'web', content)
    const metadata = await requireMetadata(root, 'web')
    const facts = metadata.icebox
    if (!facts) throw new Error('no facts')
    const lowered = { ...metadata, icebox: { ...facts, version: METADATA_VERSION } }
    for (const next of [metadata, lowered]) {
      expect(() => requireWritable('web', next)).toThrow(expect.objectContaining({ code: 'unsupported' }))
      await expect(writeMetadata(root, 'web', next)).rejects.toMatchObject({
        code: 'unsupported',
        slug: 'web',
      })
    }
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(content)
  })
})

describe('requireMetadata', () => {
  test('corrupt is not absent: told by name, the file untouched, one copy kept', async () => {
    const root = await testRoot()
    const file = await put(root, 'web', '{"identity": "we')
    for (let n = 0; n < 2; n++) {
      await expect(requireMetadata(root, 'web')).rejects.toMatchObject({
        code: 'corrupt-state',
        slug: 'web',
        message: expect.stringContaining(file),
      })
    }
    expect(await readFile(file, 'utf8')).toBe('{"identity": "we')
    expect(await readdir(root.path('icebox', 'quarantine'))).toHaveLength(1)
    expect(await readMetadata(root, 'web')).toMatchObject({ kind: 'corrupt', file })
  })

  test('without a file, and without a folder, there is no such bottle', async () => {
    const root = await testRoot()
    await mkdir(root.path('state', 'empty'))
    for (const slug of ['empty', 'nowhere']) {
      await expect(requireMetadata(root, slug)).rejects.toMatchObject({ code: 'not-found', slug })
      expect(await readMetadata(root, slug)).toEqual({ kind: 'absent' })
    }
  })

  test('a folder in its place is damage', async () => {
    const root = await testRoot()
    await mkdir(root.path('state', 'web', 'metadata.json'), { recursive: true })
    await expect(requireMetadata(root, 'web')).rejects.toMatchObject({ code: 'corrupt-state' })
  })
})

describe('withRun', () => {
  test('adds at the end, replaces in place and remembers every volume', () => {
    const first = sampleRun({ ref: sampleRef({ volumes: ['v1'] }) })
    const second = sampleRun({ id: 'run2', ref: sampleRef({ volumes: ['v1', 'v2'] }) })
    const both = withRun(withRun(sampleMetadata({}, { runs: [] }), first), second)
    expect(latestRun(both)?.id).toBe('run2')
    expect(both.icebox?.volumes).toEqual(['v1', 'v2'])
    const ended = withRun(both, { ...first, ref: null, isStopped: true })
    expect(ended.icebox?.runs.map((run) => [run.id, run.isStopped])).toEqual([
      ['run1', true],
      ['run2', false],
    ])
    expect(ended.icebox?.volumes).toEqual(['v1', 'v2'])
  })
})
