import { z } from 'zod'
import { Fidelity, FreezeReason, ScrubReport, SessionMark } from '../../src-preload/contract/index.ts'

/**
 * Icebox's own facts about a snapshot: the config blob of an artifact's parts manifest. Needed to make a bottle of
 * it again, never to run the image. Holds names of secrets, never values, and no path of the machine it was made on.
 * Unknown keys are kept. Source: state-and-artifacts.md, "The artifact".
 */
export const SnapshotFacts = z.looseObject({
  version: z.literal(1),
  snapshot: z.looseObject({
    id: z.string().regex(/^\d{8}T\d{6}Z-[0-9a-z]{4}$/),
    parent: z.string().nullable(),
    backend: z.string().max(40),
    createdAt: z.string().max(40),
    fidelity: Fidelity,
    leftOut: z.array(z.string().max(4096)).max(10_000),
    reason: FreezeReason,
    note: z.string().max(500),
    label: z.string().max(500),
    /** The agent's conversation in the files; absent where none is known. */
    session: SessionMark.nullable().optional(),
    /** What the backend needs to know again at resume. */
    facts: z.record(z.string(), z.unknown()),
  }),
  bottle: z.looseObject({
    slug: z.string().max(200),
    label: z.string().max(500),
    color: z.string().max(40),
    agent: z.string().max(200),
    provider: z.string().max(200),
    bottleNames: z.array(z.string().max(200)).max(50),
    policy: z.enum(['default', 'no-network', 'unenforced']),
    secretNames: z.array(z.string().max(200)).max(500),
    interactive: z.boolean(),
  }),
  /** The definitions the bottle was started from, name → Markdown text, so that another machine can resume it. */
  definitions: z.object({
    agents: z.record(z.string().max(200), z.string().max(200_000)),
    bottles: z.record(z.string().max(200), z.string().max(200_000)),
  }),
  /** In the order of the parts manifest's layers. */
  volumes: z
    .array(
      z.looseObject({
        destination: z.string().max(4096),
        kind: z.enum(['anonymous', 'named']),
        name: z.string().max(255),
        /** Of the uncompressed tar. */
        bytes: z.number().nonnegative(),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .max(1000),
  baseLayers: z.number().int().nonnegative(),
  scrub: ScrubReport.nullable(),
})
export type SnapshotFacts = z.infer<typeof SnapshotFacts>
