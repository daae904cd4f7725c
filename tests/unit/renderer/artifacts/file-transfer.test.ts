import { beforeEach, describe, expect, test } from 'vitest'
import type { Task } from '../../../../src-preload/contract/entities.ts'
import { failure } from '../../../../src-preload/contract/errors.ts'
import type { IceboxBridge } from '../../../../src-preload/contract/wire.ts'
import {
  createFileTransfer,
  type FileTransfer,
  type Outgoing,
} from '../../../../src-renderer/artifacts/file-transfer.ts'
import { createStore } from '../../../../src-renderer/state/create-store.ts'
import { emptyModel } from '../../../../src-renderer/state/model.ts'
import { initialView } from '../../../../src-renderer/state/view.ts'
import { createToastStore } from '../../../../src-renderer/tasks/toast-store.ts'

const FINDING = { where: 'file', name: '/x', rule: 'npm token', inBase: false } as const
const ANSWERS: Readonly<Record<string, unknown>> = {
  'artifact:export': { taskId: 't1', slug: 'web' },
  'artifact:push': { taskId: 't2', slug: 'web' },
  'artifact:search-secrets': [FINDING],
  'artifact:download': { url: '/download/k', fileName: 'web.bottle', bytes: 3 },
  'task:dismiss': {},
}
const outgoing: Outgoing = {
  kind: 'export',
  args: { slug: 'web', snapshot: '20261121T061500Z-a001', compression: 'gzip', thin: false },
}
const task = (change: Partial<Task>): Task => ({
  id: 't1',
  kind: 'export',
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

let calls: { call: string; args: unknown }[]
let saved: string[]
let transfer: FileTransfer
let view: ReturnType<typeof createStore<typeof initialView>>
let toasts: ReturnType<typeof createToastStore>
let failing: string | null

beforeEach(() => {
  calls = []
  saved = []
  failing = null
  view = createStore(initialView)
  toasts = createToastStore()
  const bridge = {
    async call(call: string, args: unknown) {
      calls.push({ call, args })
      if (call === failing) return { ok: false, error: failure('not-found') }
      return { ok: true, value: ANSWERS[call] }
    },
  } as unknown as IceboxBridge
  const save = (url: string, name: string) => void saved.push(`${url} ${name}`)
  transfer = make(bridge, save)
})

const make = (bridge: IceboxBridge, save: (url: string, name: string) => void, isLookedAt = true) =>
  createFileTransfer({
    bridge,
    model: createStore(emptyModel),
    view,
    toasts,
    save,
    pick: () => saved.push('picked'),
    isLookedAt: () => isLookedAt,
  })

const secretsFound = task({ state: 'failed', error: failure('secrets-found') })

describe('an export', () => {
  test('is saved once its task is done, by the page that asked for it only', async () => {
    expect(transfer.ended(task({}))).toBe(false)
    expect(saved).toEqual([])
    await transfer.send(outgoing)
    expect(transfer.ended(task({}))).toBe(false)
    await expect.poll(() => saved).toEqual(['/download/k web.bottle'])
    transfer.ended(task({}))
    expect(saved).toHaveLength(1)
  })

  test('tells when the file is gone', async () => {
    failing = 'artifact:download'
    await transfer.download('t1')
    expect(saved).toEqual([])
    expect(toasts.store.get()).toMatchObject([{ tone: 'bad' }])
  })

  test('with secrets asks, and is asked for again with the answer', async () => {
    await transfer.send(outgoing)
    expect(transfer.ended(secretsFound)).toBe(true)
    await expect
      .poll(() => view.get().overlay)
      .toMatchObject({ kind: 'secrets', outgoing, findings: [FINDING] })
    await transfer.sendScrubbed(outgoing, 'strip')
    expect(calls.at(-1)).toMatchObject({ call: 'artifact:export', args: { slug: 'web', scrub: 'strip' } })
  })

  test('never tears another dialog away', async () => {
    view.update((now) => ({ ...now, overlay: { kind: 'new' } }))
    await transfer.send(outgoing)
    transfer.ended(secretsFound)
    await expect.poll(() => toasts.store.get().length).toBe(1)
    expect(view.get().overlay).toEqual({ kind: 'new' })
    toasts.store.get()[0]?.actions[0]?.run()
    expect(view.get().overlay).toMatchObject({ kind: 'secrets' })
  })

  test('that was refused at once leaves nothing to wait for', async () => {
    failing = 'artifact:export'
    expect(await transfer.send(outgoing)).toMatchObject({ ok: false })
    transfer.ended(task({}))
    expect(calls.map(({ call }) => call)).toEqual(['artifact:export'])
  })
})

describe('on the desktop', () => {
  const started = { ok: true, value: { taskIds: ['i1', 'i2'] } } as const
  const desktopBridge = (answer: unknown = { ok: true, value: { isSaved: true } }) =>
    ({
      call: async (call: string) => ({ ok: true, value: ANSWERS[call] }),
      desktop: {
        saveExport: async (taskId: string) => {
          saved.push(taskId)
          return answer
        },
        importFiles: async () => started,
        pickImports: async () => started,
      },
    }) as unknown as IceboxBridge
  const nothing = () => undefined

  test('a finished export asks where to save it, by its task', async () => {
    transfer = make(desktopBridge(), nothing)
    await transfer.send(outgoing)
    expect(transfer.ended(task({}))).toBe(true)
    await expect.poll(() => toasts.store.get()).toMatchObject([{ tone: 'good' }])
    expect(saved).toEqual(['t1'])
  })

  test('nobody is asked while they look elsewhere, or are in a dialog', async () => {
    transfer = make(desktopBridge(), nothing, false)
    await transfer.send(outgoing)
    expect(transfer.ended(task({}))).toBe(false)
    transfer = make(desktopBridge(), nothing)
    view.update((now) => ({ ...now, overlay: { kind: 'new' } }))
    await transfer.send(outgoing)
    expect(transfer.ended(task({}))).toBe(false)
    expect(saved).toEqual([])
  })

  test('a save that failed is told, one that was cancelled is not', async () => {
    const error = failure('disk-full', 'There is not enough room for it.')
    await make(desktopBridge({ ok: false, error }), nothing).download('t1')
    expect(toasts.store.get()).toMatchObject([{ tone: 'bad', text: error.message }])
    await make(desktopBridge({ ok: true, value: { isSaved: false } }), nothing).download('t1')
    expect(toasts.store.get()).toHaveLength(1)
  })

  test('dropped and picked files go to main, and the sheet shows their tasks', async () => {
    transfer = make(desktopBridge(), nothing)
    await transfer.importFiles([new File(['ab'], 'a.bottle'), new File(['c'], 'b.bottle')])
    expect(view.get().overlay).toEqual({
      kind: 'imports',
      files: [
        { taskId: 'i1', name: 'a.bottle', bytes: 2 },
        { taskId: 'i2', name: 'b.bottle', bytes: 1 },
      ],
    })
    await transfer.pickImports()
    expect(view.get().overlay).toMatchObject({ files: { length: 4 } })
  })
})

test('a browser picks by itself', async () => {
  await transfer.pickImports()
  expect(saved).toEqual(['picked'])
})
