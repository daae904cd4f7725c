import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentDefinition } from './definitions.ts'
import { readManifestText } from './load-manifest.ts'
import { didYouMean, type ManifestProblem, type Parsed, quoted } from './problems.ts'

const FILES_MAX = 200
const BYTES_MAX = 2_000_000

/**
 * Reads the skills that an agent names from `<root>/skills/<name>/`, as `<skill>/<path>` → text.
 * Text files only; links are refused, since they could lead anywhere. Hidden files are left out.
 */
export async function loadSkills(
  rootDir: string,
  agent: Pick<AgentDefinition, 'skills' | 'file' | 'lines'>,
): Promise<Parsed<Readonly<Record<string, string>>>> {
  const problems: ManifestProblem[] = []
  const files: [string, string][] = []
  for (const skill of agent.skills) {
    const folder = join(rootDir, 'skills', skill)
    if (!(await isPlainFile(join(folder, 'SKILL.md')))) {
      const known = await readdir(join(rootDir, 'skills')).catch(() => [])
      problems.push({
        file: agent.file,
        line: agent.lines.skills,
        message: `There is no skill ${quoted(skill)}: ${join(folder, 'SKILL.md')} is missing.`,
        hint: didYouMean(skill, known),
      })
      continue
    }
    await readFolder(folder, skill, files, problems)
  }
  const bytes = files.reduce((sum, [, text]) => sum + text.length, 0)
  if (files.length > FILES_MAX || bytes > BYTES_MAX) {
    const message = `The skills hold too much: at most ${FILES_MAX} files and ${BYTES_MAX / 1_000_000} MB.`
    problems.push({ file: agent.file, line: agent.lines.skills, message, hint: null })
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: Object.fromEntries(files) }
}

async function readFolder(
  folder: string,
  prefix: string,
  files: [string, string][],
  problems: ManifestProblem[],
): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || files.length > FILES_MAX) continue
    const file = join(folder, entry.name)
    const path = `${prefix}/${entry.name}`
    if (entry.isDirectory()) {
      await readFolder(file, path, files, problems)
      continue
    }
    const read = entry.isFile()
      ? await readManifestText(file)
      : { ok: false as const, reason: 'This is not a plain file.' }
    if (!read.ok)
      problems.push({ file, line: 1, message: read.reason, hint: 'A skill holds text files only.' })
    else if (read.text.includes('\0')) {
      problems.push({
        file,
        line: 1,
        message: 'The file is not text.',
        hint: 'A skill holds text files only.',
      })
    } else files.push([path, read.text])
  }
}

async function isPlainFile(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isFile() ?? false
}
