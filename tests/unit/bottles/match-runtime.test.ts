import { describe, expect, test } from 'vitest'
import type { RuntimeFact } from '../../../src-main/backends/backend.ts'
import { matchRuntime } from '../../../src-main/bottles/state-model.ts'
import type { Metadata } from '../../../src-main/state/metadata.ts'
import { ROOT_ID, sampleFact, sampleMetadata, sampleRef, sampleRun } from '../../support/samples.ts'

const OTHER_ROOT = '99999999-2222-3333-4444-555555555555'
const LEGACY = sampleMetadata({ icebox: null })
const ADOPTED = sampleMetadata(
  {},
  { adopted: true, runs: [sampleRun({ ref: sampleRef({ id: 'foreign' }) })] },
)
const STARTING = sampleMetadata({}, { runs: [] })
const plain = { root: null, slug: null, runId: null }

type Case = readonly [string, Metadata | null, readonly RuntimeFact[], string | null]

const CASES: readonly Case[] = [
  ['its own by id, root and run', sampleMetadata(), [sampleFact()], 'c1'],
  [
    'its own under another id, as after a rename by hand',
    sampleMetadata(),
    [sampleFact({ id: 'c2', name: 'x' })],
    'c2',
  ],
  ['another root’s with the same slug and run', sampleMetadata(), [sampleFact({ root: OTHER_ROOT })], null],
  ['another root’s with its very name', LEGACY, [sampleFact({ root: OTHER_ROOT })], null],
  ['an older run’s that was left', sampleMetadata(), [sampleFact({ id: 'c0', runId: 'run0' })], null],
  ['the same id, but of another run', sampleMetadata(), [sampleFact({ runId: 'run0' })], null],
  ['another slug’s run of the same id', sampleMetadata(), [sampleFact({ id: 'c2', slug: 'web-1' })], null],
  ['its sidecar', sampleMetadata(), [sampleFact({ role: 'sidecar' })], null],
  [
    'a plain run of its committed image, labels blanked',
    sampleMetadata(),
    [sampleFact({ id: 'c9', name: 'eager_turing', root: '', slug: '', runId: '' })],
    null,
  ],
  ['a plain run that took its name', sampleMetadata(), [sampleFact({ id: 'c9', ...plain })], null],
  [
    'a plain run with an older run’s labels',
    sampleMetadata(),
    [sampleFact({ id: 'c9', name: 'x', runId: 'run0' })],
    null,
  ],
  ['a legacy one by name, without labels', LEGACY, [sampleFact({ id: 'c9', ...plain })], 'c9'],
  [
    'a legacy one by name, labels empty',
    LEGACY,
    [sampleFact({ id: 'c9', root: '', slug: '', runId: '' })],
    'c9',
  ],
  ['a legacy one of another name', LEGACY, [sampleFact({ ...plain, name: 'bot-bottle-web-1' })], null],
  [
    'an adopted one by id, no labels, any name',
    ADOPTED,
    [sampleFact({ ...plain, id: 'foreign', name: 'db' })],
    'foreign',
  ],
  [
    'an adopted one whose id is gone',
    ADOPTED,
    [sampleFact({ ...plain, id: 'c9', name: 'bot-bottle-web' })],
    null,
  ],
  ['a name while a start is in flight', STARTING, [sampleFact({ ...plain })], null],
  ['by label when its metadata is damaged', null, [sampleFact({ id: 'c7', runId: 'any' })], 'c7'],
  ['by name when its metadata is damaged', null, [sampleFact({ id: 'c8', ...plain })], 'c8'],
  ['another root’s when its metadata is damaged', null, [sampleFact({ root: OTHER_ROOT })], null],
  [
    'another root’s of its name when its metadata is damaged',
    null,
    [sampleFact({ root: OTHER_ROOT, slug: null })],
    null,
  ],
  ['nothing', sampleMetadata(), [], null],
]

describe('a bottle and what an engine has', () => {
  test.each(CASES)('%s', (_what, metadata, facts, expected) => {
    expect(matchRuntime('web', ROOT_ID, metadata, facts)?.id ?? null).toBe(expected)
    // What else is on the engine changes nothing.
    const crowd = [
      sampleFact({ id: 'x1', slug: 'db', name: 'bot-bottle-db', runId: 'r' }),
      ...facts,
      sampleFact({ id: 'x2', ...plain, name: 'postgres' }),
    ]
    expect(matchRuntime('web', ROOT_ID, metadata, crowd)?.id ?? null).toBe(expected)
  })

  test('the newest run wins over one that is being replaced', () => {
    const runs = [sampleRun(), sampleRun({ id: 'run2', ref: sampleRef({ id: 'c2', runId: 'run2' }) })]
    const metadata = sampleMetadata({}, { runs })
    const both = [sampleFact({ name: 'bot-bottle-web.prev-run1' }), sampleFact({ id: 'c2', runId: 'run2' })]
    expect(matchRuntime('web', ROOT_ID, metadata, both)?.id).toBe('c2')
    expect(matchRuntime('web', ROOT_ID, metadata, both.slice(0, 1))).toBeNull()
  })
})
