import { beforeEach, describe, expect, test } from 'vitest'
import type { Task } from '../../../../src-preload/contract/entities.ts'
import { failure } from '../../../../src-preload/contract/errors.ts'
import type { IceboxBridge } from '../../../../src-preload/contract/wire.ts'
import { afterTask, downloadUrl } from '../../../../src-renderer/artifacts/drag-items.ts'
import { createDragOut, type DragOut } from '../../../../src-renderer/artifacts/drag-out.ts'
import { createStore } from '../../../../src-renderer/state/create-store.ts'
import { emptyModel } from '../../../../src-renderer/state/model.ts'
import { initialView } from '../../../../src-renderer/state/view.ts'
import { createToastStore } from '../../../../src-renderer/tasks/toast-store.ts'

const A = { slug: 'web', snapshot: '20261121T061500Z-a001' }
const B = { slug: 'api', snapshot: '20261121T061500Z-a002' }
const KEY = 'web@20261121T061500Z-a001'
const task = (change: Partial<Task>): Task => ({
  id: 't1',
  kind: 'prepare',
  slug: 'web',
  state: 'done',
  progress: null,
  question: null,
  startedAt: '',
  endedAt: '',
  error: null,
  message: null,
  ...change,
})
const ready = (token: string) => ({ state: 'ready', token, fileName: `${token}.bottle`, bytes: 3 })

let calls: { call: string; args: unknown }[]
let answers: Record<string, unknown>
let dragged: (readonly string[])[]
let toasts: ReturnType<typeof createToastStore>
let view: ReturnType<typeof createStore<typeof initialView>>
let model: ReturnType<typeof createStore<typeof emptyModel>>

function make(isDesktop: boolean): DragOut {
  const bridge = {
    async call(call: string, args: { readonly slug?: string }) {
      calls.push({ call, args })
      const found = answers[`${call} ${args.slug}`] ?? answers[call]
      return found instanceof Error
        ? { ok: false, error: failure('disk-full', found.message) }
        : { ok: true, value: found ?? {} }
    },
    ...(isDesktop ? { desktop: { startDrag: (tokens: readonly string[]) => dragged.push(tokens) } } : {}),
  } as unknown as IceboxBridge
  return createDragOut({ bridge, model, view, toasts, origin: 'http://127.0.0.1:1' })
}
function begin() {
  const data: Record<string, string> = {}
  const event = {
    isPrevented: false,
    preventDefault: () => {
      event.isPrevented = true
    },
    dataTransfer: {
      effectAllowed: 'none' as DataTransfer['effectAllowed'],
      setData: (type: string, value: string) => {
        data[type] = value
      },
    },
    data,
  }
  return event
}
const stateOf = (drag: DragOut) => drag.items.get().get(KEY)?.state
const titles = () => toasts.store.get().map(({ title }) => title)

beforeEach(() => {
  calls = []
  dragged = []
  answers = { 'artifact:prepare': { state: 'preparing', taskId: 't1' } }
  toasts = createToastStore()
  view = createStore(initialView)
  model = createStore(emptyModel)
})

describe('a snapshot', () => {
  test('goes from cold over preparing to ready, without a word', async () => {
    const drag = make(true)
    drag.approach(A)
    await expect.poll(() => drag.items.get().get(KEY)).toEqual({ state: 'preparing', taskId: 't1' })
    model.set({ ...emptyModel, tasks: new Map([['t1', task({ state: 'running' })]]) })
    drag.approach(A)
    expect(calls).toHaveLength(1)
    answers['artifact:prepare'] = ready('k1')
    expect(drag.ended(task({}))).toBe(true)
    await expect.poll(() => stateOf(drag)).toBe('ready')
    expect(titles()).toEqual([])
    expect(calls.map(({ call }) => call)).toContain('task:dismiss')
  })

  test('that is ready is handed over by its token, and nothing else', async () => {
    answers['artifact:prepare'] = ready('k1')
    const drag = make(true)
    drag.approach(A)
    await expect.poll(() => stateOf(drag)).toBe('ready')
    const event = begin()
    drag.start(event, [A])
    expect(event.isPrevented).toBe(true)
    expect(dragged).toEqual([['k1']])
    expect(event.data).toEqual({})
  })

  test('that is cold is prepared when it is dragged, which is said, and its end too', async () => {
    const drag = make(true)
    const event = begin()
    drag.start(event, [A])
    expect(event.isPrevented).toBe(true)
    expect(dragged).toEqual([])
    await expect.poll(() => stateOf(drag)).toBe('preparing')
    expect(titles()).toEqual(['web is being made ready'])
    await expect.poll(() => drag.items.get().get(KEY)).toEqual({ state: 'preparing', taskId: 't1' })
    answers['artifact:prepare'] = ready('k1')
    drag.ended(task({}))
    await expect.poll(titles).toContain('web can be dragged now')
  })

  test('that failed says why only to who wanted it', async () => {
    answers['artifact:prepare'] = new Error('No room.')
    const drag = make(true)
    drag.approach(A)
    await expect.poll(() => stateOf(drag)).toBe('failed')
    expect(titles()).toEqual([])
    drag.start(begin(), [A])
    await expect.poll(() => toasts.store.get()).toContainEqual(expect.objectContaining({ text: 'No room.' }))
  })

  test('of several only all together are dragged', async () => {
    answers['artifact:prepare web'] = ready('k1')
    const drag = make(true)
    drag.approach(A)
    await expect.poll(() => stateOf(drag)).toBe('ready')
    drag.start(begin(), [A, B])
    expect(dragged).toEqual([])
    answers['artifact:prepare api'] = ready('k2')
    await expect.poll(() => drag.items.get().size).toBe(2)
    await expect.poll(() => [...drag.items.get().values()].at(-1)).toMatchObject({ taskId: 't1' })
    drag.ended(task({}))
    await expect.poll(() => [...drag.items.get().values()].every(({ state }) => state === 'ready')).toBe(true)
    drag.start(begin(), [A, B])
    expect(dragged).toEqual([['k1', 'k2']])
  })

  test('that main refuses is cold again, and prepared anew', async () => {
    answers['artifact:prepare'] = ready('k1')
    const drag = make(true)
    drag.approach(A)
    await expect.poll(() => stateOf(drag)).toBe('ready')
    answers['artifact:prepare'] = { state: 'preparing', taskId: 't2' }
    drag.refused(['other', 'k1'])
    await expect.poll(() => stateOf(drag)).toBe('preparing')
    expect(titles()).toEqual(['web is being made ready'])
  })
})

describe('secrets', () => {
  const found = task({ state: 'failed', error: failure('secrets-found') })

  test('that a hover finds open no dialog; the drag does, and its answer is remembered', async () => {
    answers['artifact:search-secrets'] = []
    const drag = make(true)
    drag.approach(A)
    await expect.poll(() => drag.items.get().get(KEY)).toMatchObject({ taskId: 't1' })
    drag.ended(found)
    expect(stateOf(drag)).toBe('choice')
    expect(view.get().overlay).toBeNull()
    drag.approach(A)
    expect(calls.filter(({ call }) => call === 'artifact:prepare')).toHaveLength(1)
    drag.start(begin(), [A])
    await expect.poll(() => view.get().overlay).toMatchObject({ kind: 'secrets', outgoing: { args: A } })
    drag.choose(A, 'keep')
    await expect.poll(() => calls.at(-1)).toMatchObject({ args: { ...A, scrub: 'keep' } })
    expect(dragged).toEqual([])
  })

  test('a page that did not choose never asks for a copy that keeps them', async () => {
    const drag = make(true)
    drag.approach(A)
    await expect.poll(() => calls).toEqual([{ call: 'artifact:prepare', args: A }])
  })
})

describe('in a browser', () => {
  test('the drag carries an address of this page’s own origin', async () => {
    answers['artifact:prepare'] = ready('k1')
    answers['artifact:drag-link'] = { url: '/download/key', fileName: 'k1.bottle', bytes: 3 }
    const drag = make(false)
    drag.approach(A)
    await expect.poll(() => drag.items.get().get(KEY)).toMatchObject({ link: '/download/key' })
    const event = begin()
    drag.start(event, [A])
    expect(event.isPrevented).toBe(false)
    expect(event.data).toEqual({
      DownloadURL: 'application/octet-stream:k1.bottle:http://127.0.0.1:1/download/key',
    })
  })
  test('a colon in the name does not end it', () => {
    expect(downloadUrl('a:b.bottle', '/d', 'http://x')).toBe('application/octet-stream:a_b.bottle:http://x/d')
  })
})

describe('the end of a task', () => {
  const items = new Map([[KEY, { state: 'preparing', taskId: 't1' } as const]])
  test.each([
    [task({ id: 'other' }), { state: 'preparing', taskId: 't1' }],
    [task({}), { state: 'preparing', taskId: null }],
    [task({ state: 'cancelled', error: failure('cancelled') }), { state: 'cold' }],
    [task({ state: 'failed', error: failure('secrets-found') }), { state: 'choice' }],
    [
      task({ state: 'failed', error: failure('engine-down') }),
      { state: 'failed', failure: failure('engine-down') },
    ],
  ])('%#', (ended, item) => expect(afterTask(items, ended).get(KEY)).toEqual(item))

  test('of another kind is not its business', () => {
    expect(make(true).ended(task({ kind: 'export' }))).toBe(false)
  })
})
