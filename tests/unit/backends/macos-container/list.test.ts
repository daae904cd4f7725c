import { expect, it } from 'vitest'
import { decodeContainers } from '../../../../src-main/backends/macos-container/decode.ts'
import { isWanted } from '../../../../src-main/backends/macos-container/list.ts'
import { isOfRun } from '../../../../src-main/backends/macos-container/own-container.ts'
import { hasRun } from '../../../../src-main/backends/macos-container/recover.ts'

const entryOf = (id: string, labels: Record<string, string>) => {
  const [entry] = decodeContainers([{ configuration: { id, labels }, status: 'running' }])
  if (!entry) throw new Error('no entry')
  return entry
}
const own = { 'dev.icebox.root': 'me', 'dev.icebox.slug': 'web-1', 'dev.icebox.run': 'run1' }
const scope = (slugs?: readonly string[], adopted: readonly string[] = []) => ({
  adopted: new Set(adopted),
  ...(slugs ? { slugs } : {}),
})

it('lists what is ours, what has no owner but a bottle’s name, and what was adopted', () => {
  expect(isWanted(entryOf('anything', own), 'me', scope())).toBe(true)
  expect(isWanted(entryOf('bot-bottle-old', {}), 'me', scope())).toBe(true)
  expect(isWanted(entryOf('bot-bottle-web-1', own), 'another', scope())).toBe(false)
  expect(isWanted(entryOf('somebody', {}), 'me', scope())).toBe(false)
  expect(isWanted(entryOf('somebody', {}), 'me', scope(['x'], ['somebody']))).toBe(true)
})

it('may be asked for some bottles only', () => {
  expect(isWanted(entryOf('bot-bottle-web-1-run1', own), 'me', scope(['web-1']))).toBe(true)
  expect(isWanted(entryOf('bot-bottle-web-1', own), 'me', scope(['web-2']))).toBe(false)
  expect(isWanted(entryOf('bot-bottle-old', {}), 'me', scope(['old']))).toBe(true)
})

it('knows a run’s container by its labels, not by its name', () => {
  expect(isOfRun(entryOf('a', own), 'me', 'run1')).toBe(true)
  expect(isOfRun(entryOf('a', own), 'me', 'run2')).toBe(false)
  expect(isOfRun(entryOf('a', own), 'you', 'run1')).toBe(false)
  expect(isOfRun(entryOf('a', {}), 'me', 'run1')).toBe(true)
})

it('takes a container for unused only when everything says so', () => {
  expect(hasRun({ state: 'stopped', startedAt: null }, '')).toBe(false)
  expect(hasRun({ state: 'stopped', startedAt: null }, null)).toBe(true)
  expect(hasRun({ state: 'stopped', startedAt: null }, 's')).toBe(true)
  expect(hasRun({ state: 'stopped', startedAt: '2026-01-01T00:00:00Z' }, '')).toBe(true)
  expect(hasRun({ state: 'unknown', startedAt: null }, '')).toBe(true)
})
