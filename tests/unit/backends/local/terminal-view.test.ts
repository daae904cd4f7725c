import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { charWidth, isUnclear } from '../../../../src-main/backends/local/char-width.ts'
import { followLog } from '../../../../src-main/backends/local/follow-view.ts'
import { screenText } from '../../../../src-main/backends/local/multiplexer.ts'
import { sizeOf } from '../../../../src-main/backends/local/output-bell.ts'
import { openView } from '../../../../src-main/backends/local/terminal-view.ts'

const SIZE = { cols: 20, rows: 4 }
const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('a view', () => {
  it('shows lines without colours, right ends trimmed, as many as it has', async () => {
    const view = await openView(SIZE)
    view.feed(bytes('\x1b[31mred\x1b[0m   \r\n  中文 x\r\n'))
    expect(await view.look()).toEqual({ ...SIZE, lines: ['red', '  中文 x', '', ''] })
    view.close()
  })

  it('takes a character that comes in two pieces for one', async () => {
    const view = await openView(SIZE)
    const text = bytes('é中')
    for (const byte of text) view.feed(Uint8Array.of(byte))
    expect((await view.look()).lines[0]).toBe('é中')
    expect(view.isSure).toBe(true)
    view.close()
  })

  it('tells what the program asked for, and when it is not sure', async () => {
    const view = await openView(SIZE)
    view.feed(bytes('\x1b[?2004h\x1b[?1h'))
    await view.settled()
    expect(view.modes).toEqual({ bracketedPaste: true, applicationCursor: true })
    expect(view.isSure).toBe(true)
    view.feed(bytes('ok ✅'))
    expect(view.isSure).toBe(false)
    expect((await view.look()).lines[0]).toBe('ok ✅')
    view.close()
  })

  it('lets nobody wait for ever who still looks when it is closed', async () => {
    const view = await openView(SIZE)
    view.feed(bytes('x'.repeat(1_000_000)))
    const looking = view.look()
    view.close()
    expect((await looking).rows).toBe(4)
    view.feed(bytes('more'))
    expect((await view.look()).lines).toHaveLength(4)
  })
})

it('knows how wide characters are, and which are disputed', () => {
  const widths = [...'aé│中한…⏵✻❯\u0301✅🎉ｗ'].map((char) => charWidth(char.codePointAt(0) ?? 0))
  expect(widths).toEqual([1, 1, 1, 2, 2, 1, 1, 1, 1, 0, 2, 2, 2])
  for (const text of ['plain é │ 中 ⏵⏵ ✻ ❯ ⎿ ●', '\x1b[31mred']) expect(isUnclear(text), text).toBe(false)
  for (const text of ['✅', '🎉', 'e\u0301', '⚠️', 'a\u200db', '\x1bktitle\x1b\\'])
    expect(isUnclear(text), text).toBe(true)
})

it('fills up and cuts what a multiplexer prints', () => {
  expect(screenText('a  \nb', 10, 3)).toEqual({ cols: 10, rows: 3, lines: ['a', 'b', ''] })
  expect(screenText('a\nb\nc', 10, 2).lines).toEqual(['a', 'b'])
})

describe('a log', () => {
  let dir: string
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'icebox-view-'))
  })
  afterAll(() => rm(dir, { recursive: true }))

  it('is drawn from where the run began, piece by piece', async () => {
    const log = join(dir, 'a.log')
    await writeFile(log, 'of an earlier run\r\n')
    const view = followLog(log, await sizeOf(log), SIZE)
    await appendFile(log, 'one\r\n')
    expect((await view.look(await sizeOf(log)))?.lines).toEqual(['one', '', '', ''])
    await appendFile(log, 'two')
    expect((await view.look(await sizeOf(log)))?.lines).toEqual(['one', 'two', '', ''])
    expect(view.isBusy).toBe(false)
    view.close()
  })

  it.each([
    ['is too long', async (log: string) => appendFile(log, 'x'.repeat(3_000_000))],
    ['was cut', async (log: string) => truncate(log, 1)],
    ['holds what terminals disagree on', async (log: string) => appendFile(log, '🎉')],
  ])('is no longer trusted once it %s', async (_how, spoil) => {
    const log = join(dir, 'b.log')
    await writeFile(log, 'one')
    const view = followLog(log, 0, SIZE)
    expect(await view.look(await sizeOf(log))).not.toBeNull()
    await spoil(log)
    expect(await view.look(await sizeOf(log))).toBeNull()
    await writeFile(log, 'one two')
    expect(await view.look(await sizeOf(log))).toBeNull()
  })
})
