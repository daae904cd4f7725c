import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  likelySlug,
  reserveSlug,
  type SlugWish,
  slugCandidates,
} from '../../../src-main/bottles/reserve-slug.ts'
import { lockHolder, takeLock } from '../../../src-main/state/lock.ts'
import type { StateRoot } from '../../../src-main/state/root.ts'
import { moveToTrash } from '../../../src-main/state/trash.ts'
import { testRoot } from '../../support/test-root.ts'

const MODULES = join(import.meta.dirname, '../../../src-main')
const FREE: Parameters<typeof reserveSlug>[2] = { isNameTaken: async () => false }
const wish = (over: Partial<SlugWish> = {}): SlugWish => ({
  label: 'Web',
  agentName: 'reviewer',
  mayNumber: true,
  ...over,
})
const files = async (slug: string) => ({ 'metadata.json': `{"identity":"${slug}"}`, 'intent.json': '{}' })
const never = new AbortController().signal

const reserve = (root: StateRoot, over: Partial<SlugWish> = {}, backend = FREE) =>
  reserveSlug(root, wish(over), backend, files, never)

describe('slugCandidates', () => {
  test('the label, then the label with numbers', () => {
    expect([...slugCandidates(wish())].slice(0, 3)).toEqual(['web', 'web-2', 'web-3'])
    expect([...slugCandidates(wish({ mayNumber: false }))]).toEqual(['web'])
  })

  test.each([null, '', '日本語', '---'])('the agent’s name and random letters for the label %j', (label) => {
    const [first, second] = slugCandidates(wish({ label, mayNumber: false }))
    expect(first).toMatch(/^reviewer-[0-9a-z]{5}$/)
    expect(second).not.toBe(first)
  })
})

describe('reserveSlug', () => {
  test('puts the whole folder in place and holds the lock until it is released', async () => {
    const root = await testRoot()
    const { slug, release } = await reserve(root)
    expect(slug).toBe('web')
    const names = (await readdir(root.path('state', 'web'))).sort()
    expect(names).toEqual(['.preserve', 'intent.json', 'metadata.json'])
    expect(await readFile(root.path('state', 'web', 'metadata.json'), 'utf8')).toBe('{"identity":"web"}')
    expect(await readFile(root.path('state', 'web', '.preserve'), 'utf8')).toBe('')
    expect(await lockHolder(root, 'web')).toMatchObject({ operation: 'start' })
    await release()
    expect(await lockHolder(root, 'web')).toBeNull()
    expect(await readdir(root.path('state'))).toEqual(['web'])
  })

  test('passes by folders, the trash, engine names and locked names', async () => {
    const root = await testRoot()
    await mkdir(root.path('state', 'web'))
    await mkdir(root.path('state', 'web-2'))
    await moveToTrash(root, 'web-2', new Date())
    const unlock = await takeLock(root, 'web-3', { operation: 'undo' })
    const asked: string[] = []
    const isNameTaken = async (name: string) => {
      asked.push(name)
      return name === 'bot-bottle-web-4'
    }
    const { slug, release } = await reserve(root, {}, { isNameTaken })
    expect(slug).toBe('web-5')
    expect(asked).toEqual(['bot-bottle-web-3', 'bot-bottle-web-4', 'bot-bottle-web-5'])
    await release()
    await unlock()
  })

  test('a file of that name is in the way too, and stays', async () => {
    const root = await testRoot()
    await writeFile(root.path('state', 'web'), 'mine')
    const { slug, release } = await reserve(root)
    await release()
    expect(slug).toBe('web-2')
    expect(await readFile(root.path('state', 'web'), 'utf8')).toBe('mine')
  })

  test('a taken label is told when it may not be numbered', async () => {
    const root = await testRoot()
    await mkdir(root.path('state', 'web'))
    await expect(reserve(root, { mayNumber: false })).rejects.toMatchObject({
      code: 'exists',
      message: expect.stringContaining('web'),
    })
    await expect(likelySlug(root, wish({ mayNumber: false }))).rejects.toMatchObject({ code: 'exists' })
  })

  test('a failure while the folder is made leaves neither folder nor lock', async () => {
    const root = await testRoot()
    const broken = reserveSlug(root, wish(), FREE, () => Promise.reject(new Error('no files')), never)
    await expect(broken).rejects.toThrow('no files')
    const unwritable = async () => ({ 'missing/metadata.json': '{}' })
    await expect(reserveSlug(root, wish(), FREE, unwritable, never)).rejects.toThrow()
    expect(await readdir(root.path('state'))).toEqual([])
    expect(await readdir(root.path('icebox', 'locks'))).toEqual([])
  })

  test('many starts of one label in this process get slugs of their own', async () => {
    const root = await testRoot()
    const reserved = await Promise.all(Array.from({ length: 6 }, () => reserve(root)))
    const slugs = reserved.map(({ slug }) => slug)
    expect(new Set(slugs).size).toBe(6)
    for (const { release } of reserved) await release()
    expect((await readdir(root.path('state'))).sort()).toEqual([...slugs].sort())
  })

  test('processes that race for one label get slugs of their own', async () => {
    const root = await testRoot()
    const code = `
      import { openStateRoot } from ${JSON.stringify(`${MODULES}/state/root.ts`)}
      import { reserveSlug } from ${JSON.stringify(`${MODULES}/bottles/reserve-slug.ts`)}
      const root = await openStateRoot(process.argv[1])
      const wish = { label: 'Fix it', agentName: 'reviewer', mayNumber: true }
      const files = async (slug) => ({ 'metadata.json': JSON.stringify({ identity: slug }) })
      for (let n = 0; n < 3; n++) {
        const backend = { isNameTaken: async () => false }
        const { slug, release } = await reserveSlug(root, wish, backend, files, AbortSignal.timeout(60_000))
        console.log(slug)
        await release()
      }`
    const run = () =>
      promisify(execFile)(process.execPath, ['--input-type=module-typescript', '-e', code, root.dir])
    const said = (await Promise.all([run(), run(), run()])).flatMap(({ stdout }) => stdout.trim().split('\n'))
    expect(said).toHaveLength(9)
    expect(new Set(said).size).toBe(9)
    for (const slug of said) {
      expect(slug).toMatch(/^fix-it(-\d+)?$/)
      expect(await readFile(root.path('state', slug, 'metadata.json'), 'utf8')).toContain(`"${slug}"`)
    }
    expect((await readdir(root.path('state'))).sort()).toEqual([...said].sort())
  }, 60_000)
})

describe('likelySlug', () => {
  test('says what a start would get, and takes nothing', async () => {
    const root = await testRoot()
    await mkdir(root.path('state', 'web'))
    expect(await likelySlug(root, wish())).toBe('web-2')
    expect(await likelySlug(root, wish())).toBe('web-2')
    expect(await readdir(root.path('state'))).toEqual(['web'])
  })
})
