import { stat } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import type { ManifestFile, ManifestIndex } from './manifest-scan.ts'
import { isYamlFile, nameOfFile } from './yaml/yaml-files.ts'

const SOURCES: readonly ManifestFile['source'][] = ['home', 'project', 'sample', 'path']

/**
 * The index with the file that a bottle was started from under the bottle's agent, where the name alone would not lead
 * there: the file lies outside of the known folders, or the definition gives itself another name. A file that is gone
 * changes nothing, nor do definitions that came along with a bottle, which have fewer rights.
 */
export async function withRecordedAgent(
  index: ManifestIndex,
  agentName: string,
  agentSource: string,
): Promise<ManifestIndex> {
  const recorded = /^([a-z]+): (\/.*)$/s.exec(agentSource)
  const source = SOURCES.find((known) => known === recorded?.[1])
  const file = recorded?.[2] ?? ''
  if (source === undefined || file.startsWith(join(index.rootDir, 'state') + sep)) return index
  const known = index.agents.get(agentName)
  if (known?.file === file) return index
  if (known && source !== 'path' && !isYamlFile(file)) return index
  if (!(await stat(file).catch(() => null))?.isFile()) return index
  const named = nameOfFile(file)
  const name = named === 'spec' ? basename(dirname(file)) : named
  const found: ManifestFile = { kind: 'agent', name, file, source, hides: null }
  return { ...index, agents: new Map([...index.agents, [agentName, found]]) }
}
