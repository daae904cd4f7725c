import { expect, test } from 'vitest'
import { later, thenUnlocked } from '../../../../src-main/bottles/hooks/after-lock.ts'
import type { OperationContext } from '../../../../src-main/bottles/services.ts'
import { bottleError } from '../../../../src-main/system/bottle-error.ts'

function scene() {
  const told: string[] = []
  const context: OperationContext = {
    signal: new AbortController().signal,
    progress: () => undefined,
    notice: (text) => told.push(text),
    confirm: async () => false,
  }
  return { told, context }
}

test('what waits for the lock is done after the operation, in order, whichever call put it there', async () => {
  const { told, context } = scene()
  const result = await thenUnlocked(context, async (held) => {
    await later(held, async () => void told.push('first'))
    await thenUnlocked(held, async (inner) => later(inner, async () => void told.push('second')))
    told.push('operation')
    return 7
  })
  expect(result).toBe(7)
  expect(told).toEqual(['operation', 'first', 'second'])
})

test('it is done after an operation that failed too, and its own failure is told and changes nothing', async () => {
  const { told, context } = scene()
  const failing = thenUnlocked(context, async (held) => {
    await later(held, () => Promise.reject(bottleError('timeout', 'A hook failed.')))
    await later(held, async () => void told.push('second'))
    throw bottleError('busy', 'The operation failed.')
  })
  await expect(failing).rejects.toMatchObject({ code: 'busy' })
  expect(told).toEqual(['A hook failed.', 'second'])
})

test('where no lock was said to be held it is done at once', async () => {
  const { told, context } = scene()
  await later(context, async () => void told.push('now'))
  expect(told).toEqual(['now'])
})
