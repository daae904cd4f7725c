import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  isSlug,
  numberedSlug,
  randomSlug,
  requireSlug,
  SLUG_MAX,
  slugify,
} from '../../../src-main/state/slug.ts'
import { isBottleError } from '../../../src-main/system/bottle-error.ts'

const anyText = fc.oneof(fc.string({ maxLength: 200 }), fc.string({ unit: 'binary', maxLength: 200 }))
const goodSlug = anyText.map(slugify).filter((slug) => slug !== '')

describe('slugify', () => {
  test('gives a valid slug of at most 52 characters, or nothing', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const slug = slugify(text)
        expect(slug.length).toBeLessThanOrEqual(SLUG_MAX)
        if (slug !== '') expect(slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
        expect(slugify(slug)).toBe(slug)
      }),
    )
  })

  test.each([
    ['Fix the Login!', 'fix-the-login'],
    ['  --Web__1--  ', 'web-1'],
    ['Grüße', 'gr-e'],
    ['日本語', ''],
    ['…', ''],
    ['', ''],
    [`${'a'.repeat(51)}-b`, 'a'.repeat(51)],
    ['../etc/passwd', 'etc-passwd'],
  ])('%j becomes %j', (text, slug) => {
    expect(slugify(text)).toBe(slug)
  })
})

describe('numberedSlug', () => {
  test('fits and stays valid for any number', () => {
    fc.assert(
      fc.property(goodSlug, fc.integer({ min: 2, max: 1_000_000 }), (base, n) => {
        const slug = numberedSlug(base, n)
        expect(isSlug(slug)).toBe(true)
        expect(slug.length).toBeLessThanOrEqual(SLUG_MAX)
        expect(slug.endsWith(`-${n}`)).toBe(true)
      }),
    )
  })

  test('the first is the base itself', () => {
    expect(numberedSlug('web', 1)).toBe('web')
    expect(numberedSlug('web', 2)).toBe('web-2')
  })

  test('a base that is cut at a hyphen keeps single hyphens', () => {
    const base = `${'a'.repeat(48)}-bcd`
    expect(numberedSlug(base, 10)).toBe(`${'a'.repeat(48)}-10`)
  })
})

describe('randomSlug', () => {
  test('is valid and fits for any agent name', () => {
    fc.assert(
      fc.property(anyText, (name) => {
        const slug = randomSlug(name)
        expect(isSlug(slug)).toBe(true)
        expect(slug.length).toBeLessThanOrEqual(SLUG_MAX)
      }),
    )
  })

  test('differs from call to call and keeps the name', () => {
    const slugs = new Set(Array.from({ length: 50 }, () => randomSlug('reviewer')))
    expect(slugs.size).toBe(50)
    for (const slug of slugs) expect(slug).toMatch(/^reviewer-[0-9a-z]{5}$/)
    expect(randomSlug('日本')).toMatch(/^bottle-[0-9a-z]{5}$/)
  })
})

describe('requireSlug', () => {
  const bad = [
    '',
    '../x',
    '/etc',
    'a/b',
    'a\n',
    '\na',
    'a\0',
    'Web',
    'ä',
    '-a',
    'a-',
    'a--b',
    '.',
    '..',
    'a b',
    'a.b',
  ]
  test.each(bad)('refuses %j', (text) => {
    expect(() => requireSlug(text)).toThrow(expect.objectContaining({ code: 'invalid-slug' }))
  })

  test('names a long one in short', () => {
    try {
      requireSlug('x/'.repeat(5000))
      expect.unreachable()
    } catch (thrown) {
      expect(isBottleError(thrown) && thrown.message.length).toBeLessThan(300)
    }
  })

  test('refuses what is no text, as plain JavaScript may pass it', () => {
    for (const value of [undefined, null, 7, {}, ['web']]) {
      expect(() => requireSlug(value as never)).toThrow(expect.objectContaining({ code: 'invalid-slug' }))
    }
  })

  test('reads legacy ones up to what a file name can hold', () => {
    expect(requireSlug('a'.repeat(200))).toHaveLength(200)
    expect(() => requireSlug('a'.repeat(201))).toThrow()
  })

  test('lets nothing through that could leave a folder', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        if (isSlug(text)) expect(text).not.toMatch(/[^a-z0-9-]/)
        else expect(() => requireSlug(text)).toThrow()
      }),
    )
  })
})
