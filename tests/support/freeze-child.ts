import { createIcebox } from '../../src-main/icebox.ts'

// Freezes one bottle in a process of its own, which a fault point may kill: `node freeze-child.ts HOME SLUG`.
const [home = '', slug = ''] = process.argv.slice(2)
const icebox = await createIcebox({ home, env: { ...process.env, ICEBOX_HOME: home } })
await icebox.bottles.freeze(
  { slug },
  {
    signal: new AbortController().signal,
    progress: () => undefined,
    notice: () => undefined,
    confirm: async () => true,
  },
)
await icebox.close()
