import { homedir } from 'node:os'
import { afterEach, expect, test, vi } from 'vitest'
import { createStateHub, type StateHub } from '../../../src-main/ipc/state-hub.ts'
import { createTaskQueue } from '../../../src-main/tasks/task-queue.ts'
import type { Bottle, StatePatch, StateSnapshot } from '../../../src-preload/contract/index.ts'
import { bottleRow } from '../../support/rows.ts'

const open: StateHub[] = []
afterEach(() => {
  for (const hub of open.splice(0)) hub.close()
})

/** The hub over an engine whose rows and changes the test decides. */
function harness(rows: Bottle[]) {
  const queue: (string | null)[] = []
  let wake = () => {}
  const counts = { lists: 0, probes: 0 }
  const engine = { rows, fails: false, isSlow: false }
  const warnings: unknown[] = []
  const tasks = createTaskQueue()
  const hub = createStateHub({
    bottles: {
      async list() {
        counts.lists += 1
        if (engine.isSlow) await new Promise(() => {})
        if (engine.fails) throw new Error('engine away')
        return structuredClone(engine.rows)
      },
      async rows(slugs) {
        counts.lists += 1
        if (engine.isSlow) await new Promise(() => {})
        if (engine.fails) throw new Error('engine away')
        const found = (slug: string) => engine.rows.find((row) => row.slug === slug) ?? null
        return new Map(slugs.map((slug) => [slug, structuredClone(found(slug))]))
      },
      trash: async () => [],
      engines: async () => {
        counts.probes += 1
        return []
      },
      snapshots: async () => [],
      async *watch(signal) {
        signal.addEventListener('abort', () => wake())
        while (!signal.aborted) {
          while (queue.length > 0) yield queue.shift() ?? null
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      },
    },
    tasks,
    home: homedir(),
    version: '0',
    warn: (error) => warnings.push(error),
  })
  open.push(hub)
  const change = (slug: string | null): void => {
    queue.push(slug)
    wake()
  }
  return { hub, tasks, engine, counts, change, warnings }
}

/** A page: a snapshot and what the patches made of it; throws on a gap. */
function page(snapshot: StateSnapshot) {
  const rows = new Map(snapshot.bottles.map((row) => [row.slug, row]))
  let revision = snapshot.revision
  return {
    rows,
    /** Rows that patches carried. */
    changed: [] as string[],
    apply(patch: StatePatch) {
      if (patch.revision <= revision) return
      if (patch.revision !== revision + 1) throw new Error(`gap ${revision} → ${patch.revision}`)
      revision = patch.revision
      for (const { entity, key, value } of patch.changes) {
        if (entity !== 'bottle') continue
        this.changed.push(key)
        if (value === null) rows.delete(key)
        else rows.set(key, value)
      }
    },
  }
}

test('the first snapshot holds the first list', async () => {
  const { hub } = harness([bottleRow('a')])
  expect((await hub.snapshot()).bottles.map((row) => row.slug)).toEqual(['a'])
})

test('an engine that hangs keeps the first snapshot back for 1.5 s only', async () => {
  const { hub, engine } = harness([])
  engine.isSlow = true
  const startedAt = performance.now()
  expect((await hub.snapshot()).bottles).toEqual([])
  expect(performance.now() - startedAt).toBeLessThan(3000)
})

test('a change reaches the page as a numbered patch of that row alone', async () => {
  const { hub, engine, change } = harness([bottleRow('a'), bottleRow('b')])
  const view = page(await hub.snapshot())
  hub.subscribe((patch) => view.apply(patch))
  engine.rows = [bottleRow('a'), bottleRow('b', { state: 'stopped' })]
  const untouched = view.rows.get('a')
  change('b')
  await vi.waitFor(() => expect(view.rows.get('b')?.state).toBe('stopped'))
  expect(view.changed).toEqual(['b'])
  expect(view.rows.get('a')).toBe(untouched)
})

test('five thousand events cost a few lists, and the page ends with the truth', async () => {
  const { hub, engine, change, counts } = harness([bottleRow('a')])
  const view = page(await hub.snapshot())
  hub.subscribe((patch) => view.apply(patch))
  await vi.waitFor(() => expect(counts.lists).toBe(1))
  for (let index = 0; index < 5000; index += 1) {
    engine.rows = [bottleRow('a', { snapshots: index })]
    change('a')
  }
  await vi.waitFor(() => expect(view.rows.get('a')?.snapshots).toBe(4999))
  expect(counts.lists).toBeLessThan(20)
})

test('nothing is listed while nobody looks, and the next page still gets the truth', async () => {
  const { hub, engine, change, counts } = harness([bottleRow('a')])
  await hub.snapshot()
  const before = counts.lists
  engine.rows = [bottleRow('b')]
  change('a')
  change('b')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(counts.lists).toBe(before)
  expect((await hub.snapshot()).bottles.map((row) => row.slug)).toEqual(['b'])
})

test('a list that fails keeps the last rows, tells it, and comes back', async () => {
  const { hub, engine, change, warnings } = harness([bottleRow('a')])
  const view = page(await hub.snapshot())
  hub.subscribe((patch) => view.apply(patch))
  engine.fails = true
  change('a')
  await vi.waitFor(() => expect(warnings).toHaveLength(1))
  expect((await hub.snapshot()).bottles).toHaveLength(1)
  engine.fails = false
  engine.rows = [bottleRow('a', { state: 'frozen' })]
  await vi.waitFor(() => expect(view.rows.get('a')?.state).toBe('frozen'), 3000)
})

test('a change that the list shows only later is not missed', async () => {
  const { hub, engine, change, counts } = harness([bottleRow('a'), bottleRow('b')])
  const view = page(await hub.snapshot())
  hub.subscribe((patch) => view.apply(patch))
  const before = counts.lists
  change('a')
  await vi.waitFor(() => expect(counts.lists).toBeGreaterThan(before + 1))
  engine.rows = [bottleRow('a', { state: 'paused' }), bottleRow('b')]
  await vi.waitFor(() => expect(view.rows.get('a')?.state).toBe('paused'))
  const settled = counts.lists
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(counts.lists).toBe(settled)
})

test('only a change of everything asks the engines again', async () => {
  const { hub, change, counts } = harness([bottleRow('a')])
  await hub.snapshot()
  hub.subscribe(() => {})
  const { lists, probes } = counts
  change('a')
  await vi.waitFor(() => expect(counts.lists).toBeGreaterThan(lists))
  expect(counts.probes).toBe(probes)
  change(null)
  await vi.waitFor(() => expect(counts.probes).toBe(probes + 1), 5000)
})

test('tasks are part of the state', async () => {
  const { hub, tasks } = harness([])
  const seen: StatePatch[] = []
  await hub.snapshot()
  hub.subscribe((patch) => seen.push(patch))
  const id = tasks.start('freeze', 'a', async () => 'Froze a.')
  await vi.waitFor(() =>
    expect(seen.flatMap((patch) => patch.changes)).toContainEqual(
      expect.objectContaining({ entity: 'task', key: id, value: expect.objectContaining({ state: 'done' }) }),
    ),
  )
})

test('a page that comes back after a change is answered at once', async () => {
  const { hub, change } = harness([bottleRow('a')])
  await hub.snapshot()
  change(null)
  await vi.waitFor(() => hub.snapshot())
  const startedAt = performance.now()
  change(null)
  await hub.snapshot()
  expect(performance.now() - startedAt).toBeLessThan(500)
})
