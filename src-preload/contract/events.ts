import type { z } from 'zod'
import { StatePatch } from './entities.ts'

/** Event name → payload schema. Events only ever carry state; streams have their own channel. */
export const events = { 'state:patch': StatePatch } as const

export type EventName = keyof typeof events
export type EventPayload<K extends EventName> = z.output<(typeof events)[K]>
