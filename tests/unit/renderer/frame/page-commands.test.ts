import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { PageCommand } from '../../../../src-preload/contract/desktop.ts'
import { runPageCommand } from '../../../../src-renderer/frame/page-commands.ts'
import type { App } from '../../../../src-renderer/state/app.ts'
import { createStore } from '../../../../src-renderer/state/create-store.ts'
import { emptyModel, modelOf } from '../../../../src-renderer/state/model.ts'
import { initialView } from '../../../../src-renderer/state/view.ts'
import { bottle, state } from '../../../support/renderer-rows.ts'

const operations = { freeze: vi.fn(), resume: vi.fn() }
const pickImports = vi.fn()
const refused = vi.fn()
let app: App

beforeEach(() => {
  vi.clearAllMocks()
  vi.stubGlobal('requestAnimationFrame', vi.fn())
  app = {
    view: createStore({ ...initialView, current: 'web' }),
    model: createStore(
      modelOf(
        state(1, [bottle('web'), bottle('db', { state: 'frozen', currentSnapshot: 's1' })]),
        emptyModel,
      ),
    ),
    asked: createStore(new Map()),
    operations,
    transfer: { pickImports },
    drag: { refused },
  } as unknown as App
})

afterEach(() => vi.unstubAllGlobals())

const run = (command: PageCommand) => runPageCommand(app, command)
const view = () => app.view.get()

test('sheets and lists are laid over the window', () => {
  run({ id: 'new-bottle' })
  expect(view().overlay).toEqual({ kind: 'new' })
})

test('what is only looked at makes way, what is being filled in does not', () => {
  run({ id: 'palette' })
  run({ id: 'shortcuts' })
  expect(view().overlay).toEqual({ kind: 'shortcuts' })
  run({ id: 'new-bottle' })
  run({ id: 'palette' })
  run({ id: 'verb', verb: 'destroy' })
  run({ id: 'import' })
  expect(view().overlay).toEqual({ kind: 'new' })
  expect(pickImports).not.toHaveBeenCalled()
})

test('below a dialog another section may be shown', () => {
  run({ id: 'verb', verb: 'fork' })
  run({ id: 'settings' })
  expect(view()).toMatchObject({ section: 'settings', overlay: { kind: 'fork', slug: 'web' } })
  run({ id: 'section', section: 'trash' })
  expect(view().section).toBe('trash')
})

test('a verb goes to the bottle that is shown, once', () => {
  run({ id: 'verb', verb: 'freeze' })
  expect(operations.freeze).toHaveBeenCalledExactlyOnceWith('web')
  app.asked.set(new Map([['web', 'freeze']]))
  run({ id: 'verb', verb: 'freeze' })
  expect(operations.freeze).toHaveBeenCalledTimes(1)
})

test('a verb that does not apply, or with no bottle in sight, does nothing', () => {
  app.view.update((now) => ({ ...now, current: 'db' }))
  run({ id: 'verb', verb: 'freeze' })
  app.view.update((now) => ({ ...now, current: 'web', section: 'settings', selected: new Set(['web']) }))
  run({ id: 'verb', verb: 'freeze' })
  run({ id: 'verb', verb: 'destroy' })
  expect(operations.freeze).not.toHaveBeenCalled()
  expect(view().overlay).toBeNull()
})

test('resume goes on with what rests and opens what runs', () => {
  run({ id: 'verb', verb: 'resume' })
  expect(view()).toMatchObject({ detailTab: 'terminal', isTerminalWanted: true })
  app.view.update((now) => ({ ...now, current: 'db' }))
  run({ id: 'verb', verb: 'resume' })
  expect(operations.resume).toHaveBeenCalledWith('db')
})

test('ticked bottles are destroyed together, after a question', () => {
  app.view.update((now) => ({ ...now, selected: new Set(['web', 'db']) }))
  run({ id: 'verb', verb: 'destroy' })
  expect(view().overlay).toEqual({ kind: 'destroy', slugs: ['web', 'db'] })
})

test('a bottle that the filters hide is shown in its list', () => {
  app.view.update((now) => ({ ...now, section: 'trash', tab: 'running', query: 'web', isDetailOpen: false }))
  run({ id: 'show-bottle', slug: 'db', tab: 'logs' })
  expect(view()).toMatchObject({
    section: 'bottles',
    current: 'db',
    detailTab: 'logs',
    isDetailOpen: true,
    tab: 'all',
    query: '',
  })
})

test('filters that show the bottle stay', () => {
  app.view.update((now) => ({ ...now, tab: 'frozen' }))
  run({ id: 'show-bottle', slug: 'db', tab: 'overview' })
  expect(view()).toMatchObject({ current: 'db', tab: 'frozen' })
})

test('what the page does not know is left alone', () => {
  const before = view()
  run({ id: 'show-bottle', slug: 'gone', tab: 'logs' })
  run({ id: 'show-bottle', slug: 'web', tab: 'files' as never })
  run({ id: 'section', section: '__proto__' })
  run({ id: 'later' } as never)
  expect(view()).toEqual(before)
})

test('files are asked for, and a drag without a file is told', () => {
  run({ id: 'import' })
  expect(pickImports).toHaveBeenCalled()
  run({ id: 'drag-refused', tokens: ['a'] })
  expect(refused).toHaveBeenCalledWith(['a'])
})

test('an empty window takes commands too', () => {
  app.model.set(emptyModel)
  run({ id: 'verb', verb: 'destroy' })
  run({ id: 'find' })
  expect(view()).toMatchObject({ section: 'bottles', isSearchOpen: true })
})
