import { expect, test } from 'vitest'
import { stopEach } from '../../../src-main/cli/commands/stop.ts'
import { bottleError } from '../../../src-main/system/bottle-error.ts'

const SLUGS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

function stopper(failing: string) {
  const tried: string[] = []
  return {
    tried,
    stop: async (slug: string) => {
      tried.push(slug)
      if (slug === failing) throw bottleError('engine-down', 'The engine is away.')
      return `stopped ${slug}`
    },
  }
}

test('each bottle has a row, in order', async () => {
  const { stop } = stopper('')
  const rows = await stopEach(SLUGS, false, stop)
  expect(rows).toEqual(SLUGS.map((slug) => ({ slug, ok: true, message: `stopped ${slug}` })))
})

test('without force nothing more is begun after a failure, and each that was not tried says so', async () => {
  const { stop, tried } = stopper('a')
  const rows = await stopEach(SLUGS, false, stop)
  expect(rows.map(({ slug }) => slug)).toEqual(SLUGS)
  expect(rows[0]).toEqual({ slug: 'a', ok: false, message: 'The engine is away.' })
  expect(tried).not.toContain('h')
  expect(rows.at(-1)).toMatchObject({ ok: false, message: expect.stringMatching(/^Not tried/) })
  for (const { slug, ok } of rows) if (!tried.includes(slug)) expect(ok).toBe(false)
})

test('with force all are tried', async () => {
  const { stop, tried } = stopper('a')
  const rows = await stopEach(SLUGS, true, stop)
  expect(tried).toEqual(SLUGS)
  expect(rows.filter(({ ok }) => !ok)).toHaveLength(1)
})
