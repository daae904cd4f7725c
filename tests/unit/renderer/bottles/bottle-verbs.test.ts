import { expect, test } from 'vitest'
import type { Bottle } from '../../../../src-preload/contract/entities.ts'
import { lookOf, sentenceOf } from '../../../../src-renderer/bottles/bottle-look.ts'
import { verbsOf } from '../../../../src-renderer/bottles/bottle-verbs.ts'
import type { App } from '../../../../src-renderer/state/app.ts'
import { bottle } from '../../../support/renderer-rows.ts'

const app = {} as App
const names = (row: Bottle, doing: string | null = null) => verbsOf(app, row, doing).map((verb) => verb.id)

test('what runs can be frozen, opened, stopped and forked, not resumed', () => {
  expect(names(bottle('web'))).toEqual(
    expect.arrayContaining(['freeze', 'terminal', 'stop', 'fork', 'destroy']),
  )
  expect(names(bottle('web'))).not.toContain('resume')
})

test('what is frozen can be resumed and forked, not frozen or stopped again', () => {
  const verbs = names(bottle('web', { state: 'frozen' }))
  expect(verbs).toEqual(expect.arrayContaining(['resume', 'fork', 'destroy']))
  expect(verbs).not.toEqual(expect.arrayContaining(['freeze']))
  expect(verbs).not.toContain('stop')
})

test('of what can not be reached only looking, naming and destroying is offered', () => {
  expect(names(bottle('web', { state: 'unknown' }))).toEqual(['logs', 'copyName', 'destroy'])
})

test('while one operation holds the bottle the others wait, and looking does not', () => {
  const verbs = verbsOf(app, bottle('web'), 'freeze')
  const state = Object.fromEntries(verbs.map((verb) => [verb.id, [verb.isDisabled, verb.isBusy]]))
  expect(state.freeze).toEqual([true, true])
  expect(state.stop).toEqual([true, false])
  expect(state.logs).toEqual([false, false])
})

test('a state always has a word; an operation under way comes first', () => {
  for (const state of [
    'starting',
    'running',
    'paused',
    'stopping',
    'stopped',
    'frozen',
    'failed',
    'unknown',
  ] as const) {
    expect(lookOf(bottle('web', { state }), null).word).not.toBe('')
  }
  expect(lookOf(bottle('web', { state: 'frozen' }), 'resume')).toMatchObject({
    tone: 'busy',
    word: 'Resuming…',
  })
})

test('the sentence of a bottle that was stopped does not call it an error', () => {
  expect(sentenceOf(bottle('web', { state: 'frozen', exitCode: 143, snapshots: 1 }))).toBe('1 snapshot')
  expect(sentenceOf(bottle('web', { state: 'failed', exitCode: 7 }))).toBe('agent exited 7 · never frozen')
})
