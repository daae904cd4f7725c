import { z } from 'zod'
import { Slug } from './entities.ts'

/**
 * Streams carry bytes with back-pressure: the receiver acknowledges what it has shown, and the sender
 * never has more than STREAM_WINDOW unacknowledged bytes on the way.
 */
export const streams = {
  logs: {
    args: z.object({
      slug: Slug,
      run: z.string().max(100).optional(),
      tailBytes: z.number().int().max(4_194_304).optional(),
    }),
  },
  terminal: {
    args: z.object({
      slug: Slug,
      cols: z.number().int().min(2).max(1000),
      rows: z.number().int().min(1).max(1000),
      readOnly: z.boolean().default(false),
    }),
  },
} as const

export type StreamName = keyof typeof streams
export type StreamArgs<K extends StreamName> = z.input<(typeof streams)[K]['args']>

/** Bytes that may be on the way without an acknowledgement. */
export const STREAM_WINDOW = 262_144
