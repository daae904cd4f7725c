import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readJsonObject, writeDurable } from '../../state/durable-file.ts'
import type { Engine } from './engine.ts'

/** A daemon is given another data root once in years, and a wrong answer only looks at another disk. */
const KEPT_MS = 24 * 3_600_000
const ASK_MS = 5000

const known = new WeakMap<Engine, Promise<string | null>>()

/**
 * The folder of this machine where the daemon keeps its images; null when the daemon is elsewhere or does not say.
 * The daemon takes long to tell, so its answer is kept for a day: no freeze waits for it.
 */
export function dockerDataRoot(engine: Engine, home: string, signal: AbortSignal): Promise<string | null> {
  const found = known.get(engine) ?? readDataRoot(engine, home, signal)
  known.set(engine, found)
  // A daemon that did not answer may do so the next time.
  return found.then((dir) => {
    if (dir === null) known.delete(engine)
    return dir
  })
}

async function readDataRoot(engine: Engine, home: string, signal: AbortSignal): Promise<string | null> {
  try {
    const endpoint = await engine.endpoint()
    // A virtual machine's daemon has a local socket too; its folder is then not there, which refuses nothing.
    if (endpoint.kind !== 'unix') return null
    const file = join(home, 'icebox', 'cache', 'docker-data-root.json')
    const kept = await readJsonObject(file)
    if (kept.kind === 'ok') {
      const { url, dir, at } = kept.value
      const isFresh = typeof at === 'number' && Math.abs(Date.now() - at) < KEPT_MS
      if (isFresh && url === endpoint.url && typeof dir === 'string') return dir
    }
    const info = await engine.get<{ DockerRootDir?: string }>('report its data root', '/info', signal, ASK_MS)
    const dir = info.DockerRootDir ?? null
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeDurable(file, `${JSON.stringify({ url: endpoint.url, dir, at: Date.now() })}\n`)
    return dir
  } catch {
    // Not knowing the place guards less, and stops nothing: whatever needs the daemon tells its own error.
    return null
  }
}
