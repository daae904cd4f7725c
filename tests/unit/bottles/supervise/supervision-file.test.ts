import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { freshSupervision, takeUp } from '../../../../src-main/bottles/supervise/supervision.ts'
import {
  parseSupervision,
  readSupervision,
  writeSupervision,
} from '../../../../src-main/bottles/supervise/supervision-file.ts'
import { testRoot } from '../../../support/test-root.ts'
import { KEY, NOW } from './samples.ts'

const KEPT = {
  ...freshSupervision(KEY, NOW),
  restarts: { tries: [1, 2], nextAt: 5, begun: 'crash' as const, gaveUp: null, cutAt: 6, contextTries: [4] },
  startup: { state: 'done' as const, progress: { sent: 1 } },
  freezes: {
    ...freshSupervision(KEY, NOW).freezes,
    exit: 'due' as const,
    idle: { activityAt: 'a' },
    isContextDone: true,
  },
  trouble: 'stuck',
  end: { code: null, isStopped: false, at: 7 },
}

test('what is kept comes back, private, and keys of a later version survive', async () => {
  const root = await testRoot()
  await mkdir(root.path('state', 'box'))
  await writeSupervision(root, 'box', 4, KEPT)
  expect(await readSupervision(root, 'box')).toEqual(KEPT)
  const file = root.path('state', 'box', 'agent', 'supervision.json')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const written = JSON.parse(await readFile(file, 'utf8')) as object
  await writeFile(file, JSON.stringify({ ...written, tomorrow: 'kept' }))
  await writeSupervision(root, 'box', 5, KEPT)
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ tomorrow: 'kept', generation: 5 })
})

test('a damaged file costs what it held and nothing else, and a destroyed bottle does not come back', async () => {
  const root = await testRoot()
  await mkdir(root.path('state', 'box', 'agent'), { recursive: true })
  await writeFile(root.path('state', 'box', 'agent', 'supervision.json'), '{ half')
  expect(await readSupervision(root, 'box')).toBe('damaged')
  // Nobody knows how far its startup came: commands that are typed twice may do harm, a person can type missing ones.
  expect(takeUp('damaged', KEY, NOW).startup.state).toBe('done')
  expect(takeUp(null, KEY, NOW).startup.state).toBe('pending')
  await writeSupervision(root, 'box', 1, KEPT)
  expect(await readSupervision(root, 'box')).toEqual(KEPT)
  await rm(root.path('state', 'box'), { recursive: true })
  await expect(writeSupervision(root, 'box', 1, KEPT)).rejects.toThrow('ENOENT')
})

test('odd parts get what holds for a new launch', () => {
  expect(parseSupervision({})).toBeNull()
  expect(
    parseSupervision({ ...KEY, restarts: { tries: ['x', 3], nextAt: 'soon' }, freezes: 7, end: { at: 'x' } }),
  ).toEqual({
    ...freshSupervision(KEY, 0),
    restarts: { tries: [3], nextAt: null, begun: null, gaveUp: null, cutAt: null, contextTries: [] },
  })
})
