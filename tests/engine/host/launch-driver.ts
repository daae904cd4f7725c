// Started by tests as a process of its own, so that it can be killed: launches or freezes and waits.
import { createHostBackend } from '../../../src-main/backends/host/host-backend.ts'
import { openStateRoot } from '../../../src-main/state/root.ts'

const { op, home, payload } = JSON.parse(process.argv[2] ?? '') as {
  op: string
  home: string
  payload: never
}
const root = await openStateRoot(home)
const backend = createHostBackend({ rootId: root.id, home: root.dir })
const { signal } = new AbortController()
if (op === 'launch') await backend.launch(payload, () => undefined, signal)
else {
  const options = { reason: 'user', note: '', label: '', pinned: false, confirm: async () => true } as const
  await backend.freezer.freeze(root, payload, options, () => undefined, signal)
}
console.log('done')
// Stays, so that the test decides how it ends.
setInterval(() => undefined, 1000)
