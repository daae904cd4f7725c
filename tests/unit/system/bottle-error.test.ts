import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import {
  BottleError,
  bottleError,
  isBottleError,
  toBottleError,
  toFailure,
} from '../../../src-main/system/bottle-error.ts'

const systemError = (code: string) => Object.assign(new Error(`${code}: no`), { code, path: '/a/b' })

describe('toFailure', () => {
  test.each([
    ['ENOSPC', 'disk-full'],
    ['EDQUOT', 'disk-full'],
    ['EACCES', 'permission'],
    ['EPERM', 'permission'],
    ['EROFS', 'permission'],
    ['EIO', 'internal'],
  ])('%s is %s', (code, expected) => {
    const failed = toFailure(systemError(code), 'web')
    expect(failed).toMatchObject({ code: expected, slug: 'web' })
    if (expected !== 'internal') expect(failed.message).toContain('/a/b')
  })

  test('an abort is cancelled, a signal’s time-out is timeout', async () => {
    const aborted = await readFile('/dev/null', { signal: AbortSignal.abort() }).catch((error) => error)
    expect(toFailure(aborted).code).toBe('cancelled')
    expect(toFailure(AbortSignal.abort().reason).code).toBe('cancelled')
    expect(toFailure(new DOMException('late', 'TimeoutError'))).toMatchObject({
      code: 'timeout',
      retryable: true,
    })
  })

  test.each([undefined, null, 'text', 7, {}])('%j thrown is internal, not a crash', (thrown) => {
    expect(toFailure(thrown)).toMatchObject({ code: 'internal', retryable: false })
  })

  test('keeps code, sentence, slug and exit code of our own', () => {
    const thrown = bottleError('agent-exited', 'It ended.', { slug: 'web', exitCode: 7, detail: 'tail' })
    expect(toFailure(thrown, 'other')).toEqual({
      code: 'agent-exited',
      message: 'It ended.',
      detail: 'tail',
      slug: 'web',
      exitCode: 7,
      retryable: false,
    })
    expect(toFailure(bottleError('busy'))).not.toHaveProperty('exitCode')
  })
})

describe('BottleError', () => {
  test('is an Error with an exit code of 1 unless the agent had another', () => {
    expect(bottleError('busy')).toBeInstanceOf(Error)
    expect(bottleError('busy').exitCode).toBe(1)
    expect(bottleError('agent-exited', 'x', { exitCode: 0 }).exitCode).toBe(0)
    const cause = new Error('inner')
    expect(bottleError('internal', 'x', { cause }).cause).toBe(cause)
  })

  test('is known by its brand across copies of the module, and by nothing less', () => {
    expect(isBottleError(new BottleError({ code: 'busy', message: 'x', retryable: true }))).toBe(true)
    for (const value of [null, undefined, 'busy', { code: 'busy' }, new Error('x')]) {
      expect(isBottleError(value)).toBe(false)
    }
  })

  test('gets the slug that it lacked, once', () => {
    const thrown = bottleError('busy')
    const named = toBottleError(thrown, 'web')
    expect(named).toMatchObject({ code: 'busy', slug: 'web', cause: thrown })
    expect(toBottleError(named, 'other')).toBe(named)
    expect(toBottleError(systemError('ENOSPC'), 'web')).toMatchObject({ code: 'disk-full', slug: 'web' })
  })
})
