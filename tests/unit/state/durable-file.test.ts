import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  createDurable,
  quarantine,
  readJsonObject,
  readText,
  removeDurable,
  writeDurable,
} from '../../../src-main/state/durable-file.ts'
import { toFailure } from '../../../src-main/system/bottle-error.ts'
import { tempFolder } from '../../support/test-root.ts'

const run = promisify(execFile)
const MODULE = join(import.meta.dirname, '../../../src-main/state/durable-file.ts')

describe('writeDurable', () => {
  test('replaces the whole text, privately, and leaves nothing beside it', async () => {
    const dir = await tempFolder()
    const file = join(dir, 'a.json')
    await writeDurable(file, 'a long first text')
    await writeDurable(file, 'short')
    expect(await readFile(file, 'utf8')).toBe('short')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readdir(dir)).toEqual(['a.json'])
  })

  test('a writer killed at any moment leaves one whole text or the other', async () => {
    const dir = await tempFolder()
    const file = join(dir, 'a.txt')
    const texts = ['a'.repeat(300_000), 'b'.repeat(200_000)]
    await writeDurable(file, texts[0] ?? '')
    const code = `import { writeDurable } from ${JSON.stringify(MODULE)}
      const texts = ['a'.repeat(300_000), 'b'.repeat(200_000)]
      for (let n = 1; ; n++) { await writeDurable(process.argv[1], texts[n % 2]); if (n === 3) console.log('writing') }`
    for (let round = 0; round < 4; round++) {
      const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code, file])
      await once(child.stdout, 'data')
      for (let turn = 0; turn < round * 3; turn++) await stat(file)
      child.kill('SIGKILL')
      await once(child, 'close')
      expect(texts).toContain(await readFile(file, 'utf8'))
    }
    // What a dead writer leaves is hidden, and the next write does not mind it.
    const leftovers = (await readdir(dir)).filter((name) => name !== 'a.txt')
    for (const name of leftovers) expect(name).toMatch(/^\.a\.txt\.[0-9a-f]{12}\.tmp$/)
    await writeDurable(file, 'after')
    expect(await readText(file)).toBe('after')
  })

  test('a folder in the way fails, and no temp file stays', async () => {
    const dir = await tempFolder()
    await mkdir(join(dir, 'a.json', 'inner'), { recursive: true })
    await expect(writeDurable(join(dir, 'a.json'), 'x')).rejects.toThrow()
    expect(await readdir(dir)).toEqual(['a.json'])
  })

  test('a full disk is told as disk-full and leaves the old file', async ({ skip }) => {
    const dir = await tempFolder()
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir]).catch(() => null)
    if (!mounted) return skip('a small file system can only be mounted by root on Linux')
    onTestFinished(async () => {
      await run('umount', [dir])
    })
    const file = join(dir, 'a.json')
    await writeDurable(file, 'old')
    const failed = await writeDurable(file, 'x'.repeat(200_000)).then(() => null, toFailure)
    expect(failed).toMatchObject({ code: 'disk-full', message: expect.stringContaining('full') })
    expect(await readFile(file, 'utf8')).toBe('old')
    expect(await readdir(dir)).toEqual(['a.json'])
    const created = await createDurable(join(dir, 'b'), 'x'.repeat(200_000)).then(() => null, toFailure)
    expect(created?.code).toBe('disk-full')
    expect(await readdir(dir)).toEqual(['a.json'])
  })
})

describe('createDurable', () => {
  test('only the first creates, however many try', async () => {
    const dir = await tempFolder()
    const file = join(dir, 'root.json')
    const made = await Promise.all(Array.from({ length: 20 }, (_, n) => createDurable(file, `text ${n}`)))
    expect(made.filter(Boolean)).toHaveLength(1)
    expect(await readText(file)).toBe(`text ${made.indexOf(true)}`)
    expect(await readdir(dir)).toEqual(['root.json'])
  })
})

describe('removeDurable', () => {
  test('removes, and takes a missing file or folder for done', async () => {
    const dir = await tempFolder()
    await writeFile(join(dir, 'a'), '')
    await removeDurable(join(dir, 'a'))
    await removeDurable(join(dir, 'a'))
    await removeDurable(join(dir, 'gone', 'a'))
    expect(await readdir(dir)).toEqual([])
  })
})

describe('readJsonObject', () => {
  test.each(['', ' ', '{', '{"a":1', '[]', 'null', '7', '"text"', '{"a":1}trailing', '\0\0\0\0'])(
    '%j is corrupt, not absent',
    async (text) => {
      const file = join(await tempFolder(), 'a.json')
      await writeFile(file, text)
      expect(await readJsonObject(file)).toMatchObject({ kind: 'corrupt', file })
    },
  )

  test('absent is a missing file, a missing folder or a file instead of a folder', async () => {
    const dir = await tempFolder()
    await writeFile(join(dir, 'file'), '')
    for (const path of ['a.json', 'gone/a.json', 'file/a.json']) {
      expect(await readJsonObject(join(dir, path))).toEqual({ kind: 'absent' })
    }
  })

  test('a folder or a link to itself in its place is corrupt, and throws nothing', async () => {
    const dir = await tempFolder()
    await mkdir(join(dir, 'a.json'))
    await run('ln', ['-s', 'b.json', join(dir, 'b.json')])
    for (const name of ['a.json', 'b.json']) {
      expect(await readJsonObject(join(dir, name))).toMatchObject({ kind: 'corrupt' })
    }
  })
})

describe('quarantine', () => {
  test('keeps one copy per content and leaves the file', async () => {
    const dir = await tempFolder()
    await mkdir(join(dir, 'icebox'))
    const file = join(dir, 'metadata.json')
    const bytes = Buffer.from([0x7b, 0xff, 0xfe, 0x00])
    await writeFile(file, bytes)
    const kept = await quarantine(dir, file)
    const { ino } = await stat(kept)
    expect(await quarantine(dir, file)).toBe(kept)
    expect((await stat(kept)).ino).toBe(ino)
    expect(await readFile(kept)).toEqual(bytes)
    expect(await readFile(file)).toEqual(bytes)
    await writeFile(file, 'other')
    expect(await quarantine(dir, file)).not.toBe(kept)
    expect(await readdir(join(dir, 'icebox/quarantine'))).toHaveLength(2)
    expect(basename(kept)).toContain('metadata.json')
  })

  test('finishes a copy that a full disk cut short', async () => {
    const dir = await tempFolder()
    await mkdir(join(dir, 'icebox'))
    const file = join(dir, 'metadata.json')
    await writeFile(file, 'damaged')
    const kept = await quarantine(dir, file)
    await writeFile(kept, '')
    await quarantine(dir, file)
    expect(await readFile(kept, 'utf8')).toBe('damaged')
  })
})
