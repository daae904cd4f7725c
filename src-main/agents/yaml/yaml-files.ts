import { readdir, stat } from 'node:fs/promises'
import { basename, extname, isAbsolute, join, resolve } from 'node:path'
import { isManifestName } from '../names.ts'

const EXTENSIONS = ['.yaml', '.yml']

/** True for what names a file rather than an agent. Pure. */
export function isAgentPath(text: string): boolean {
  return text.includes('/') || isYamlFile(text)
}

/** Pure. */
export function isYamlFile(file: string): boolean {
  return EXTENSIONS.includes(extname(file))
}

/**
 * True for a text that is agent YAML rather than a Markdown manifest: definitions travel with a bottle under `.md`
 * whatever they are. Pure.
 */
export function isYamlText(text: string): boolean {
  const head = text.slice(0, 20_000)
  return /^apiVersion\s*:/m.test(head) && /^kind\s*:\s*["']?Agent/m.test(head)
}

/** The name that a file has where no folder of agents gives it one. Pure. */
export function nameOfFile(file: string): string {
  return basename(file).replace(/\.(md|yaml|yml)$/, '')
}

/** Folders in which other programs keep agent YAML, in the order in which they are searched. Source: scitex §2.1. Pure. */
export function searchFolders(
  homeDir: string,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const listed = (env.SCITEX_AGENT_CONTAINER_YAML_DIRS ?? '').split(':').filter((path) => path !== '')
  return [
    join(homeDir, '.scitex', 'agent-container', 'agents'),
    join(homeDir, '.scitex', 'orochi', 'shared', 'agents'),
    join(homeDir, '.dotfiles', 'src', '.scitex', 'orochi', 'agents'),
    ...listed.map((path) => (path.startsWith('~/') ? join(homeDir, path.slice(2)) : path)),
  ].filter((path) => isAbsolute(path))
}

export interface FoundYaml {
  readonly name: string
  readonly file: string
}

/**
 * The YAML agents of a folder: `<name>.yaml`, `<name>.yml`, then `<name>/<name>.yaml`, `.yml`, `<name>/spec.yaml`. The
 * first counts; what it hides is not read. A folder that is not there has none. Source: scitex §2.1.
 */
export async function yamlAgents(folder: string): Promise<readonly FoundYaml[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw error
  })
  const visible = entries.filter((entry) => !entry.name.startsWith('.'))
  const found = new Map<string, string>()
  const add = (name: string, file: string): void => {
    if (!found.has(name)) found.set(name, file)
  }
  for (const extension of EXTENSIONS) {
    for (const entry of visible) {
      const { name } = entry
      if (extname(name) === extension && !entry.isDirectory())
        add(basename(name, extension), join(folder, name))
    }
  }
  const folders = visible.filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
  const inFolders = await Promise.all(
    folders
      .filter((entry) => isManifestName(entry.name))
      .map(async ({ name }) => ({ name, file: await firstFile(join(folder, name), name) })),
  )
  for (const { name, file } of inFolders) if (file !== null) add(name, file)
  return [...found].map(([name, file]) => ({ name, file })).sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function firstFile(folder: string, name: string): Promise<string | null> {
  for (const file of [`${name}.yaml`, `${name}.yml`, 'spec.yaml', 'spec.yml']) {
    const path = resolve(folder, file)
    if ((await stat(path).catch(() => null))?.isFile()) return path
  }
  return null
}
