import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decodeEntry, encodeEntry, readListing, writeListing } from '../../../src-main/workers/listing.ts'
import type { ListedEntry } from '../../../src-main/workers/types.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'icebox-listing-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const bytes = fc.uint8Array({ maxLength: 40 }).map((some) => Buffer.from(some).toString('latin1'))
const entries = fc.record<ListedEntry>({
  path: bytes,
  kind: fc.constantFrom('f', 'd', 'l', 'h', 'c', 'b', 'p', 'w', 'o'),
  mode: fc.nat(0o7777),
  uid: fc.nat(),
  gid: fc.nat(),
  size: fc.maxSafeNat(),
  mtime: fc.constantFrom('0', '-1', '1700000000.123456789'),
  link: bytes,
  hash: fc.constantFrom('', '0123456789abcdef'),
  extra: fc.constantFrom('', 'deadbeef'),
})

async function all(file: string): Promise<ListedEntry[]> {
  const found: ListedEntry[] = []
  for await (const batch of readListing(file)) found.push(...batch)
  return found
}

async function write(file: string, list: readonly ListedEntry[]): Promise<void> {
  const writer = writeListing(file)
  for (const entry of list) await writer.add(entry)
  await writer.close()
}

describe('a listing', () => {
  test('keeps every entry, names in any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entries, { maxLength: 20 }), async (list) => {
        const file = join(dir, 'list')
        await write(file, list)
        expect(await all(file)).toEqual(list)
      }),
      { numRuns: 30 },
    )
  })

  test('is one line per entry', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const line = encodeEntry(entry)
        expect(line).not.toContain('\n')
        expect(line).toMatch(/^[\0-\xff]*$/)
        expect(decodeEntry(line)).toEqual(entry)
      }),
    )
  })

  test('of many entries comes back in order and in batches', async () => {
    const list = Array.from({ length: 30_000 }, (_, at) => sample(`usr/share/file-${at}`))
    await write(join(dir, 'many'), list)
    const batches: number[] = []
    const paths: string[] = []
    for await (const batch of readListing(join(dir, 'many'))) {
      batches.push(batch.length)
      paths.push(...batch.map((entry) => entry.path))
    }
    expect(paths).toEqual(list.map((entry) => entry.path))
    expect(Math.max(...batches)).toBeLessThan(30_000)
  })

  test('that is damaged or cut off is an error', async () => {
    const file = join(dir, 'damaged')
    await writeFile(file, '["a","f"]\n')
    await expect(all(file)).rejects.toMatchObject({ code: 'corrupt-state' })
    await write(file, [sample('a')])
    await appendFile(file, '["b"')
    await expect(all(file)).rejects.toMatchObject({ code: 'corrupt-state' })
  })

  test('into a folder that is not there is an error', async () => {
    await expect(write(join(dir, 'none', 'list'), [sample('a')])).rejects.toThrow('ENOENT')
  })
})

function sample(path: string): ListedEntry {
  return { path, kind: 'f', mode: 0o644, uid: 0, gid: 0, size: 1, mtime: '0', link: '', hash: '', extra: '' }
}
