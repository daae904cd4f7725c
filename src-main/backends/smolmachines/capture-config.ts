import { join } from 'node:path'
import { readJsonObject, writeDurable } from '../../state/durable-file.ts'
import type { RunConfig } from '../portable.ts'
import type { MachineSource } from './grammar.ts'

const FILE = 'image-config.json'

/**
 * Keeps the config of the image that a run's machine is made of beside the run: the engine tells only its command, and
 * a copy of the machine's files must run as the image did. Sources that nobody can look into leave nothing.
 */
export async function keepImageConfig(runDir: string, source: MachineSource): Promise<void> {
  const config = await configOf(source).catch(() => null)
  if (config) await writeDurable(join(runDir, FILE), JSON.stringify(config))
}

async function configOf(source: MachineSource): Promise<RunConfig | null> {
  switch (source.kind) {
    case 'archive': {
      const { readImageFile } = await import('./portable/image-file.ts')
      return (await readImageFile(source.path)).config
    }
    case 'pack': {
      const { readPack } = await import('./pack-file.ts')
      return (await readPack(source.path)).manifest.config
    }
    default:
      return null
  }
}

/** Null when it was never known. */
export async function readImageConfig(runDir: string): Promise<RunConfig | null> {
  const read = await readJsonObject(join(runDir, FILE))
  return read.kind === 'ok' ? (read.value as RunConfig) : null
}
