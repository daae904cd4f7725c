import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRouter, type Handlers } from '../../../src-main/ipc/router.ts'
import { bottleError } from '../../../src-main/system/bottle-error.ts'
import { CALLS } from '../../../src-preload/contract/channels.ts'

function harness() {
  const reached: { call: string; args: unknown }[] = []
  const handlers = Object.fromEntries(
    CALLS.map((call) => [
      call,
      async (args: unknown) => {
        reached.push({ call, args })
        return null
      },
    ]),
  )
  return { reached, router: createRouter(handlers as unknown as Handlers) }
}

describe('createRouter', () => {
  test('parses arguments, fills in defaults and drops what the contract does not name', async () => {
    const { reached, router } = harness()
    const result = await router('bottle:destroy', { slug: 'web-1', extra: 'x' })
    expect(result.ok).toBe(true)
    expect(reached).toEqual([
      { call: 'bottle:destroy', args: { slug: 'web-1', freeze: false, purge: false } },
    ])
  })

  test.each([
    ['no such call', 'bottle:explode', {}, 'denied'],
    ['a name of the prototype', 'constructor', {}, 'denied'],
    ['a slug that leads out', 'bottle:freeze', { slug: '../x' }, 'invalid-slug'],
    ['a missing argument', 'trash:undo', {}, 'usage'],
    ['too many forks', 'bottle:fork', { slug: 'web-1', count: 51 }, 'usage'],
    ['a snapshot that is no id', 'bottle:resume', { slug: 'web-1', snapshot: '../../x' }, 'usage'],
    ['no arguments at all', 'bottle:stop', undefined, 'usage'],
  ])('refuses %s before any handler', async (_what, call, args, code) => {
    const { reached, router } = harness()
    const result = await router(call, args)
    expect(result).toMatchObject({ ok: false, error: { code } })
    expect(reached).toEqual([])
  })

  test('what a handler throws becomes a value, its own code kept', async () => {
    const handlers = {
      'state:snapshot': () => Promise.reject(bottleError('engine-down', 'Docker does not answer.')),
      'trash:list': () => {
        throw new TypeError('boom')
      },
    } as unknown as Handlers
    const router = createRouter(handlers)
    expect(await router('state:snapshot', {})).toMatchObject({
      ok: false,
      error: { code: 'engine-down', retryable: true },
    })
    expect(await router('trash:list', {})).toMatchObject({ ok: false, error: { code: 'internal' } })
  })

  test('whatever a page sends, the answer is a value', async () => {
    const { router } = harness()
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.constantFrom(...CALLS), fc.string()),
        fc.anything(),
        async (call, args) => {
          expect(typeof (await router(call, args)).ok).toBe('boolean')
        },
      ),
    )
  })
})
