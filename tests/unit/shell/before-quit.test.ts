import { EventEmitter } from 'node:events'
import { expect, test, vi } from 'vitest'
import { type Ending, guardQuit } from '../../../src-main/shell/before-quit.ts'

/** Electron's app as far as its end goes: every quit asks, and an unhindered one ends it. */
class App extends EventEmitter {
  hasEnded = false
  quit(): void {
    let isHindered = false
    this.emit('before-quit', {
      preventDefault() {
        isHindered = true
      },
    })
    if (!isHindered) this.hasEnded = true
  }
}

function scene(mayEnd: () => Promise<boolean>, close: () => Promise<void> = async () => {}) {
  const app = new App()
  const reports: unknown[] = []
  const closing = vi.fn(close)
  const ending = { quit: { mayEnd }, close: closing } as unknown as Ending
  guardQuit(
    app as never,
    () => Promise.resolve(ending),
    (error) => reports.push(error),
  )
  return { app, closing, reports }
}

test('ends after the question and after everything is closed', async () => {
  let closed = () => {}
  const { app, closing } = scene(
    async () => true,
    () => new Promise((resolve) => (closed = resolve)),
  )
  app.quit()
  await vi.waitFor(() => expect(closing).toHaveBeenCalledOnce())
  app.quit()
  app.quit()
  await new Promise(setImmediate)
  expect(app.hasEnded).toBe(false)
  closed()
  await vi.waitFor(() => expect(app.hasEnded).toBe(true))
  expect(closing).toHaveBeenCalledOnce()
})

test('two quits that may both end the app close it once', async () => {
  const { app, closing } = scene(async () => true)
  app.quit()
  app.quit()
  await vi.waitFor(() => expect(app.hasEnded).toBe(true))
  expect(closing).toHaveBeenCalledOnce()
})

test('stays when the person stays, and asks again the next time', async () => {
  const mayEnd = vi.fn(async () => false)
  const { app, closing } = scene(mayEnd)
  app.quit()
  await new Promise(setImmediate)
  app.quit()
  await new Promise(setImmediate)
  expect(mayEnd).toHaveBeenCalledTimes(2)
  expect(closing).not.toHaveBeenCalled()
  expect(app.hasEnded).toBe(false)
})

test('ends though something could not be closed, and says so', async () => {
  const { app, reports } = scene(
    async () => true,
    () => Promise.reject(new Error('stuck')),
  )
  app.quit()
  await vi.waitFor(() => expect(app.hasEnded).toBe(true))
  expect(reports).toHaveLength(1)
})

test('ends when nothing has started, or when the start failed', async () => {
  for (const running of [() => undefined, () => Promise.reject(new Error('no root'))]) {
    const app = new App()
    guardQuit(app as never, running, () => {})
    app.quit()
    await vi.waitFor(() => expect(app.hasEnded).toBe(true))
  }
})
