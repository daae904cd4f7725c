import { readdir, realpath } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { bottleError } from '../system/bottle-error.ts'
import { isManifestName } from './names.ts'
import { searchFolders, yamlAgents } from './yaml/yaml-files.ts'

/** One manifest file, known by name only: nothing of it has been read. */
export interface ManifestFile {
  readonly kind: 'agent' | 'bottle'
  /** File name without its ending; of agent YAML in a folder of its own, the folder's. */
  readonly name: string
  readonly file: string
  /** `path`: the file itself was named. */
  readonly source: 'home' | 'project' | 'sample' | 'path'
  /** The file of an agent of the same name that this one hides. */
  readonly hides: string | null
}

/** Which manifests exist. Content is read when one is needed, so a broken file blocks nothing else. */
export interface ManifestIndex {
  readonly rootDir: string
  readonly homeDir: string
  /** Folder whose project agents count, and that a relative path starts from; null for none. */
  readonly projectDir: string | null
  /** This machine's environment. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly agents: ReadonlyMap<string, ManifestFile>
  readonly bottles: ReadonlyMap<string, ManifestFile>
  /** Files whose names can't be used; `validate` and lists show them. */
  readonly misnamed: readonly ManifestFile[]
  readonly notices: readonly string[]
}

/** The name by which the sample that Icebox writes is known. */
export const SAMPLE_NAME = 'sample'

/** What an index is opened with beside the state root; as of this process where nothing is given. */
export interface IndexSources {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly homeDir?: string
}

/**
 * Lists file names: agents and bottles of the state root, agents of the project, which win over home, and agent YAML
 * where other programs keep theirs, which is hidden by both.
 * A project's `bottles` folder is never used, so that a cloned repository can't reach secrets.
 * @throws BottleError `permission` when a folder of the state root can't be read.
 */
export async function openManifestIndex(
  root: { readonly dir: string },
  projectDir: string | null,
  sources: IndexSources = {},
): Promise<ManifestIndex> {
  const env = sources.env ?? process.env
  const homeDir = sources.homeDir ?? homedir()
  const agents = new Map<string, ManifestFile>()
  const bottles = new Map<string, ManifestFile>()
  const misnamed: ManifestFile[] = []
  const notices: string[] = []
  const add = (into: Map<string, ManifestFile>, found: ManifestFile): void => {
    if (isManifestName(found.name)) into.set(found.name, found)
    else misnamed.push(found)
  }
  const elsewhere = await agentsElsewhere(searchFolders(homeDir, env), notices, misnamed)
  const hiddenBy = (name: string): string | null => (agents.get(name) ?? elsewhere.get(name))?.file ?? null
  const addAgents = async (folder: string, source: ManifestFile['source'], names: readonly string[]) => {
    for (const { name, file } of await yamlIn(folder, notices)) {
      add(agents, { kind: 'agent', name, file, source, hides: hiddenBy(name) })
    }
    for (const name of names) {
      const kind = source === 'home' && name === SAMPLE_NAME ? 'sample' : source
      add(agents, entry('agent', name, folder, kind, hiddenBy(name)))
    }
  }
  for (const name of await manifestNames(join(root.dir, 'bottles'))) {
    add(bottles, entry('bottle', name, join(root.dir, 'bottles'), 'home', null))
  }
  await addAgents(join(root.dir, 'agents'), 'home', await manifestNames(join(root.dir, 'agents')))
  const project = await projectFolder(root.dir, projectDir)
  if (project !== null) {
    await addAgents(join(project, 'agents'), 'project', await projectNames(join(project, 'agents'), notices))
    if ((await projectNames(join(project, 'bottles'), notices)).length > 0) {
      notices.push(
        `${join(project, 'bottles')} is not used: bottles are only read from ${join(root.dir, 'bottles')}.`,
      )
    }
  }
  for (const [name, found] of elsewhere) if (!agents.has(name)) agents.set(name, found)
  return { rootDir: root.dir, homeDir, projectDir, env, agents, bottles, misnamed, notices }
}

/** Agent YAML of other programs; of one name the first folder's. */
async function agentsElsewhere(
  folders: readonly string[],
  notices: string[],
  misnamed: ManifestFile[],
): Promise<ReadonlyMap<string, ManifestFile>> {
  const agents = new Map<string, ManifestFile>()
  for (const folder of folders) {
    for (const { name, file } of await yamlIn(folder, notices)) {
      const found = { kind: 'agent', name, file, source: 'home', hides: null } as const
      if (!isManifestName(name)) misnamed.push(found)
      else if (!agents.has(name)) agents.set(name, found)
    }
  }
  return agents
}

/** Agent YAML of a folder; one that can't be read is told and otherwise blocks nothing. */
async function yamlIn(folder: string, notices: string[]): ReturnType<typeof yamlAgents> {
  try {
    return await yamlAgents(folder)
  } catch {
    const notice = `The folder ${folder} can't be read, so its agents are not used.`
    if (!notices.includes(notice)) notices.push(notice)
    return []
  }
}

/** The same index with the definitions of another folder for names that it lacks. */
export async function addCarried(index: ManifestIndex, dir: string): Promise<ManifestIndex> {
  const added = async (
    kind: ManifestFile['kind'],
    folder: string,
    known: ReadonlyMap<string, ManifestFile>,
  ) => {
    const all = new Map(known)
    for (const name of await manifestNames(folder)) {
      if (isManifestName(name) && !all.has(name)) all.set(name, entry(kind, name, folder, 'home', null))
    }
    return all
  }
  return {
    ...index,
    agents: await added('agent', join(dir, 'agents'), index.agents),
    bottles: await added('bottle', join(dir, 'bottles'), index.bottles),
  }
}

function entry(
  kind: ManifestFile['kind'],
  name: string,
  folder: string,
  source: ManifestFile['source'],
  hides: string | null,
): ManifestFile {
  return { kind, name, file: join(folder, `${name}.md`), source, hides }
}

/** `<project>/.bot-bottle`, or null when there is none or when it is the state root itself. */
async function projectFolder(rootDir: string, projectDir: string | null): Promise<string | null> {
  if (projectDir === null || projectDir === '') return null
  const folder = join(projectDir, '.bot-bottle')
  const real = await realpath(folder).catch(() => null)
  if (real === null) return null
  return real === (await realpath(rootDir).catch(() => rootDir)) ? null : folder
}

async function manifestNames(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder)
    return names
      .filter((name) => name.endsWith('.md') && !name.startsWith('.'))
      .map((name) => name.slice(0, -'.md'.length))
      .sort()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw bottleError('permission', `The folder ${folder} can't be read.`, { cause: error, detail: code })
  }
}

/** As `manifestNames`; what a project hides is told and otherwise blocks nothing. */
async function projectNames(folder: string, notices: string[]): Promise<readonly string[]> {
  try {
    return await manifestNames(folder)
  } catch {
    const notice = `The folder ${folder} can't be read, so its agents are not used.`
    if (!notices.includes(notice)) notices.push(notice)
    return []
  }
}
