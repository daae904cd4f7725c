import { basename, dirname, extname } from 'node:path'
import type { AgentDefinition, BottleLayer } from './definitions.ts'
import type { ManifestFile, ManifestIndex } from './manifest-scan.ts'
import { parseAgent, parseBottle } from './parse-manifest.ts'
import type { Parsed } from './problems.ts'
import { readProjectText } from './project-files.ts'
import { type FileText, readPlainText } from './read-plain-text.ts'
import { isYamlFile, isYamlText } from './yaml/yaml-files.ts'

/** Reads and parses an agent file; what can't be read is a problem of that file. */
export async function loadAgent(
  index: Pick<ManifestIndex, 'homeDir' | 'env'>,
  found: Pick<ManifestFile, 'name' | 'file' | 'source'>,
): Promise<Parsed<AgentDefinition>> {
  const read = await (found.source === 'project' ? readProjectText : readPlainText)(found.file)
  if (!read.ok) return unreadable(found.file, read.reason)
  const { homeDir, env } = index
  const { name, file, source } = found
  if (!isYamlFile(file) && !isYamlText(read.text)) return parseAgent(read.text, { ...found, homeDir })
  const { parseYamlAgent } = await import('./yaml/load-yaml-agent.ts')
  return parseYamlAgent(read.text, {
    file,
    source,
    homeDir,
    env,
    foundAs: source === 'path' ? null : name,
    folderName: basename(dirname(file)),
    // One that came along with a bottle lies under its own name in a folder of many.
    fixedName: extname(file) === '.md' ? name : null,
  })
}

/** Reads and parses one bottle file, without its parents. */
export async function loadBottleLayer(
  index: ManifestIndex,
  found: ManifestFile,
): Promise<Parsed<BottleLayer>> {
  const read = await readManifestText(found.file)
  if (!read.ok) return unreadable(found.file, read.reason)
  return parseBottle(read.text, { name: found.name, file: found.file, homeDir: index.homeDir })
}

function unreadable<T>(file: string, reason: string): Parsed<T> {
  return { ok: false, problems: [{ file, line: 1, message: reason, hint: null }] }
}

/** The text of a plain file of bearable size that is UTF-8, else why not. Never hangs on a pipe or device. */
export function readManifestText(file: string): Promise<FileText> {
  return readPlainText(file)
}
