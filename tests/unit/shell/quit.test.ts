import { describe, expect, test, vi } from 'vitest'
import { createQuit } from '../../../src-main/shell/quit.ts'
import { bottleRow } from '../../support/rows.ts'
import { quitDesktop } from './quit-desktop.ts'

const LEAVE = 0
const FREEZE = 1
const CANCEL = 2

function scene(...args: Parameters<typeof quitDesktop>) {
  const made = quitDesktop(...args)
  const quit = createQuit(made.desktop, made.parts)
  /** The n-th box, once it is there. */
  const box = async (n = 0) => {
    await vi.waitFor(() => expect(made.seen.boxes.length).toBeGreaterThan(n), 5000)
    const found = made.seen.boxes[n]
    if (!found) throw new Error('no box')
    return found
  }
  return { ...made, quit, box }
}
const two = () => [bottleRow('otter'), bottleRow('seal')]

test('with nothing at work nothing is asked', async () => {
  const { quit, seen } = scene([bottleRow('otter', { state: 'frozen' })])
  expect(await quit.mayEnd('quit')).toBe(true)
  expect(seen.boxes).toEqual([])
})

describe('the answer', () => {
  test('leave ends at once and freezes nothing', async () => {
    const { quit, seen, box } = scene(two())
    const ending = quit.mayEnd('quit')
    ;(await box()).answer(LEAVE)
    expect(await ending).toBe(true)
    expect(seen.freezes).toEqual([])
  })
  test('cancel stays, and the next quit asks again', async () => {
    const { quit, seen, box } = scene(two())
    const ending = quit.mayEnd('quit')
    ;(await box()).answer(CANCEL, true)
    expect(await ending).toBe(false)
    expect(seen.sets).toEqual([])
    void quit.mayEnd('quit')
    await box(1)
  })
  test('freeze freezes each once, with a reason, where the person sees it', async () => {
    const { quit, seen, box } = scene(two())
    const ending = quit.mayEnd('quit')
    ;(await box()).answer(FREEZE)
    expect(await ending).toBe(true)
    expect(seen.freezes).toEqual([
      { slug: 'otter', note: 'Before quitting', reason: 'rule' },
      { slug: 'seal', note: 'Before quitting', reason: 'rule' },
    ])
    expect(seen.stops.sort()).toEqual(['otter', 'seal'])
    expect(seen.shown).toBe(1)
  })
  test('is kept when the person says so', async () => {
    const { quit, seen, box } = scene(two())
    const ending = quit.mayEnd('quit')
    ;(await box()).answer(FREEZE, true)
    await ending
    expect(seen.sets).toEqual([['quitWithRunning', 'freeze']])
  })
  test('of the setting needs no question', async () => {
    const { quit, seen } = scene(two(), { quitWithRunning: 'freeze' })
    expect(await quit.mayEnd('quit')).toBe(true)
    expect(seen.boxes).toEqual([])
    expect(seen.freezes).toHaveLength(2)
  })
})

test('a second quit does nothing while the first is decided', async () => {
  const { quit, seen, box } = scene(two())
  const first = quit.mayEnd('quit')
  const open = await box()
  expect(await quit.mayEnd('quit')).toBe(false)
  expect(await quit.mayEnd('update')).toBe(false)
  expect(seen.boxes).toHaveLength(1)
  open.answer(LEAVE)
  expect(await first).toBe(true)
  // What follows from the answer is not asked about again.
  expect(await quit.mayEnd('quit')).toBe(true)
  expect(seen.boxes).toHaveLength(1)
})

test('a freeze that fails stops the quit and says which', async () => {
  const { quit, seen, fate, box } = scene(two())
  fate.fails.add('seal')
  const ending = quit.mayEnd('quit')
  ;(await box()).answer(FREEZE)
  const told = await box(1)
  expect(told.options.message).toBe('Icebox did not quit')
  expect(told.options.detail).toBe('Freezing seal: The disk is full.')
  told.answer(0)
  expect(await ending).toBe(false)
  expect(seen.freezes.map(({ slug }) => slug)).toEqual(['otter', 'seal'])
  // What is not frozen is never stopped.
  expect(seen.stops).toEqual(['otter'])
})

test('a list that can’t be had stops the quit too', async () => {
  const { quit, fate, box } = scene(two())
  fate.listFails = true
  const ending = quit.mayEnd('quit')
  ;(await box()).answer(FREEZE)
  const told = await box(1)
  expect(told.options.detail).toContain('does not answer')
  told.answer(0)
  expect(await ending).toBe(false)
})

test('what began a moment ago is asked about', async () => {
  const rows = two()
  const { quit, desktop, box } = scene(rows)
  desktop.state.get = () => ({ bottles: [], tasks: [] }) as never
  void quit.mayEnd('quit')
  expect((await box()).options.message).toBe('2 bottles are running. Quit Icebox?')
})

test('an engine that does not answer holds no quit up', async () => {
  const { quit, fate, box } = scene(two())
  fate.listHangs = true
  void quit.mayEnd('quit')
  await box()
})

test('who can’t be asked can quit', async () => {
  const { quit, fate, seen } = scene(two())
  fate.dialogFails = true
  expect(await quit.mayEnd('quit')).toBe(true)
  expect(seen.freezes).toEqual([])
})

test('finishing waits for work of the app, and for what it leaves running when all is frozen', async () => {
  const rows = two()
  const { quit, tasks, seen, box } = scene(rows)
  let finish = () => {}
  tasks.start('export', 'otter', async () => {
    await new Promise<void>((resolve) => {
      finish = resolve
    })
    rows.push(bottleRow('late'))
    return 'Exported.'
  })
  const ending = quit.mayEnd('quit')
  const question = await box()
  expect(question.options.detail).toContain('Exporting otter')
  question.answer(FREEZE)
  // The export holds otter; seal is free.
  await vi.waitFor(() => expect(seen.freezes.map(({ slug }) => slug)).toEqual(['seal']))
  finish()
  expect(await ending).toBe(true)
  expect(seen.freezes.map(({ slug }) => slug).sort()).toEqual(['late', 'otter', 'seal'])
})

describe('when the session ends', () => {
  test('nothing is asked', async () => {
    const { quit, seen } = scene(two())
    quit.endSession()
    expect(await quit.mayEnd('quit')).toBe(true)
    expect(seen.boxes).toEqual([])
  })
  test('an open question holds nothing up', async () => {
    const { quit, box } = scene(two())
    void quit.mayEnd('quit')
    await box()
    quit.endSession()
    expect(await quit.mayEnd('quit')).toBe(true)
  })
})
