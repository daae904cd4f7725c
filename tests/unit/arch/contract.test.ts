import { expect, test } from 'vitest'
import { calls } from '../../../src-preload/contract/calls.ts'
import { CALLS, EVENTS, STREAMS } from '../../../src-preload/contract/channels.ts'
import { events } from '../../../src-preload/contract/events.ts'
import { streams } from '../../../src-preload/contract/streams.ts'

/** The names are written twice so that a page needs no schemas; this keeps the two lists one. */
test.each([
  ['calls', CALLS, calls],
  ['events', EVENTS, events],
  ['streams', STREAMS, streams],
] as const)('the names of %s and their table agree', (_, names, table) => {
  expect([...names].sort()).toEqual(Object.keys(table).sort())
})
