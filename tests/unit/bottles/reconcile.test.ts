import { describe, expect, test } from 'vitest'
import type { Inventory } from '../../../src-main/backends/backend.ts'
import { findOrphans, lostRecords } from '../../../src-main/bottles/reconcile.ts'
import { sampleSnapshot } from '../../support/samples.ts'

const EMPTY: Inventory = { containers: [], images: [], volumes: [], networks: [] }
const nobody = {
  runIds: new Set<string>(),
  references: new Set<string>(),
  volumes: new Set<string>(),
  slugs: new Set<string>(),
  doubtful: new Set<string>(),
}
const web = {
  runIds: new Set(['run1']),
  references: new Set(['img:1']),
  volumes: new Set(['kept']),
  slugs: new Set(['web']),
  doubtful: new Set<string>(),
}

const container = (id: string, runId: string | null) => ({ id, name: `n-${id}`, slug: 'web', runId })
const image = (reference: string, record: string | null = null, slug: string | null = 'web') => ({
  reference,
  slug,
  snapshotId: null,
  record,
})

describe('findOrphans', () => {
  test('names what no record names', () => {
    const inventory: Inventory = {
      containers: [container('c1', 'run1'), container('c2', 'lost')],
      images: [image('img:1'), image('img:2')],
      volumes: [
        { name: 'v1', slug: 'web', runId: 'run1' },
        { name: 'v2', slug: 'web', runId: 'lost' },
        { name: 'kept', slug: 'web', runId: 'lost' },
      ],
      networks: [
        { name: 'n1', slug: 'web', runId: 'run1' },
        { name: 'n2', slug: 'web', runId: 'lost' },
      ],
    }
    expect(findOrphans(inventory, web)).toEqual({
      containers: ['c2'],
      images: ['img:2'],
      volumes: ['v2'],
      networks: ['n2'],
    })
  })

  test('what carries no run is never one', () => {
    const inventory: Inventory = {
      ...EMPTY,
      containers: [container('c1', null)],
      volumes: [{ name: 'v1', slug: null, runId: null }],
      networks: [{ name: 'n1', slug: null, runId: null }],
    }
    expect(findOrphans(inventory, nobody)).toEqual({ containers: [], images: [], volumes: [], networks: [] })
  })
})

describe('lostRecords', () => {
  const lost = sampleSnapshot()
  const record = JSON.stringify(lost)

  test('rebuilds the record of a bottle that is there', () => {
    expect(lostRecords({ ...EMPTY, images: [image(lost.reference, record)] }, web)).toEqual([lost])
  })

  test.each([
    ['is recorded', image('img:1', JSON.stringify({ ...lost, reference: 'img:1' }))],
    ['has no record', image(lost.reference)],
    ['has a damaged record', image(lost.reference, record.slice(0, 40))],
    ['has a record of nothing', image(lost.reference, 'null')],
    ['belongs to a bottle that is gone', image(lost.reference, record, 'gone')],
    ['belongs to nobody', image(lost.reference, record, null)],
    ['has a slug that leads elsewhere', image(lost.reference, record, '../web')],
    ['has the record of another tag', image('copy:1', record)],
    [
      'has a record whose volume leads elsewhere',
      image(
        lost.reference,
        JSON.stringify({ ...lost, volumes: [{ destination: '/data', file: '../../../etc/passwd' }] }),
      ),
    ],
  ])('leaves an image that %s', (_what, found) => {
    expect(lostRecords({ ...EMPTY, images: [found] }, web)).toEqual([])
  })

  test('the slug is the image’s, whatever the record says', () => {
    const other = { ...lost, slug: '../../x' }
    const [rebuilt] = lostRecords({ ...EMPTY, images: [image(lost.reference, JSON.stringify(other))] }, web)
    expect(rebuilt?.slug).toBe('web')
  })
})
