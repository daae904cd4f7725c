import { text } from 'node:stream/consumers'
import type { RuntimeRef } from '../../../src-main/backends/backend.ts'
import { createDockerBackend } from '../../../src-main/backends/docker/docker-backend.ts'
import { openStateRoot } from '../../../src-main/state/root.ts'

// Freezes the runtime that comes on stdin, until it is killed.
const [, , home = ''] = process.argv
const root = await openStateRoot(home)
const runtime = JSON.parse(await text(process.stdin)) as RuntimeRef
await createDockerBackend({ rootId: root.id, home }).freezer.freeze(
  root,
  {
    slug: runtime.slug,
    stateDir: root.path('state', runtime.slug),
    runtime,
    parent: null,
    agent: '',
    provider: '',
  },
  { reason: 'user', note: '', label: '', pinned: false, confirm: async () => true },
  () => undefined,
  new AbortController().signal,
)
