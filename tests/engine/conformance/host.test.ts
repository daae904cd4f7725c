import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { conformance } from './suite.ts'

conformance({
  backend: 'host',
  bottle: async () => 'backend: host',
  throwAway: async (tests, slug) => {
    for (const part of ['live', 'run']) {
      await rm(join(tests.home.dir, 'state', slug, part), { recursive: true, force: true })
    }
  },
})
