import { mkdir, readdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { notifyChange, watchChanges } from '../../../src-main/state/changes.ts'
import { testRoot } from '../../support/test-root.ts'

describe('changes', () => {
  test('reach a watcher by slug, also when another program makes a bottle, until it leaves', async () => {
    const root = await testRoot()
    const stop = new AbortController()
    const heard: (string | null)[] = []
    const watching = watchChanges(root, (slug) => heard.push(slug), stop.signal)
    // The watch begins with a folder of its own.
    await vi.waitFor(async () => {
      notifyChange(root, 'web')
      expect(await readdir(root.path('icebox', 'changes'))).toContain('web')
      expect(heard).toContain('web')
    })
    await mkdir(root.path('state', 'made-elsewhere'))
    await vi.waitFor(() => expect(heard).toContain('made-elsewhere'))
    await mkdir(root.path('state', '.new-web-0123abcd'))
    await vi.waitFor(() => expect(heard).toContain(null))
    expect(heard).not.toContain('.new-web-0123abcd')
    stop.abort()
    await watching
  })

  test('the first change makes its folder', async () => {
    const root = await testRoot()
    notifyChange(root, 'web')
    await vi.waitFor(async () => expect(await readdir(root.path('icebox', 'changes'))).toEqual(['web']))
  })

  test('a state root that was removed does not come back', async () => {
    const root = await testRoot()
    await rm(root.dir, { recursive: true })
    notifyChange(root, 'web')
    // A change of another root, made later, tells that the first had its time.
    const other = await testRoot()
    notifyChange(other, 'web')
    await vi.waitFor(async () => expect(await readdir(other.path('icebox', 'changes'))).toEqual(['web']))
    expect(await readdir(dirname(root.dir))).toEqual([])
  })
})
