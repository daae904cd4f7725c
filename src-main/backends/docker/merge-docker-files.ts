import type { AgentPath } from '../agent-access.ts'
import { packEntries } from '../guest/tar-pack.ts'
import { type MergedFiles, mergeFiles } from '../merge-files.ts'
import type { Container, Place } from './access-place.ts'
import { obstacleInside, readInside } from './access-read.ts'
import { writeInside } from './access-write.ts'
import { putFiles, statInContainer } from './container-files.ts'
import type { Engine } from './engine.ts'

/** Merges files of a container that does not run: the engine itself reads and writes them. Resolves with notices. @throws BottleError */
export async function mergeDockerFiles(
  engine: Engine,
  id: string,
  place: Place,
  merged: MergedFiles,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const container: Container = { ...place, id, canRun: false, isRunning: false }
  if (!(await statInContainer(engine, id, place.home, signal))) {
    const name = place.home.replace(/^\/+/, '')
    const archive = await packEntries([{ type: 'directory', name, mode: 0o755 }], place.user.owner)
    await putFiles(engine, id, '/', archive, signal)
  }
  const write = (file: AgentPath, content: Uint8Array) =>
    writeInside(engine, container, file, content, signal)
  return mergeFiles(merged, {
    async read(file) {
      const blocked = await obstacleInside(engine, container, file, signal)
      return blocked ? { blocked } : readInside(engine, container, file, null, signal)
    },
    write,
    // The engine can only add files, so what shall go is left without content.
    remove: (file) => write(file, Buffer.from(file.path.endsWith('.json') ? '{}\n' : '')),
  })
}
